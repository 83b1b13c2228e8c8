/**
 * The first five minutes: `coatcheck init` in an empty project of each framework, then `coatcheck dev`, then somebody signs in.
 * Everything runs as users start it; the packages are those of this repository, so nothing is installed.
 */
import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { launchBrowser } from './browser.ts'
import { CookieBrowser } from './cookie-browser.ts'
import { type Development, ready, startDevelopment } from './development.ts'

const root = resolve(import.meta.dirname, '../..')
const bin = join(root, 'dist/cli/bin.js')
// Within the package, so that its name leads to itself, and the frameworks are found.
const place = join(root, 'test-results/init-and-dev')
const START_MS = 240_000
const END_MS = 120_000

const inherited = { PATH: process.env.PATH, HOME: process.env.HOME, NEXT_TELEMETRY_DISABLED: '1' }

beforeAll(() => {
  rmSync(place, { recursive: true, force: true })
  mkdirSync(place, { recursive: true })
})

/** @param manifest `null`: an empty folder */
async function initialised(name: string, manifest: object | null, ...args: readonly string[]): Promise<string> {
  const folder = join(place, name)
  mkdirSync(folder)
  if (manifest !== null) writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  await promisify(execFile)(process.execPath, [bin, 'init', '--yes', ...args], { cwd: folder, env: inherited })
  return folder
}

const running: Development[] = []
afterEach(async () => {
  for (const one of running.splice(0)) {
    one.process.kill('SIGINT')
    await one.ended
  }
})

async function startDev(
  folder: string,
  args: readonly string[] = [],
  command: readonly string[] = [],
): Promise<Development> {
  const development = await startDevelopment(folder, { args, command })
  running.push(development)
  return development
}

/** All processes that the command has started, directly or not. */
const processesOf = (development: Development): number[] => descendantsOf(development.process.pid ?? 0)

function descendantsOf(pid: number): number[] {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
  const parents = lines.map((line) => line.trim().split(/\s+/).map(Number) as [number, number])
  const below = (of: number): number[] =>
    parents.filter(([, parent]) => parent === of).flatMap(([child]) => [child, ...below(child)])
  return below(pid)
}

const isAlive = (pid: number): boolean => {
  try {
    // A zombie counts as gone: nobody may have waited for it.
    return !execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('Z')
  } catch {
    return false
  }
}

async function signIn({ url }: Development, browser = new CookieBrowser()): Promise<CookieBrowser> {
  expect((await browser.visit(url)).page).toContain('Sign in')
  const pick = await browser.visit(`${url}/auth/login?returnTo=/`)
  const back = await browser.visit(pick.url, { user: 'ada' })
  expect([back.url.href, back.status]).toEqual([`${url}/`, 200])
  expect(back.page).toContain('Ada Lovelace')
  return browser
}

const projects = [
  ['express', null],
  ['fastify', { name: 'empty', dependencies: { fastify: '*' } }],
  ['hono', { name: 'empty', type: 'module', dependencies: { hono: '*', '@hono/node-server': '*' } }],
  ['next', null],
] as const

describe.each(projects)('%s', (framework, manifest) => {
  it('starts, signs a user in, shows the user, and leaves no process behind', async () => {
    const folder = await initialised(`${framework}-empty`, manifest, '--framework', framework)
    const development = await ready(await startDev(folder))
    const browser = await signIn(development)
    const profile = await browser.visit(`${development.url}/profile`)
    expect([profile.status, profile.page.includes('Ada Lovelace')]).toEqual([200, true])
    // Strangers are led to sign-in from there, and back.
    const stranger = new CookieBrowser()
    const pick = await stranger.visit(`${development.url}/profile`)
    expect(pick.url.origin).toBe(development.providerUrl)
    const back = await stranger.visit(pick.url, { user: 'grace' })
    expect([back.url.pathname, back.page.includes('Grace Hopper')]).toEqual(['/profile', true])

    const processes = processesOf(development)
    expect(processes.length).toBeGreaterThan(1)
    development.process.kill('SIGINT')
    expect(await development.ended).toBe(130)
    await vi.waitUntil(() => !processes.some(isAlive), { timeout: END_MS, interval: 100 })
  }, 420_000)
})

describe('coatcheck dev', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await initialised('express-dev', null, '--framework', 'express', '--provider', 'oidc')
  }, 300_000)

  it('signs in and out in a real browser, through oidc() too, and shows the faults', async () => {
    const development = await ready(await startDev(folder, ['--fault', 'refresh=429:3']))
    const browser = await launchBrowser()
    try {
      const page = await browser.newPage()
      await page.goto(development.url)
      await page.getByRole('link', { name: 'Sign in' }).click()
      await page.getByRole('button', { name: 'Ada Lovelace' }).click()
      await page.getByRole('heading', { name: 'Welcome, Ada Lovelace' }).waitFor()
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByRole('heading', { name: 'Welcome', exact: true }).waitFor()

      await page.goto(`${development.providerUrl}/dev/faults`)
      const throttled = page.getByRole('listitem').filter({ hasText: 'refresh=429:3' })
      expect(await throttled.innerText()).toContain('On · 3 requests left')
      await page.getByRole('button', { name: 'Switch on: The clock' }).click()
      await page.getByRole('status').filter({ hasText: 'Switched on: The clock' }).waitFor()
      // The button that was pressed has the focus, so the keyboard alone switches the fault off and on again.
      for (const change of ['Switched off', 'Switched on']) {
        // The browser gives the focus after it has shown the first lines of the page.
        await page.locator('button:focus').waitFor()
        await page.keyboard.press('Enter')
        await page.getByRole('status').filter({ hasText: change }).waitFor()
      }
      await page.getByText('2 faults are on.').waitFor()
      if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/faults.png` })
      await page.goto(development.url)
      await page.getByRole('link', { name: 'Sign in' }).click()
      await page.getByRole('button', { name: 'Ada Lovelace' }).click()
      // A token from the future signs nobody in.
      await page.waitForURL(/\/auth\/callback/)
      await page.goto(development.url)
      await page.getByRole('heading', { name: 'Welcome', exact: true }).waitFor()
      await page.goto(`${development.providerUrl}/dev/faults`)
      await page.getByRole('button', { name: 'Switch all off' }).click()
      await page.getByText('No fault is on.').waitFor()
    } finally {
      await browser.close()
    }
  }, 420_000)

  it('answers 503 while its Redis is down, and the user stays signed in', async () => {
    const development = await ready(await startDev(folder, ['--redis', 'server']))
    const browser = await signIn(development)
    const switches = `${development.providerUrl}/dev/faults`
    await fetch(switches, { method: 'POST', body: new URLSearchParams({ fault: 'redis=down' }) })
    expect((await browser.visit(development.url)).status).toBe(503)
    await fetch(switches, { method: 'DELETE' })
    const recovered = async (): Promise<boolean> => (await browser.visit(development.url)).status === 200
    await vi.waitUntil(recovered, { timeout: END_MS, interval: 100 })
    expect((await browser.visit(development.url)).page).toContain('Ada Lovelace')
  }, 420_000)

  it('takes everything with it when it is killed', async () => {
    const development = await ready(await startDev(folder, ['--redis', 'server']))
    const processes = processesOf(development)
    expect(processes.some((pid) => isRedis(pid))).toBe(true)
    development.process.kill('SIGKILL')
    await development.ended
    await vi.waitUntil(() => !processes.some(isAlive), { timeout: END_MS, interval: 100 })
  }, 420_000)

  it('gives the application its environment, and the exit code of the application is its own', async () => {
    writeFileSync(join(folder, '.env'), 'REDIS_URL=redis://127.0.0.1:1\nREDIS_PASSWORD=of-another\n')
    const script = `const names = ['PORT', 'COATCHECK_BASE_URL', 'REDIS_URL', 'REDIS_PASSWORD', 'ENTRA_ISSUER', 'OIDC_ISSUER']
      console.log(JSON.stringify(Object.fromEntries(names.map((name) => [name, process.env[name]]))), process.env.COATCHECK_KEYS.length)
      process.exit(7)`
    try {
      const development = await startDev(folder, ['--redis', 'memory'], ['node', '-e', script])
      expect(await development.ended).toBe(7)
      const { url, providerUrl } = development
      const issuer = expect.stringMatching(`^${providerUrl}/.+/v2.0$`) as string
      expect(JSON.parse(development.stdout().replace(/ \d+\n$/, ''))).toEqual({
        PORT: new URL(url).port,
        COATCHECK_BASE_URL: url,
        REDIS_URL: '',
        REDIS_PASSWORD: '',
        ENTRA_ISSUER: issuer,
        OIDC_ISSUER: issuer,
      })
      expect(development.stderr()).toContain('REDIS_URL is left aside')
    } finally {
      rmSync(join(folder, '.env'))
    }
  }, 300_000)

  it('gives one document with --json, and says what is not a command', async () => {
    const development = await startDev(folder, ['--json', '--redis', 'memory', '--access-ttl', '30s'])
    await vi.waitUntil(() => development.stdout().trimEnd().endsWith('}'), { timeout: START_MS, interval: 100 })
    expect(JSON.parse(development.stdout())).toMatchObject({
      schema: 1,
      command: 'dev',
      application: { url: development.url, command: 'node --watch server.js' },
      provider: { url: development.providerUrl, faults: `${development.providerUrl}/dev/faults` },
      redis: { kind: 'memory', url: null },
      people: expect.arrayContaining([expect.objectContaining({ name: 'Ada Lovelace' })]) as object[],
      faults: [],
    })
    const nothing = await startDev(folder, ['--redis', 'memory'], ['no-such-program'])
    expect(await nothing.ended).toBe(2)
    expect(nothing.stderr()).toContain('"no-such-program" is no program')
  }, 420_000)

  it.each([
    [['--fault', 'refresh=nonsense:x']],
    [['--access-ttl', 'soon']],
    [['--redis', 'redis://user:hidden-word@localhost']],
    [['--port', '0']],
  ])('%j is a wrong use', async (args) => {
    const child = await startDev(folder, args)
    expect(await child.ended).toBe(2)
    expect(child.stderr()).not.toContain('hidden-word')
  })
})

function isRedis(pid: number): boolean {
  return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('redis-server')
}
