/**
 * Closes a page also while it navigates. Chromium acknowledges `Target.closeTarget` and drops it when a navigation commits at that moment
 * (crbug.com/536385539). Playwright waits for the end of the page without a limit, and a second `page.close()` sends nothing.
 */
import type { Browser, BrowserContext, Page } from 'playwright-core'

const REPEAT_AFTER_MS = 1_000

/** From now on `page.close()` of each page of the context repeats the command until the page is closed. */
export function closePagesFirmly(browser: Browser, context: BrowserContext): void {
  context.on('page', (page) => {
    const close = page.close.bind(page)
    page.close = async (options) => {
      const timer = setInterval(() => void repeatClose(browser, page).catch(() => null), REPEAT_AFTER_MS)
      try {
        await close(options)
      } finally {
        clearInterval(timer)
      }
    }
  })
}

/** Fails when the page or the browser has been closed meanwhile. */
async function repeatClose(browser: Browser, page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const { targetInfo } = await session.send('Target.getTargetInfo')
  const whole = await browser.newBrowserCDPSession()
  await whole.send('Target.closeTarget', { targetId: targetInfo.targetId })
  await whole.detach()
}
