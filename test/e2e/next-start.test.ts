/**
 * `next start` of a project that `coatcheck init` has completed, without `coatcheck dev`. Next itself goes on after `register()` rejects,
 * and answers every request with 500 until a restart.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { nextEnvironment } from '../../scripts/next-project.mjs'
import { type DevProvider, startDevProvider } from '../../src/entries/dev.ts'
import { freePort, startRedisServer } from '../support/redis-server.ts'
import { CookieBrowser } from './cookie-browser.ts'

const root = resolve(import.meta.dirname, '../..')
const BUILD_MS = 420_000
const TEST_MS = 120_000

interface Production {
  readonly process: ChildProcess
  readonly url: string
  readonly output: () => string
  readonly ended: Promise<number | null>
}

const running: Production[] = []
afterEach(async () => {
  for (const { process, ended } of running.splice(0)) {
    process.kill('SIGINT')
    await ended
  }
})

async function start(folder: string, env: Record<string, string>): Promise<Production> {
  const port = await freePort()
  const url = `http://localhost:${port}`
  const { issuer, tenantId, clientId, clientSecret } = provider
  const settings = {
    COATCHECK_BASE_URL: url,
    COATCHECK_KEYS: randomBytes(32).toString('base64'),
    ENTRA_ISSUER: issuer,
    AZURE_AD_TENANT_ID: tenantId,
    AZURE_AD_CLIENT_ID: clientId,
    AZURE_AD_CLIENT_SECRET: clientSecret,
  }
  const next = createRequire(join(folder, 'package.json')).resolve('next/dist/bin/next')
  const child = spawn(process.execPath, [next, 'start', '--port', String(port)], {
    cwd: folder,
    env: { ...nextEnvironment(), ...settings, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  }
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const production = { process: child, url, output: () => output, ended }
  running.push(production)
  return production
}

/** The status of the first page, as soon as the server listens. */
async function statusOf({ process, url, output }: Production): Promise<number> {
  const answer = async (): Promise<number | undefined> => {
    if (process.exitCode !== null) throw new Error(`ended by itself: ${output()}`)
    return fetch(url).then(
      ({ status }) => status,
      () => undefined,
    )
  }
  return vi.waitUntil(answer, { timeout: TEST_MS, interval: 100 })
}

let provider: DevProvider
beforeAll(async () => {
  provider = await startDevProvider()
})
afterAll(() => provider.close())

describe.each([
  { host: 'next15', name: 'created-next15' },
  { host: 'next16', name: 'created-next16' },
])('next start of $name', ({ host, name }) => {
  const folder = join(root, 'test/hosts', host, '.created', name)
  beforeAll(async () => {
    await promisify(execFile)(process.execPath, [join(root, 'scripts/build-next.mjs'), name])
  }, BUILD_MS)

  it('ends with code 1 when a setting is missing, and names it', async () => {
    const production = await start(folder, { AZURE_AD_CLIENT_ID: '', REDIS_URL: 'redis://127.0.0.1:1' })
    const answered = statusOf(production).then(
      (status) => `answered with ${status}`,
      () => production.ended,
    )
    expect(await Promise.race([production.ended, answered])).toBe(1)
    expect(production.output()).toContain('AZURE_AD_CLIENT_ID')
    expect(production.output()).toContain('COATCHECK_CONFIG_MISSING')
  })

  it('goes on when Redis cannot be reached at its start, and works when Redis is back', async () => {
    const port = await freePort()
    const production = await start(folder, { REDIS_URL: `redis://127.0.0.1:${port}` })
    expect(await statusOf(production)).toBe(200)
    expect(production.output()).toContain('COATCHECK_REDIS_UNREACHABLE')
    const redis = await startRedisServer({ port })
    try {
      const signsIn = async (): Promise<boolean> => {
        const browser = new CookieBrowser()
        const pick = await browser.visit(`${production.url}/profile`)
        if (pick.url.origin !== provider.url) return false
        const { page } = await browser.visit(pick.url, { user: 'ada' })
        return page.includes('Ada Lovelace')
      }
      await vi.waitUntil(signsIn, { timeout: TEST_MS, interval: 100 })
    } finally {
      await redis.stop()
    }
  })
})
