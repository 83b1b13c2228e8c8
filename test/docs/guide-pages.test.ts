/**
 * Runs programs and commands of docs/deploy.md, docs/entra-app.md and docs/from-the-redis-setup-guide.md, and checks their
 * results. `blocks.test.ts` only checks that every block runs.
 */
import { execFile, spawn } from 'node:child_process'
import { randomBytes, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { coatcheck } from '../../src/app/coatcheck.ts'
import { startDevProvider } from '../../src/entries/dev.ts'
import { memoryStore } from '../../src/stores/memory/memory-store.ts'
import { entra } from '../../src/oidc/entra.ts'
import { freePort, type RedisServer, startRedisServer } from '../support/redis-server.ts'

const root = resolve(import.meta.dirname, '../..')
// Within the package, so that its name leads to itself; next-auth lies where its own host is.
const folder = join(root, 'test-results/guide-pages')
const nextAuthFolder = join(root, 'test/hosts/next-auth/guide-pages')
const PATIENCE_MS = 120_000
const run = promisify(execFile)

let redis: RedisServer
let environment: NodeJS.ProcessEnv

beforeAll(async () => {
  redis = await startRedisServer()
  environment = {
    ...process.env,
    REDIS_URL: redis.url,
    COATCHECK_KEYS: randomBytes(32).toString('base64'),
    COATCHECK_LOG: 'silent',
    AZURE_AD_TENANT_ID: '00000000-0000-0000-0000-000000000000',
    AZURE_AD_CLIENT_ID: '11111111-1111-1111-1111-111111111111',
    AZURE_AD_CLIENT_SECRET: 'secret',
  }
  rmSync(folder, { recursive: true, force: true })
  for (const page of ['deploy', 'entra-app', 'from-the-redis-setup-guide']) write(page, join(folder, page))
  write('from-the-redis-setup-guide', nextAuthFolder)
}, PATIENCE_MS)
afterAll(async () => {
  rmSync(nextAuthFolder, { recursive: true, force: true })
  await redis.stop()
})

describe('docs/from-the-redis-setup-guide.md', () => {
  const page = 'from-the-redis-setup-guide'

  it('the drop-in works beside a client of the application', async () => {
    const options = { cwd: join(folder, page), env: environment }
    const { stdout } = await run(process.execPath, ['app.js'], options)
    expect(stdout.split('\n').filter(Boolean)).toEqual(['stored true', 'valid true', 'deleted true'])
    expect(await redis.cli('ttl', 'cart:123')).toMatch(/^3[56]\d\d$/m)
  }, 300_000)

  it('the options of Auth.js keep tokens until the last session of the user ends', async () => {
    const script = `const { authOptions: { adapter, events } } = await import('./lib/auth-options.js')
      const { TokenCache } = await import('./lib/redis.js')
      const user = await adapter.createUser({ email: 'ada@example.test', emailVerified: null })
      const account = { access_token: 'a', refresh_token: 'r', expires_at: Math.floor(Date.now() / 1000) + 3600 }
      await events.signIn({ user, account })
      const expires = new Date(Date.now() + 3_600_000)
      const said = []
      for (const sessionToken of ['one', 'two']) await adapter.createSession({ sessionToken, userId: user.id, expires })
      for (const sessionToken of ['one', 'two']) {
        await events.signOut({ session: await adapter.deleteSession(sessionToken) })
        said.push((await TokenCache.getUserTokens(user.id)) !== null)
      }
      console.log(said.join())
      process.exit()`
    const options = { cwd: nextAuthFolder, env: environment }
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], options)
    expect(stdout.trim()).toBe('true,false')
  }, 300_000)

  it('the commands for old keys delete these and none of Coatcheck', async () => {
    await redis.cli('mset', 'user:42:tokens', '{}', 'nextauth:session:1', 'x', 'user:{abc}:tokens', 'kept')
    await run('sh', ['-c', shellBlock(page, 'redis-cli')], { env: environment })
    const left = await redis.cli('--scan')
    expect(left).toContain('user:{abc}:tokens')
    expect(left).not.toMatch(/user:42:tokens|nextauth:/)
  }, 300_000)
})

describe('docs/deploy.md', () => {
  it(
    'the server starts, answers its health checks and ends by SIGTERM',
    async () => {
      const port = await freePort()
      const env = {
        ...environment,
        PORT: String(port),
        COATCHECK_BASE_URL: 'https://app.example',
        NODE_ENV: 'production',
      }
      const child = spawn(process.execPath, ['server.js'], { cwd: join(folder, 'deploy'), env, stdio: 'ignore' })
      const exited = once(child, 'exit')
      const status = (path: string): Promise<number> =>
        fetch(`http://127.0.0.1:${port}${path}`).then(
          (response) => response.status,
          () => 0,
        )
      await vi.waitUntil(async () => child.exitCode !== null || (await status('/livez')) === 200, {
        timeout: 120_000,
        interval: 100,
      })
      expect(await Promise.all(['/livez', '/readyz', '/redisz', '/'].map(status))).toEqual([200, 200, 200, 200])
      child.kill('SIGTERM')
      expect(await exited).toEqual([0, null])
    },
    PATIENCE_MS,
  )
})

it('docs/entra-app.md: the certificate that its commands make is a credential', async () => {
  const cwd = join(folder, 'entra-app')
  await run('sh', ['-ec', shellBlock('entra-app', 'openssl')], { cwd })
  const jwk = new X509Certificate(readFileSync(join(cwd, 'cert.pem'))).publicKey.export({ format: 'jwk' })
  const provider = await startDevProvider({ clientKeys: [{ ...jwk, alg: 'PS256', use: 'sig' }] })
  const { issuer, tenantId, clientId } = provider
  const auth = coatcheck({
    baseUrl: 'http://localhost:3000',
    store: memoryStore({ name: 'entra-app page' }),
    providers: [entra({ issuer, tenantId, clientId, clientCertificatePath: join(cwd, 'client.pem') })],
  })
  const { scopes } = await auth.tokens.getAppToken({ scopes: ['api://orders/.default'] })
  expect(scopes).toEqual(['api://orders/.default'])
  await auth.close()
  await provider.close()
}, 300_000)

function textOf(page: string): string {
  return readFileSync(join(root, 'docs', `${page}.md`), 'utf8')
}

function write(page: string, where: string): void {
  mkdirSync(where, { recursive: true })
  writeFileSync(join(where, 'package.json'), '{ "type": "module" }')
  for (const [, file = '', code = ''] of textOf(page).matchAll(/^```js (\S+)\n([\s\S]*?)^```$/gm)) {
    mkdirSync(dirname(join(where, file)), { recursive: true })
    writeFileSync(join(where, file), code)
  }
}

function shellBlock(page: string, begins: string): string {
  const blocks = [...textOf(page).matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code)
  const found = blocks.find((code) => code.startsWith(begins))
  if (found === undefined) throw new Error(`docs/${page}.md has no command that begins with ${begins}`)
  return found
}
