/**
 * The first day with Next: a project of `create-next-app`, then `coatcheck init`. It builds, runs in production and in
 * development, signs a user in, and Next prints no warning. `scripts/build-next.mjs` makes and builds the projects.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { filesOfPage, nextEnvironment } from '../../scripts/next-project.mjs'
import { launchBrowser } from './browser.ts'
import { CookieBrowser } from './cookie-browser.ts'
import { type Development, ready, startDevelopment } from './development.ts'
import { complaintsIn } from './next-complaints.ts'

const root = resolve(import.meta.dirname, '../..')
const BUILD_MS = 420_000
const TEST_MS = 420_000
/** A phone. */
const viewport = { width: 390, height: 844 }

const projects = [
  {
    name: 'created-next15',
    host: 'next15',
    hasCacheComponents: false,
    runsInDevelopment: true,
    // Answer to `--no-lint`, see scripts/build-next.mjs.
    buildNotices: [' ⚠ Linting is disabled.'],
  },
  { name: 'created-next16', host: 'next16', hasCacheComponents: true, runsInDevelopment: true, buildNotices: [] },
  // JavaScript, `src/` and no Cache Components: the build differs, `next dev` has nothing else to find.
  { name: 'created-next16-js', host: 'next16', hasCacheComponents: false, runsInDevelopment: false, buildNotices: [] },
] as const

const running: Development[] = []
afterEach(async () => {
  for (const one of running.splice(0)) {
    one.process.kill('SIGINT')
    await one.ended
  }
})

async function start(folder: string, command: readonly string[] = []): Promise<Development> {
  // Sessions are in the memory of the application: what Next prints does not depend on where they are.
  const env = nextEnvironment()
  const development = await startDevelopment(folder, { args: ['--redis', 'memory'], command, env })
  running.push(development)
  return ready(development)
}

const complaintsOf = (development: Development): readonly string[] =>
  complaintsIn(development.stdout() + development.stderr())

async function signsIn({ url, providerUrl }: Development): Promise<CookieBrowser> {
  const browser = new CookieBrowser()
  expect((await browser.visit(url)).status).toBe(200)
  const pick = await browser.visit(`${url}/profile`)
  expect(pick.url.origin).toBe(providerUrl)
  const back = await browser.visit(pick.url, { user: 'ada' })
  expect([back.url.href, back.status]).toEqual([`${url}/profile`, 200])
  expect(back.page).toContain('Ada Lovelace')
  expect(back.page).toMatch(/<title>Profile<\/title>/)
  expect((await browser.visit(url)).status).toBe(200)
  return browser
}

describe.each(projects)('$name', ({ name, host, hasCacheComponents, runsInDevelopment, buildNotices }) => {
  const folder = join(root, 'test/hosts', host, '.created', name)

  beforeAll(async () => {
    await promisify(execFile)(process.execPath, [join(root, 'scripts/build-next.mjs'), name])
  }, BUILD_MS)

  it('builds without a warning', () => {
    const log = readFileSync(join(folder, '.next/coatcheck-build.log'), 'utf8')
    expect(log).toMatch(/[ƒ◐] \/profile/)
    expect(log.includes('Cache Components enabled')).toBe(hasCacheComponents)
    expect(complaintsIn(log)).toEqual(buildNotices)
  })

  it(
    'signs in with next start, without a warning',
    async () => {
      const production = await start(folder, ['next', 'start'])
      await signsIn(production)
      expect(complaintsOf(production)).toEqual([])
    },
    TEST_MS,
  )

  // With Cache Components, Next reports "unstable value `Date.now()`" for `/` and `/profile` here if `getSession` and
  // `requireUser` do not await `connection()`.
  it(
    'signs in with next dev, without a warning',
    async (context) => {
      if (!runsInDevelopment) return context.skip('the same pages run under next dev in the TypeScript projects')
      const development = await start(`${folder}-dev`)
      await signsIn(development)
      expect(complaintsOf(development)).toEqual([])
    },
    TEST_MS,
  )
})

describe('docs/next.md', () => {
  const files = filesOfPage('docs/next.md')

  it('shows the files that init writes into an empty folder', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'coatcheck-next-'))
    try {
      const args = [join(root, 'dist/cli/bin.js'), 'init', '--yes', '--framework', 'next', '--dry-run', '--json']
      const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: empty })
      const written = (JSON.parse(stdout) as { files: readonly { path: string; text: string | null }[] }).files
      const shown = new Map(files.map(({ file, code }) => [file, code]))
      const isShared = ({ path }: { path: string }): boolean => shown.has(path)
      expect(written.filter(isShared).map(({ path }) => path)).toEqual([
        'coatcheck.config.ts',
        'lib/auth.ts',
        'app/auth/[...path]/route.ts',
        'proxy.ts',
        'instrumentation.ts',
        'app/profile/page.tsx',
        'app/points/actions.ts',
        'app/points/page.tsx',
        'app/page.tsx',
      ])
      for (const { path, text } of written.filter(isShared)) expect(shown.get(path), path).toBe(text)
    } finally {
      rmSync(empty, { recursive: true })
    }
  })

  it('shows programs as whole files, all of which are in the project that was built', () => {
    const page = readFileSync(join(root, 'docs/next.md'), 'utf8')
    const programs = [...page.matchAll(/^```(tsx?|jsx?)\b/gm)]
    expect(files).toHaveLength(programs.length)
    for (const { file, code } of files) {
      const built = join(root, 'test/hosts/next16/.created/created-next16', file)
      expect(readFileSync(built, 'utf8'), file).toBe(code)
    }
  })

  describe('in a browser', () => {
    let browser: Browser
    const complaints: string[] = []

    it(
      'its pages have a title and a main part, fit on a phone, and keep the session',
      async () => {
        const production = await start(join(root, 'test/hosts/next16/.created/created-next16'), ['next', 'start'])
        browser = await launchBrowser()
        try {
          const page = await newPage()
          await page.goto(production.url)
          await page.getByRole('heading', { name: 'Welcome' }).waitFor()
          await fitsOnAPhone(page, 'Create Next App')
          await page.getByRole('link', { name: 'Sign in' }).click()
          await page.getByRole('button', { name: 'Ada Lovelace' }).click()
          await page.getByRole('heading', { name: 'Welcome, Ada Lovelace' }).waitFor()
          await page.getByRole('link', { name: 'Profile' }).click()
          await page.getByText('You are signed in as Ada Lovelace.').waitFor()
          await fitsOnAPhone(page, 'Profile')

          await page.getByRole('link', { name: 'Points' }).click()
          await page.waitForURL(`${production.url}/points`)
          await page.getByRole('button', { name: 'Add a point' }).click()
          await page.getByText('You have 1 points.').waitFor()
          const ask = (path: string) => page.request.get(production.url + path)
          expect(await (await ask('/api/me')).json()).toMatchObject({ user: { name: 'Ada Lovelace' } })
          expect(await (await ask('/api/greeting')).json()).toEqual({ greeting: 'Welcome, Ada Lovelace' })

          // proxy.ts lets this ticket pass, whose session has ended; the page then leads to sign-in.
          const stolen = await page.context().cookies(production.url)
          await page.getByRole('button', { name: 'Sign out' }).click()
          await page.getByRole('heading', { name: 'Welcome', exact: true }).waitFor()
          expect((await ask('/api/me')).status()).toBe(401)
          await page.context().addCookies(stolen)
          await page.goto(`${production.url}/profile`)
          await page.waitForURL((url) => url.origin === production.providerUrl)
          expect([complaints, complaintsOf(production)]).toEqual([[], []])
        } finally {
          await browser.close()
        }
      },
      TEST_MS,
    )

    async function newPage(): Promise<Page> {
      const page = await browser.newPage({ viewport })
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
      })
      page.on('pageerror', (error) => complaints.push(error.message))
      return page
    }

    async function fitsOnAPhone(page: Page, title: string): Promise<void> {
      await expect.poll(() => page.title()).toBe(title)
      expect(await page.locator('main:visible').count()).toBe(1)
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(viewport.width)
    }
  })
})
