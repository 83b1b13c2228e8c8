/**
 * The demo in a real browser, step by step as its README walks through it. One browser context is one device.
 */
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser } from './browser.ts'
import { type Demo, startDemo } from './demo-process.ts'

/** Seconds. The example asks for 5 s of validity, so a token serves for 3. */
const ACCESS_TTL = '8'

let demo: Demo
let browser: Browser
const contexts: BrowserContext[] = []
const complaints: string[] = []

beforeAll(async () => {
  ;[demo, browser] = await Promise.all([startDemo({ arguments: ['--access-ttl', ACCESS_TTL] }), launchBrowser()])
  expect(demo.output().stdout, demo.output().stderr).toContain(`ready ${demo.url}\n`)
})
afterEach(async () => {
  await Promise.all(contexts.splice(0).map((context) => context.close()))
})
afterAll(async () => {
  await Promise.all([browser.close(), demo.stop()])
})

async function newDevice(): Promise<Page> {
  const context = await browser.newContext()
  contexts.push(context)
  const page = await context.newPage()
  // A blocked style or script, a wrong form target: the policy of the pages would say so here.
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) complaints.push(message.text())
  })
  return page
}

async function signIn(page: Page, who = 'Ada Lovelace'): Promise<void> {
  await page.goto(demo.url)
  await page.getByRole('main').getByRole('link', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: who }).click()
  await page.getByRole('heading', { name: 'Welcome' }).waitFor()
}

const me = (page: Page) => page.context().request.get(`${demo.url}/api/me`)

describe('the demo', () => {
  it('signs in by a click, keeps the session over a reload, and no page shows a token', async () => {
    const page = await newDevice()
    expect((await me(page)).status()).toBe(401)
    await signIn(page)
    expect(page.url()).toBe(`${demo.url}/`)
    await page.reload()
    await page.getByRole('heading', { name: 'Welcome, Ada.' }).waitFor()

    const { user, session } = (await (await me(page)).json()) as { user: object; session: object }
    expect(user).toMatchObject({ name: 'Ada Lovelace', preferred_username: 'ada@example.test' })
    expect(session).toMatchObject({ id: expect.any(String) as string, expiresAt: expect.any(Number) as number })

    for (const path of ['/', '/profile', '/orders', '/tokens', '/devices', '/api/me', '/api/orders']) {
      const response = await page.context().request.get(demo.url + path)
      expect(response.status(), path).toBe(200)
      expect(response.headers()['cache-control'], path).toContain('no-store')
      // The header of every JWT begins like this.
      expect(await response.text(), path).not.toContain('eyJ')
    }
    const [ticket] = (await page.context().cookies(demo.url)).filter(({ name }) => name === 'coatcheck')
    expect(ticket).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: '/' })
  })

  it('leads back to the page that wanted a user', async () => {
    const page = await newDevice()
    await page.goto(`${demo.url}/profile`)
    await page.getByRole('button', { name: 'Grace Hopper' }).click()
    await page.getByRole('heading', { name: 'Profile' }).waitFor()
    expect(page.url()).toBe(`${demo.url}/profile`)
    await page.getByText('grace@example.test').first().waitFor()
  })

  it('works with the keyboard alone', async () => {
    const page = await newDevice()
    await page.goto(demo.url)
    await page.keyboard.press('Tab')
    expect(await page.locator(':focus').textContent()).toBe('Skip to content')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Pick an account' }).waitFor()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Welcome, Grace.' }).waitFor()
  })

  it('shows the orders, and refreshes the access token when its short life is over, without a new sign-in', async () => {
    const page = await newDevice()
    await signIn(page)
    const before = await demo.counters()
    const openOrders = async (): Promise<void> => {
      await page.goto(`${demo.url}/orders`)
      expect(await page.getByRole('row').count()).toBe(5)
    }
    await openOrders()
    await expect
      .poll(
        async () => {
          await openOrders()
          return (await demo.counters())['token:refresh_token'] ?? 0
        },
        { timeout: 120_000, interval: 500 },
      )
      .toBeGreaterThan(before['token:refresh_token'] ?? 0)
    expect((await demo.counters()).authorize).toBe(before.authorize)

    await page.goto(`${demo.url}/tokens`)
    await page.getByText('api://orders/Orders.Read').first().waitFor()
    await page.getByText(/refreshed$/).waitFor()
  })

  it('lists devices, ends one of them, and all others', async () => {
    const [first, second, third] = [await newDevice(), await newDevice(), await newDevice()]
    for (const page of [first, second, third]) await signIn(page, 'Barbara Liskov')

    await first.goto(`${demo.url}/devices`)
    expect(await first.getByText('This device').count()).toBe(1)
    const buttons = first.getByRole('button', { name: /^Sign out Chrom/ })
    expect(await buttons.count()).toBe(2)
    // The newest stands first: it is the third.
    await buttons.first().click()
    await first.getByRole('status').filter({ hasText: 'The device is signed out.' }).waitFor()
    expect(await buttons.count()).toBe(1)
    expect((await me(third)).status()).toBe(401)
    expect((await me(second)).status()).toBe(200)

    await first.getByRole('button', { name: 'Sign out everywhere else' }).click()
    await first.getByRole('status').filter({ hasText: 'All other devices are signed out.' }).waitFor()
    await expect.poll(() => buttons.count()).toBe(0)
    expect((await me(second)).status()).toBe(401)
    expect((await me(first)).status()).toBe(200)
  })

  it('signs out here and at the provider', async () => {
    const page = await newDevice()
    await signIn(page)
    const stolen = await page.context().cookies(demo.url)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('heading', { name: 'Hand in your coat' }).waitFor()
    expect((await me(page)).status()).toBe(401)
    await page.context().addCookies(stolen)
    expect((await me(page)).status()).toBe(401)
    await page.goto(`${demo.url}/profile`)
    await page.getByRole('heading', { name: 'Pick an account' }).waitFor()
  })

  it('refuses a disabled account with a page that leads on', async () => {
    const page = await newDevice()
    await page.goto(`${demo.url}/auth/login`)
    await page.getByRole('button', { name: 'Margaret Hamilton' }).click()
    await page.getByText('COATCHECK_SIGNIN_DENIED').waitFor()
    await page.getByRole('link', { name: 'Try another account' }).waitFor()
    expect((await me(page)).status()).toBe(401)
  })

  it('did all that without one complaint about its security policy', () => {
    expect(complaints).toEqual([])
  })
})
