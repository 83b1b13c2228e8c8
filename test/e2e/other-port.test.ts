/** An application on another port than the local provider has registered, as the README's with `PORT=3100`, in a real browser. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { launchBrowser } from './browser.ts'
import { type Application, startApplication } from './two-sites.ts'

let app: Application
let browser: Browser
beforeAll(async () => {
  const redirectUris = ['http://localhost:3000/auth/callback']
  ;[app, browser] = await Promise.all([startApplication({ provider: { redirectUris } }), launchBrowser()])
})
afterAll(async () => {
  await Promise.all([browser.close(), app.close()])
})

it('signs in by a click, and the page names the application that asked', async () => {
  const page = await (await browser.newContext()).newPage()
  await page.goto(`${app.url}/auth/login`)
  expect.soft(await page.getByText('to continue to').textContent()).toBe(`to continue to ${app.url}`)
  const blocked = new Promise<string>((resolve) => page.on('console', (message) => resolve(message.text())))
  await page.getByRole('button', { name: 'Ada Lovelace' }).click()
  const arrived = page.getByRole('heading', { name: 'Signed in' }).textContent()
  expect(await Promise.race([arrived, blocked])).toBe('Signed in')
})
