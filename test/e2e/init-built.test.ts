/**
 * The TypeScript starters of `coatcheck init` as they go to production: `npm run build`, then `npm start`, on a Redis and with a
 * provider of their own, without `coatcheck dev` around them. `init-matrix.test.ts` runs them in development.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type DevProvider, startDevProvider } from '../../src/entries/dev.ts'
import { freePort, type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { CookieBrowser } from './cookie-browser.ts'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')
// Within the package, so that its name leads to itself and every framework is found.
const place = join(root, 'test-results/init-built')
const plain = { PATH: process.env.PATH, HOME: process.env.HOME }
const START_MS = 120_000

let redis: RedisServer
let provider: DevProvider

beforeAll(async () => {
  rmSync(place, { recursive: true, force: true })
  redis = await startRedisServer()
  provider = await startDevProvider()
})
afterAll(async () => {
  await provider.close()
  await redis.stop()
})

it.each(['express', 'fastify', 'hono'])('%s: npm run build, npm start, sign-in', async (framework) => {
  const folder = join(place, framework)
  mkdirSync(folder, { recursive: true })
  const flags = ['--yes', '--no-install', '--framework', framework, '--language', 'typescript', '--redis', redis.url]
  await run(process.execPath, [join(root, 'dist/cli/bin.js'), 'init', ...flags], { cwd: folder, env: plain })
  const { scripts } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { scripts: object }
  expect(Object.keys(scripts)).toEqual(['dev', 'build', 'start'])

  await run('npm', ['run', 'build'], { cwd: folder, env: plain })
  expect(existsSync(join(folder, 'dist/server.js'))).toBe(true)
  await whileStarted(folder, async (url) => {
    const browser = new CookieBrowser()
    expect((await browser.visit(url)).status).toBe(200)
    const pick = await browser.visit(`${url}/auth/login?returnTo=/profile`)
    const back = await browser.visit(pick.url, { user: 'ada' })
    expect([back.url.pathname, back.status]).toEqual(['/profile', 200])
    expect(back.page).toContain('Ada Lovelace')
    expect((await browser.visit(`${url}/profile`)).page).toContain('You have opened this page 2 times.')
  })
  expect(await redis.cli('--scan')).toMatch(/user:/)
})

/** Runs `npm start`, and ends it as Ctrl-C in a terminal does: with a signal for the whole group. */
async function whileStarted(folder: string, use: (url: string) => Promise<void>): Promise<void> {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const { issuer, tenantId, clientId, clientSecret } = provider
  const env = {
    ...plain,
    PORT: String(port),
    COATCHECK_BASE_URL: url,
    ENTRA_ISSUER: issuer,
    AZURE_AD_TENANT_ID: tenantId,
    AZURE_AD_CLIENT_ID: clientId,
    AZURE_AD_CLIENT_SECRET: clientSecret,
  }
  const child = spawn('npm', ['start'], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const closed = once(child, 'close')
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  }
  try {
    const answers = async (): Promise<boolean> => {
      if (child.exitCode !== null) throw new Error(`ended by itself: ${output}`)
      return fetch(url).then(
        ({ ok }) => ok,
        () => false,
      )
    }
    await vi.waitUntil(answers, { timeout: START_MS, interval: 50 })
    await use(url)
  } finally {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGINT')
    await closed
  }
}
