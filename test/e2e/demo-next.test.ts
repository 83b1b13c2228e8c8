/**
 * `npm run demo:next` in a real browser: the production build of examples/next. One browser context is one device. At the end
 * the same application under `next dev`. Next prints no warning in either, and none while it builds.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Browser, BrowserContext, Page, Response } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser } from './browser.ts'
import { type Demo, startDemo } from './demo-process.ts'
import { type Development, ready, startDevelopment } from './development.ts'
import { complaintsIn } from './next-complaints.ts'

/** Seconds. The example asks for 5 s of validity, so a token serves for 3. */
const ACCESS_TTL = '8'
const example = resolve(import.meta.dirname, '../../examples/next')

let demo: Demo
let browser: Browser
const contexts: BrowserContext[] = []
const complaints: string[] = []

beforeAll(async () => {
  const options = { arguments: ['--example', 'next', '--access-ttl', ACCESS_TTL] }
  ;[demo, browser] = await Promise.all([startDemo(options), launchBrowser()])
  expect(demo.output().stdout, demo.output().stderr).toContain(`ready ${demo.url}\n`)
}, 300_000)
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
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('401')) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(error.message))
  return page
}

async function signIn(page: Page, who = 'Ada Lovelace'): Promise<void> {
  await page.goto(demo.url)
  await page.getByRole('main').getByRole('link', { name: 'Sign in' }).click()
  await page.getByRole('button', { name: who }).click()
  await page.getByRole('heading', { name: 'Welcome' }).waitFor()
}

const me = (page: Page) => page.context().request.get(`${demo.url}/api/me`)
const shot = async (page: Page, name: string): Promise<void> => {
  const folder = process.env['SCREENSHOTS']
  if (folder) await page.screenshot({ path: `${folder}/next-${name}.png`, fullPage: true })
}

describe('the demo for Next.js', () => {
  it('signs in by a click and keeps the session over a reload; no page shows a token', async () => {
    const page = await newDevice()
    await page.goto(demo.url)
    await shot(page, 'invitation')
    expect((await me(page)).status()).toBe(401)
    await signIn(page)
    await page.reload()
    await page.getByRole('heading', { name: 'Welcome, Ada.' }).waitFor()
    await shot(page, 'home')
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

  it('sends visitors of a page to sign-in before it is rendered, and leads them back', async () => {
    const page = await newDevice()
    const direct = await page.context().request.get(`${demo.url}/profile`, { maxRedirects: 0 })
    expect([direct.status(), direct.headers()['location']]).toEqual([303, '/auth/login?returnTo=%2Fprofile'])
    await page.goto(`${demo.url}/profile`)
    await page.getByRole('button', { name: 'Grace Hopper' }).click()
    await page.getByRole('heading', { name: 'Profile' }).waitFor()
    expect(page.url()).toBe(`${demo.url}/profile`)
    await page.getByText('grace@example.test').first().waitFor()
  })

  it('a server action changes the session, with script and without', async () => {
    const page = await newDevice()
    await signIn(page)
    await page.goto(`${demo.url}/profile`)
    await page.getByLabel('Nickname').fill('Countess')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('status').filter({ hasText: 'Saved.' }).waitFor()
    expect(await page.getByLabel('Nickname').inputValue()).toBe('Countess')
    await shot(page, 'profile')
    await page.goto(demo.url)
    await page.getByRole('heading', { name: 'Welcome, Countess.' }).waitFor()

    const cookies = await page.context().cookies(demo.url)
    const plain = await browser.newContext({ javaScriptEnabled: false })
    contexts.push(plain)
    await plain.addCookies(cookies)
    const still = await plain.newPage()
    await still.goto(`${demo.url}/profile`)
    await still.getByLabel('Nickname').fill('Enchantress')
    await still.getByRole('button', { name: 'Save' }).click()
    await still.goto(demo.url)
    await still.getByRole('heading', { name: 'Welcome, Enchantress.' }).waitFor()
  })

  it('refreshes the access token inside a server component, and sets no cookie for it', async () => {
    const page = await newDevice()
    await signIn(page)
    const cookiesSet: string[] = []
    const note = async (response: Response): Promise<void> => {
      if (response.url().startsWith(demo.url)) cookiesSet.push(...(await response.headerValues('set-cookie')))
    }
    page.on('response', (response) => void note(response))
    const before = await demo.counters()
    const openOrders = async (): Promise<void> => {
      await page.goto(`${demo.url}/orders`)
      expect(await page.getByRole('row').count()).toBe(5)
    }
    await expect
      .poll(
        async () => {
          await openOrders()
          return (await demo.counters())['token:refresh_token'] ?? 0
        },
        { timeout: 120_000, interval: 500 },
      )
      .toBeGreaterThan(before['token:refresh_token'] ?? 0)
    await shot(page, 'orders')
    expect((await demo.counters())['authorize']).toBe(before['authorize'])
    expect(cookiesSet).toEqual([])
    await page.goto(`${demo.url}/tokens`)
    await page.getByText('api://orders/Orders.Read').first().waitFor()
    await page.getByText(/refreshed$/).waitFor()
    await shot(page, 'tokens')
  })

  it('lists devices, ends one of them, and all others', async () => {
    const [first, second, third] = [await newDevice(), await newDevice(), await newDevice()]
    for (const page of [first, second, third]) await signIn(page, 'Barbara Liskov')
    await first.goto(`${demo.url}/devices`)
    expect(await first.getByText('This device').count()).toBe(1)
    const buttons = first.getByRole('button', { name: /^Sign out Chrom/ })
    expect(await buttons.count()).toBe(2)
    await shot(first, 'devices')
    await buttons.first().click()
    await first.getByRole('status').filter({ hasText: 'The device is signed out.' }).waitFor()
    await expect.poll(() => buttons.count()).toBe(1)
    expect((await me(third)).status()).toBe(401)
    expect((await me(second)).status()).toBe(200)
    await first.getByRole('button', { name: 'Sign out everywhere else' }).click()
    await expect.poll(() => buttons.count()).toBe(0)
    expect((await me(second)).status()).toBe(401)
    expect((await me(first)).status()).toBe(200)
  })

  it('signs out here and at the provider; the old cookie opens nothing', async () => {
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

  it('has a page for what is not there, and answers its health check', async () => {
    const page = await newDevice()
    expect((await page.context().request.get(`${demo.url}/nothing`)).status()).toBe(404)
    expect(await (await page.context().request.get(`${demo.url}/healthz`)).json()).toEqual({ status: 'ok' })
  })

  it('did all that without one complaint in the console of the browser or of Next', () => {
    const { stdout, stderr } = demo.output()
    expect([complaints, complaintsIn(stdout + stderr)]).toEqual([[], []])
  })

  it('was built without a warning', () => {
    const log = readFileSync(`${example}/.next/coatcheck-build.log`, 'utf8')
    expect(log).toMatch(/[ƒ◐] \/profile/)
    expect(complaintsIn(log)).toEqual([])
  })
})

describe('the example for Next.js under next dev', () => {
  let development: Development
  afterAll(async () => {
    development.process.kill('SIGINT')
    await development.ended
  })

  it('serves its pages, and neither Next nor the browser has a warning', async () => {
    development = await ready(await startDevelopment(example, { args: ['--redis', 'memory'] }))
    const { url, stdout, stderr } = development
    const context = await browser.newContext()
    contexts.push(context)
    const page = await context.newPage()
    // Next compiles a page when it is first asked for.
    page.setDefaultTimeout(240_000)
    const told: string[] = []
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) told.push(message.text())
    })
    page.on('pageerror', (error) => told.push(error.message))

    await page.goto(url)
    await page.getByRole('main').getByRole('link', { name: 'Sign in' }).click()
    await page.getByRole('button', { name: 'Ada Lovelace' }).click()
    await page.getByRole('heading', { name: 'Welcome' }).waitFor()
    for (const path of ['/profile', '/orders', '/tokens', '/devices', '/']) {
      expect((await page.goto(url + path))?.status(), path).toBe(200)
      await page.getByRole('heading', { level: 1 }).waitFor()
    }
    for (const path of ['/api/me', '/api/orders']) {
      expect((await context.request.get(url + path)).status(), path).toBe(200)
    }
    await page.goto(`${url}/profile`)
    await page.getByLabel('Nickname').fill('Countess')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('status').filter({ hasText: 'Saved.' }).waitFor()
    expect([told, complaintsIn(stdout() + stderr())]).toEqual([[], []])
  })
})
