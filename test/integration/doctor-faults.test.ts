/** The doctor against prepared faults of configuration, provider and data. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { examineHealth } from '../../src/entries/admin.ts'
import type { Options, ProviderOptions } from '../../src/config/types.ts'
import { systemClock } from '../../src/core/clock.ts'
import { memoryStore } from '../../src/stores/memory/memory-store.ts'
import { entra } from '../../src/oidc/entra.ts'
import { oidc } from '../../src/oidc/provider.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { searchFor } from '../support/canaries.ts'
import { createHealthWorld, type HealthWorld } from '../support/health-world.ts'
import { type Prepared, type PreparedFault, testFaults } from '../support/prepared-faults.ts'
import { freePort } from '../support/redis-server.ts'

let world: HealthWorld
const closing: (() => unknown)[] = []
beforeAll(async () => {
  world = await createHealthWorld()
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  await world.redis.cli('flushall')
})
afterAll(() => world.close())

const drawn = (): string => randomBytes(32).toString('base64')
function providerWith(over: Partial<ProviderOptions>): Options {
  const { issuer, clientId, clientSecret } = world.provider
  return world.options({ providers: [{ ...oidc({ name: 'dev', issuer, clientId, clientSecret }), ...over }] })
}
const entraWith = (over: Partial<ProviderOptions>): Options =>
  world.options({
    providers: [entra({ tenantId: world.provider.tenantId, clientId: 'x', clientSecret: 'of-nobody-at-all', ...over })],
  })
const online = { offline: false }

/** The provider, with something else in its metadata. @returns its issuer */
async function providerSaying(over: object): Promise<string> {
  const response = await fetch(`${world.provider.issuer}/.well-known/openid-configuration`)
  const metadata = (await response.json()) as object
  const issuer = `http://127.0.0.1:${await freePort()}`
  const other = createServer((_request, answer) => {
    answer.setHeader('content-type', 'application/json')
    answer.end(JSON.stringify({ ...metadata, issuer, ...over }))
  })
  closing.push(() => other.close())
  await once(other.listen(Number(new URL(issuer).port), '127.0.0.1'), 'listening')
  return issuer
}

/** Sessions, and a sign-in whose code was of no use, by an application with these options. */
async function used(options: Options, users = 3): Promise<void> {
  await world.use(options, async (auth) => {
    for (let i = 0; i < users; i++) await auth.sessions.create({ userId: `user ${i}` })
    const login = await auth.handler(new Request(new URL('/auth/login', options.baseUrl)))
    const state = new URL(login.headers.get('location') ?? 'about:blank').searchParams.get('state') ?? ''
    const callback = new URL(`/auth/callback?code=none&state=${state}`, options.baseUrl)
    const cookie = login.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    await auth.handler(new Request(callback, { headers: { cookie } }))
  })
}
async function firstKey(pattern: string): Promise<string> {
  return (await world.redis.cli('--scan', '--pattern', pattern)).split('\n')[0] ?? ''
}
/** An application's own client, which never connects before the doctor checks it. */
function supplied(options: object): Options {
  const url = world.redis.url.replace('redis://', `redis://coatcheck:${world.password}@`)
  return world.options({ store: redisStore({ client: createClient({ url, ...options }) }) })
}
/** Without rights to other keys nothing of other stores is seen. */
const asDefaultUser = (): Options => world.options({ store: redisStore({ url: world.redis.url }) })

function clientCertificate(days: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'coatcheck-client-'))
  closing.push(() => rmSync(folder, { recursive: true }))
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'key.pem', '-out', 'request.pem', '-subj', '/CN=client')
  openssl('x509', '-req', '-in', 'request.pem', '-signkey', 'key.pem', '-out', 'cert.pem', '-days', String(days))
  return readFileSync(join(folder, 'key.pem'), 'utf8') + readFileSync(join(folder, 'cert.pem'), 'utf8')
}

const configuration: readonly PreparedFault[] = [
  {
    fault: 'a weak key',
    prepare: () => {
      const weak = Buffer.from('a-pass-phrase-of-32-characters!!').toString('base64')
      return { options: world.options({ keys: `weak:${weak}` }), secrets: [weak, 'a-pass-phrase-of-32-characters!!'] }
    },
    finds: ['DOCTOR_KEY_WEAK'],
    exit: 1,
    says: /key "weak" is text that can be read/,
    fix: /coatcheck keys add/,
  },
  {
    fault: 'the same key twice',
    prepare: () => ({ options: world.options({ keys: `a:${world.key},b:${world.key},names:${drawn()}` }) }),
    finds: ['COATCHECK_KEY_INVALID'],
    exit: 6,
    says: /same key or id twice/,
    fix: /key/,
  },
  {
    fault: 'no key',
    prepare: () => ({ options: world.options({ keys: undefined }) }),
    finds: ['DOCTOR_KEYS_MISSING'],
    exit: 0,
    says: /COATCHECK_KEYS/,
    fix: /coatcheck secret/,
  },
  {
    fault: 'API scopes without offline_access',
    prepare: () => ({
      options: providerWith({ scopes: ['openid', 'profile'], apiScopes: ['api://orders/Orders.Read'] }),
    }),
    finds: ['DOCTOR_OFFLINE_ACCESS'],
    exit: 1,
    says: /1 API scope/,
    fix: /"offline_access"/,
  },
  {
    fault: 'sign-in only, without offline_access',
    prepare: () => ({ options: providerWith({ scopes: ['openid', 'profile'] }) }),
    finds: ['DOCTOR_OFFLINE_ACCESS_OPTIONAL'],
    exit: 0,
    says: /who the user is/,
    fix: /"offline_access"/,
  },
  {
    fault: 'scopes of two resources',
    prepare: () => ({ options: entraWith({ scopes: ['User.Read'], apiScopes: ['api://orders/Orders.Read'] }) }),
    finds: ['DOCTOR_SCOPES_SEVERAL_RESOURCES'],
    exit: 1,
    says: /https:\/\/graph\.microsoft\.com, api:\/\/orders/,
    fix: /getAccessToken/,
  },
  {
    fault: 'a redirect URI on 127.0.0.1 at Entra ID',
    prepare: () => ({ options: { ...entraWith({}), baseUrl: 'http://127.0.0.1:3000' } }),
    finds: ['DOCTOR_REDIRECT_LOOPBACK_ADDRESS'],
    exit: 0,
    says: /127\.0\.0\.1:3000\/auth\/callback/,
    fix: /localhost/,
  },
  {
    fault: 'several instances on the memory store',
    prepare: () => ({ options: world.options({ store: memoryStore() }), env: { WEB_CONCURRENCY: '4' } }),
    finds: ['DOCTOR_MEMORY_STORE_INSTANCES'],
    exit: 1,
    says: /WEB_CONCURRENCY is 4/,
    fix: /REDIS_URL/,
  },
  {
    fault: 'the memory store',
    prepare: () => ({ options: world.options({ store: memoryStore() }), env: { WEB_CONCURRENCY: '' } }),
    finds: ['DOCTOR_MEMORY_STORE'],
    exit: 0,
    says: /REDIS_URL is not set/,
    fix: /REDIS_URL/,
  },
  {
    fault: 'a public base URL without NODE_ENV=production',
    prepare: () => ({ options: world.options({ baseUrl: 'https://app.example' }), env: { NODE_ENV: 'development' } }),
    finds: ['DOCTOR_NODE_ENV'],
    exit: 0,
    says: /NODE_ENV is "development"/,
    fix: /NODE_ENV=production/,
  },
  {
    fault: 'a loopback base URL in production',
    prepare: () => ({ options: world.options(), env: { NODE_ENV: 'production' } }),
    finds: ['DOCTOR_BASE_URL_LOOPBACK'],
    exit: 0,
    says: /NODE_ENV is "production"/,
    fix: /COATCHECK_BASE_URL/,
  },
  {
    fault: 'an option that is none',
    prepare: () => ({ options: { ...world.options(), sesion: {} } as Options }),
    finds: ['COATCHECK_CONFIG_UNKNOWN_OPTION'],
    exit: 6,
    says: /sesion/,
    fix: /spelling/,
  },
  {
    fault: 'variables of another guide',
    prepare: () => ({
      options: world.options(),
      env: { REDIS_HOST: 'elsewhere', REDIS_PASSWORD: 'overruled-by-an-option' },
    }),
    finds: ['DOCTOR_REDIS_VARIABLE_IGNORED', 'DOCTOR_REDIS_VARIABLE_IGNORED'],
    exit: 0,
    says: /REDIS_HOST/,
    fix: /REDIS_URL/,
  },
  {
    fault: 'debug: true',
    prepare: () => ({ options: supplied({ debug: true }) }),
    finds: ['DOCTOR_CLIENT_OPTION_UNKNOWN'],
    exit: 0,
    says: /^debug$/,
    fix: /Remove it/,
  },
  {
    fault: 'socketTimeout without pingInterval',
    prepare: () => ({ options: supplied({ socket: { socketTimeout: 5000 } }) }),
    finds: ['DOCTOR_CLIENT_SOCKET_TIMEOUT'],
    exit: 1,
    says: /5000 ms/,
    fix: /pingInterval/,
  },
  {
    fault: 'no reconnecting, and a prefix that is not applied',
    prepare: () => ({ options: supplied({ keyPrefix: 'app:', socket: { reconnectStrategy: false } }) }),
    finds: ['DOCTOR_CLIENT_NO_RECONNECT', 'DOCTOR_CLIENT_KEY_PREFIX'],
    exit: 1,
    says: /reconnectStrategy is false/,
    fix: /milliseconds/,
  },
]

const provider: readonly PreparedFault[] = [
  {
    fault: 'no provider at the address',
    prepare: async () => ({
      options: providerWith({ issuer: `http://127.0.0.1:${await freePort()}/x/v2.0` }),
      examination: online,
    }),
    finds: ['COATCHECK_OIDC_DISCOVERY'],
    exit: 5,
    says: /./,
    fix: /issuer|reach/i,
  },
  {
    fault: 'metadata that name another issuer',
    prepare: () => ({
      options: providerWith({ issuer: world.provider.issuer.replace('127.0.0.1', 'localhost') }),
      examination: online,
    }),
    finds: ['COATCHECK_OIDC_DISCOVERY'],
    exit: 5,
    says: /issuer/i,
    fix: /issuer|reach/i,
  },
  {
    fault: 'a wrong client secret',
    prepare: () => ({
      options: providerWith({ clientSecret: 'this-is-not-the-secret' }),
      examination: online,
      secrets: ['this-is-not-the-secret'],
    }),
    finds: ['COATCHECK_OIDC_CLIENT_REJECTED'],
    exit: 5,
    says: /invalid_client/,
    fix: /secret|certificate/,
  },
  {
    fault: 'a redirect URI that is not registered',
    prepare: async () => ({
      options: world.options({ baseUrl: `http://localhost:${await freePort()}`, basePath: '/account' }),
      examination: online,
    }),
    finds: ['DOCTOR_REDIRECT_URI'],
    exit: 5,
    says: /\/account\/callback$/,
    fix: /Register exactly this address/,
  },
  {
    fault: 'something else at the redirect URI',
    prepare: async () => {
      const other = createServer((_request, response) => response.writeHead(404).end())
      closing.push(() => other.close())
      const port = await freePort()
      await once(other.listen(port, 'localhost'), 'listening')
      return { options: world.options({ baseUrl: `http://localhost:${port}` }), examination: online }
    },
    // The port of http://localhost does not count at the provider, so it knows this address.
    finds: ['DOCTOR_CALLBACK_UNANSWERED'],
    exit: 0,
    says: /\/auth\/callback/,
    fix: /Mount/,
  },
  {
    fault: 'a scope that the provider does not know',
    prepare: () => ({
      options: providerWith({ scopes: ['openid', 'offline_access', 'everything'] }),
      examination: online,
    }),
    finds: ['DOCTOR_SCOPE_UNSUPPORTED'],
    exit: 0,
    says: /^everything$/,
    fix: /spelling/,
  },
  {
    fault: 'a clock an hour ahead of everybody',
    prepare: () => {
      const clock = { now: () => systemClock.now() + 3_600_000, monotonic: () => systemClock.monotonic() }
      return { options: world.options(), examination: online, clock }
    },
    finds: ['DOCTOR_CLOCK_WRONG', 'DOCTOR_PROVIDER_CLOCK'],
    exit: 1,
    says: /3[56]\d\d\.\d s behind/,
    fix: /time servers/,
  },
  {
    fault: 'signing keys that cannot be read',
    prepare: () => {
      world.provider.faults.add({ route: 'keys', status: 503 })
      return { options: world.options(), examination: online }
    },
    finds: ['DOCTOR_JWKS'],
    exit: 5,
    says: /503/,
    fix: /jwks_uri/,
  },
  {
    fault: 'a client certificate that has expired',
    prepare: () => {
      const pem = clientCertificate(-1)
      return {
        options: providerWith({ clientSecret: undefined, clientCertificate: pem }),
        secrets: [/PRIVATE KEY-----\n(.{64})/.exec(pem)?.[1] ?? ''],
      }
    },
    finds: ['DOCTOR_CLIENT_CERTIFICATE_EXPIRED'],
    exit: 5,
    says: /was valid until 20\d\d-/,
    fix: /Renew/,
  },
  {
    fault: 'a client certificate that is about to expire',
    prepare: () => ({ options: providerWith({ clientSecret: undefined, clientCertificate: clientCertificate(5) }) }),
    finds: ['DOCTOR_CLIENT_CERTIFICATE_EXPIRES'],
    exit: 0,
    says: /valid until 20\d\d-.*\((?:4|5) days\)/,
    fix: /beside the old one/,
  },
  {
    fault: 'a way to answer that the provider does not know',
    prepare: async () => {
      const issuer = await providerSaying({ response_modes_supported: ['query', 'fragment'] })
      return { options: providerWith({ issuer, responseMode: 'form_post' }), examination: online }
    },
    finds: ['DOCTOR_RESPONSE_MODE'],
    exit: 1,
    says: /without form_post/,
    fix: /Remove responseMode/,
  },
  {
    fault: 'a provider without PKCE',
    prepare: async () => {
      const issuer = await providerSaying({ code_challenge_methods_supported: ['plain'] })
      return { options: providerWith({ issuer }), examination: online }
    },
    finds: ['DOCTOR_PKCE'],
    exit: 0,
    says: /without S256/,
    fix: /Switch PKCE on/,
  },
  {
    fault: 'a credential file that is not there',
    prepare: () => ({ options: providerWith({ clientSecret: undefined, federatedTokenFile: '/nowhere/token' }) }),
    finds: ['COATCHECK_CONFIG_INVALID'],
    exit: 6,
    says: /ENOENT/,
    fix: /./,
  },
]

/** The ring after a rotation, or a rotation that forgot something. */
async function sealedWith(before: string, now: string): Promise<Prepared> {
  await used(world.options({ keys: before }))
  return { options: world.options({ keys: now }) }
}

const data: readonly PreparedFault[] = [
  {
    fault: 'a wrong key',
    prepare: () => sealedWith(`old:${drawn()}`, `k1:${world.key}`),
    finds: ['DOCTOR_KEY_WRONG'],
    exit: 6,
    says: /3 of 3 sessions have another key/,
    fix: /COATCHECK_KEYS/,
  },
  {
    fault: 'a key that was retired too early',
    prepare: async () => {
      await used(world.options({ keys: `old:${drawn()}` }), 2)
      await used(world.options())
      return { options: world.options() }
    },
    finds: ['DOCTOR_KEY_RETIRED'],
    exit: 1,
    says: /2 of 5 sessions/,
    fix: /keys rotate/,
  },
  {
    fault: 'an instance that seals with the second key',
    prepare: () => {
      const [names, second] = [drawn(), drawn()]
      return sealedWith(
        `second:${second},k1:${world.key},names:${names}`,
        `k1:${world.key},second:${second},names:${names}`,
      )
    },
    finds: ['DOCTOR_KEY_ORDER'],
    exit: 0,
    says: /"second"/,
    fix: /same COATCHECK_KEYS/,
  },
  {
    fault: 'a key that somebody made immortal',
    prepare: async () => {
      await used(world.options())
      await world.redis.cli('persist', await firstKey('user:session:*'))
      return { options: world.options() }
    },
    finds: ['DOCTOR_KEYS_WITHOUT_TTL'],
    exit: 0,
    says: /^1 of \d+ have none$/,
    fix: /PEXPIRE/,
  },
  {
    fault: 'sessions that lost a part',
    prepare: async () => {
      await used(world.options())
      // Of two users: of one who has lost everything nothing is left to be seen.
      const [session = '', other = ''] = (await world.redis.cli('--scan', '--pattern', 'user:session:*')).split('\n')
      await world.redis.cli('del', session, `user:${/\{.+\}/.exec(other)?.[0]}:gen`)
      return { options: world.options() }
    },
    finds: ['DOCTOR_ORPHANS'],
    exit: 0,
    says: /1 entry of a list leads to no session/,
    fix: /keys repair/,
  },
  {
    fault: 'another prefix than the application has',
    prepare: async () => {
      await world.redis.cli('acl', 'setuser', 'coatcheck', '~shop:*')
      await used(world.options({ prefix: 'shop:' }))
      return { options: world.options({ prefix: '' }) }
    },
    finds: ['DOCTOR_PREFIX'],
    exit: 0,
    says: /none under "", and 3 under "shop:"/,
    fix: /REDIS_PREFIX/,
  },
  {
    fault: "the guide's token cache and its friends, in plain text and for ever",
    prepare: async () => {
      const token = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEtdGhlLXVzZXIifQ.c2lnbmF0dXJl'
      const { cli } = world.redis
      await cli('set', 'user:42:tokens', JSON.stringify({ accessToken: token, refreshToken: 'r' }), 'EX', '3600')
      await cli('hset', 'user:43:onedrive', 'accessToken', token)
      await cli('set', `blacklist:${token}`, '1', 'EX', '3600')
      return { options: asDefaultUser(), secrets: [token, 'user:43:onedrive'] }
    },
    finds: ['DOCTOR_ACL_WIDE', 'DOCTOR_TOKEN_IN_KEY_NAME', 'DOCTOR_PLAIN_TOKENS', 'DOCTOR_FOREIGN_WITHOUT_TTL'],
    exit: 0,
    says: /default/,
    fix: /redis-acl/,
  },
]

testFaults(() => world, configuration)
testFaults(() => world, provider)
testFaults(() => world, data)

test('a report of a busy set-up holds no ticket, token, name of a key, e-mail or session id', async () => {
  const refreshToken = `refresh-${randomBytes(12).toString('hex')}`
  const accessToken = `access-${randomBytes(12).toString('hex')}`
  const planted: string[] = [refreshToken, accessToken, 'ada-lovelace@example.test']
  await world.use(world.options(), async (auth) => {
    const { ticket, session } = await auth.sessions.create({ userId: 'ada-lovelace@example.test' })
    planted.push(ticket, session.id ?? 'none-at-all-none', (session.id ?? '').split('.')[0] ?? '')
    const expiresAt = systemClock.now() + 3_600_000
    await auth.tokens.setUserTokens('ada-lovelace@example.test', { accessToken, refreshToken, expiresAt })
  })
  const search = searchFor([...world.secrets, ...planted.map((value) => ({ kind: 'planted', value }))])
  for (const options of [world.options(), asDefaultUser(), world.options({ keys: drawn() })]) {
    const report = await examineHealth(() => options, { canaries: true })
    expect(search.find('report', JSON.stringify(report))).toEqual([])
  }
})
