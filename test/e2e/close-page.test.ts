import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { launchBrowser } from './browser.ts'
import { serve, writeHtml } from './two-sites.ts'

let browser: Browser
let server: Awaited<ReturnType<typeof serve>>

beforeAll(async () => {
  browser = await launchBrowser()
  server = await serve((_request, response) => writeHtml(response, '<h1>Page</h1>'), 'localhost')
})
afterAll(() => Promise.all([browser.close(), server.close()]))

it('closes each page while a reload commits', async () => {
  const context = await browser.newContext()
  for (let count = 0; count < 8; count++) {
    const page = await context.newPage()
    await page.goto(server.url)
    const reloaded = page.evaluate(() => {
      location.reload()
      return new Promise(() => {})
    })
    await expect(reloaded).rejects.toThrow(/navigation/)
    await page.close()
  }
  expect(context.pages()).toEqual([])
  await context.close()
})
