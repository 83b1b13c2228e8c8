/** `endSessionMethod: 'post'` in a real browser, at a provider that accepts POST: the ID token is in no URL (docs/decisions/0025). */
import type { Browser, Page, Request } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { launchBrowser } from './browser.ts'
import { type Application, startApplication } from './two-sites.ts'

/** The header of every JWT begins like this. */
const JWT = 'eyJ'

let app: Application
let browser: Browser
beforeAll(async () => {
  ;[app, browser] = await Promise.all([
    startApplication({ oidc: { endSessionMethod: 'post' }, provider: { acceptPost: true } }),
    launchBrowser(),
  ])
})
afterAll(async () => {
  await Promise.all([browser.close(), app.close()])
})

it('signs out at the provider by a form that sends itself, and leaves the ID token in no URL', async () => {
  const page = await (await browser.newContext()).newPage()
  const complaints: string[] = []
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  await signIn(page)

  const requests: Request[] = []
  page.on('request', (request) => requests.push(request))
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Signed out' }).waitFor()
  expect(page.url()).toBe(`${app.url}/`)

  const handover = requests.filter((request) => request.postData()?.includes('id_token_hint='))
  expect(handover.map((request) => [request.method(), request.url()])).toEqual([
    ['POST', `${app.provider.url}/${app.provider.tenantId}/oauth2/v2.0/logout`],
  ])
  expect(handover[0]?.postData()).toContain(JWT)
  // The session of the provider came along: a POST of another site carries cookies with SameSite=None only.
  expect((await handover[0]?.allHeaders())?.['cookie']).toContain('idp_session_')
  for (const request of requests) {
    const { referer = '' } = await request.allHeaders()
    expect([request.url(), referer].filter((address) => address.includes(JWT))).toEqual([])
  }
  expect((await addressesInHistory(page)).filter((address) => address.includes(JWT))).toEqual([])
  expect(complaints).toEqual([])

  await page.getByRole('link', { name: 'Sign in' }).click()
  await page.getByRole('heading', { name: 'Pick an account' }).waitFor()
})

async function signIn(page: Page): Promise<void> {
  await page.goto(`${app.url}/auth/login`)
  await page.getByRole('button', { name: 'Ada Lovelace' }).click()
  await page.getByRole('heading', { name: 'Signed in' }).waitFor()
}

async function addressesInHistory(page: Page): Promise<readonly string[]> {
  const devtools = await page.context().newCDPSession(page)
  const { entries } = await devtools.send('Page.getNavigationHistory')
  expect(entries.length).toBeGreaterThan(1)
  return entries.flatMap(({ url, userTypedURL }) => [url, userTypedURL])
}
