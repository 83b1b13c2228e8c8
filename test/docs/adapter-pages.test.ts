/**
 * The pages of the adapters: each block that names a file is written to it, all of them are compiled as users would against what
 * was built, and every program is started and asked.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { sendRaw } from '../../src/testing/raw-http.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const root = resolve(import.meta.dirname, '../..')
// Within the package, so that its name leads to itself, and its hosts are found.
const folder = join(root, 'test-results/adapter-pages')
const programs = ['express', 'node', 'fastify', 'hono', 'express-session', 'fastify-session', 'koa-session']
const modules = ['next', 'authjs', 'better-auth', 'nextjs-auth0']

let redis: RedisServer
let environment: NodeJS.ProcessEnv

beforeAll(async () => {
  redis = await startRedisServer()
  environment = {
    ...process.env,
    REDIS_URL: redis.url,
    COATCHECK_KEYS: randomBytes(32).toString('base64'),
    AZURE_AD_TENANT_ID: randomBytes(16)
      .toString('hex')
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    AZURE_AD_CLIENT_ID: 'client',
    AZURE_AD_CLIENT_SECRET: 'secret',
  }
  rmSync(folder, { recursive: true, force: true })
  for (const page of [...programs, ...modules]) {
    for (const { file, code } of blocksOf(page)) {
      mkdirSync(dirname(join(folder, page, file)), { recursive: true })
      writeFileSync(join(folder, page, file), code)
    }
  }
}, 60_000)
afterAll(async () => {
  await redis.stop()
})

it('compile for a strict user', async () => {
  const compilerOptions = {
    module: 'NodeNext',
    target: 'ES2023',
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    types: ['node'],
    rootDir: '.',
    outDir: 'out',
  }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, include: ['**/*.ts'], exclude: ['out'] }),
  )
  const compiler = [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(folder, 'tsconfig.json')]
  const output = await promisify(execFile)(process.execPath, compiler).then(
    () => '',
    (error: unknown) => (error as { stdout: string }).stdout,
  )
  expect(output).toBe('')
}, 120_000)

describe.each(programs)('the program of docs/%s.md', (page) => {
  let child: ChildProcess
  let origin: string

  beforeAll(async () => {
    const port = await freePort()
    origin = `http://localhost:${port}`
    const env = { ...environment, PORT: String(port), COATCHECK_BASE_URL: origin }
    child = spawn(process.execPath, [join(folder, 'out', page, 'app.js')], {
      env,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let complaints = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaints += text))
    const answers = async (): Promise<boolean> => {
      if (child.exitCode !== null) throw new Error(`ended by itself: ${complaints}`)
      return fetch(origin).then(
        ({ ok }) => ok,
        () => false,
      )
    }
    await vi.waitUntil(answers, { timeout: 15_000, interval: 100 })
  })
  afterAll(async () => {
    if (child.exitCode === null) {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
  })

  it('counts the visits of a session', async () => {
    const first = await fetch(origin)
    const body = (await first.json()) as { visits?: number; user?: null }
    if (page === 'node') {
      expect(body).toEqual({ user: null })
      return
    }
    expect(body.visits).toBe(1)
    const cookie = first.headers
      .getSetCookie()
      .map((line) => line.split(';')[0])
      .join('; ')
    const second = (await (await fetch(origin, { headers: { cookie } })).json()) as { visits: number }
    expect(second.visits).toBe(2)
    const keys = (await redis.cli('--scan'))
      .split('\n')
      .filter((key) => key.startsWith('host:') || key.startsWith('user:session:'))
    expect(keys.length).toBeGreaterThan(0)
  })

  if (!page.endsWith('-session')) {
    it('wants a user where it says so', async () => {
      const ask = (accept: string) => sendRaw(origin, '/profile', { headers: { accept } })
      expect((await ask('*/*')).status).toBe(401)
      const { status, headers } = await ask('text/html')
      expect([status, headers.get('location')]).toEqual([303, '/auth/login?returnTo=%2Fprofile'])
    })
  }
})

it.each([
  [
    'authjs',
    `const { handler, adapter } = await import('./authjs/auth.js')
    console.log((await handler(new Request('http://localhost/api/auth/providers'))).status, await adapter.getUser('nobody'))
    await adapter.close()`,
    '200 null',
  ],
  [
    'better-auth',
    `const { auth } = await import('./better-auth/auth.js')
    console.log((await auth.handler(new Request('http://localhost:3000/api/auth/ok'))).status); process.exit(0)`,
    '200',
  ],
  [
    'nextjs-auth0',
    `const { sessions, signOutEverywhere } = await import('./nextjs-auth0/lib/auth0.js')
    console.log(await sessions.get('nobody'), await signOutEverywhere('nobody')); await sessions.close()`,
    'null 0',
  ],
])('the module of docs/%s.md works', async (_page, script, said) => {
  const options = { cwd: join(folder, 'out'), env: environment }
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], options)
  expect(stdout.trim()).toBe(said)
})

function blocksOf(page: string): { readonly file: string; readonly code: string }[] {
  const text = readFileSync(join(root, 'docs', `${page}.md`), 'utf8')
  const blocks = [...text.matchAll(/^```ts (\S+)\n([\s\S]*?)^```$/gm)].map(([, file = '', code = '']) => ({
    file,
    code,
  }))
  if (blocks.length === 0) throw new Error(`docs/${page}.md shows no program`)
  return blocks
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
