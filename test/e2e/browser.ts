/**
 * Chromium of the system through playwright-core, which downloads nothing. CHROMIUM_PATH names another one.
 */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { HANG_MS } from '../lab/limits.ts'
import { closePagesFirmly } from './close-page.ts'

const names = ['chromium', 'chromium-browser', 'chromium-headless-shell', 'google-chrome']
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Its contexts and pages wait `HANG_MS` for an element or a page: a busy machine delays them, and fails nothing. */
export async function launchBrowser(): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: findChromium(), args: flags, timeout: HANG_MS })
  const newContext = browser.newContext.bind(browser)
  browser.newContext = async (options) => {
    const context = await newContext(options)
    context.setDefaultTimeout(HANG_MS)
    closePagesFirmly(browser, context)
    return context
  }
  return browser
}

function findChromium(): string {
  if (process.env.CHROMIUM_PATH) return process.env.CHROMIUM_PATH
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of names) if (isProgram(join(folder, name))) return join(folder, name)
  }
  throw new Error(`No Chromium on PATH (${names.join(', ')}): sh scripts/bootstrap.sh browser, or set CHROMIUM_PATH.`)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
