import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { limitsOf } from '../../redis/options.ts'
import { checkRedisOptions, type RedisStoreOptions } from './options.ts'
import { resolveDestination } from '../../redis/resolve-destination.ts'
import { parseRedisUrl } from '../../redis/redis-url.ts'
import type { RedisTarget } from '../../redis/target.ts'

const SECRET = 'hunter2'
const PEM_KEY = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().trim()
const source = { variable: 'REDIS_URL' }
/** Skips the plaintext check, which `plaintext.test.ts` covers. */
const PLAIN = { REDIS_ALLOW_PLAINTEXT: 'true' }

function singleTarget(options: RedisStoreOptions, env: Record<string, string>): RedisTarget {
  const to = resolveDestination(options, { ...PLAIN, ...env })
  if (to.kind !== 'single') throw new Error(to.kind)
  return to.target
}

function refusal(action: () => unknown): Error & { code: string } {
  try {
    action()
  } catch (error) {
    expect(`${String(error)}${JSON.stringify(error)}`).not.toContain(SECRET)
    return error as Error & { code: string }
  }
  throw new Error('it was taken')
}

describe('URLs', () => {
  test.each([
    ['redis://localhost', { host: 'localhost', port: 6379 }, 0],
    ['redis://10.0.0.7:7000/3', { host: '10.0.0.7', port: 7000 }, 3],
    ['REDIS://host:1/', { host: 'host', port: 1 }, 0],
    ['redis://[::1]:7000/0', { host: '::1', port: 7000 }, 0],
    ['unix:///run/redis/s', { path: '/run/redis/s' }, 0],
    ['unix:///run/a%20b?db=2', { path: '/run/a b' }, 2],
  ])('%s', (text, address, database) => {
    expect(parseRedisUrl(text, source)).toMatchObject({
      ...{ address, database, tls: false, username: null, password: null },
    })
  })

  test('credentials are decoded; rediss is TLS', () => {
    const password = 'p@ss#/?: %'
    expect(parseRedisUrl(`rediss://us%40er:${encodeURIComponent(password)}@host`, source)).toMatchObject({
      ...{ address: { host: 'host', port: 6379 }, database: 0, tls: true },
      ...{ username: 'us@er', password },
    })
    expect(parseRedisUrl('unix://app:x%2Fy@/run/s', source)).toMatchObject({ username: 'app', password: 'x/y' })
    expect(parseRedisUrl('redis://:pw@host', source)).toMatchObject({ username: null, password: 'pw' })
  })

  test.each([
    ['localhost:6379', /has no scheme; write redis:\/\//],
    [SECRET, /no scheme/],
    ['http://host:6379', /not redis, rediss or unix/],
    [`redis://:${SECRET}#x@host`, /# in it.*percent-encoded/],
    [`redis://:${SECRET}@x@host`, /more than one @.*percent-encoded/],
    [`redis://:${SECRET}/x@host:6379`, /\/ or \? before the @.*percent-encoded/],
    [`redis://user:12/${SECRET}@host:6379`, /\/ or \? before the @/],
    [`redis://:a?${SECRET}@host`, /\/ or \? before the @/],
    [`redis://:a:${SECRET}@host`, /more than one :/],
    [`redis://:${SECRET}%zz@host`, /% that is not followed/],
    ['redis://', /no host/],
    ['redis://:6379', /no host/],
    ['redis://host:port', /port that is not a number/],
    ['redis://host:70000', /1 to 65535/],
    ['redis://host:0', /1 to 65535/],
    ['redis://ho st', /host that cannot be one/],
    ['redis://host/first', /database that is not a number/],
    ['redis://host/-1', /database that is not a number/],
    ['redis://host?db=1', /has a query/],
    ['unix://run/s', /absolute path/],
    ['unix:///run/s?password=x', /nothing but \?db=/],
  ])('%s is refused', (text, says) => {
    const error = refusal(() => parseRedisUrl(text, source))
    expect(error).toMatchObject({ name: 'ConfigError', code: 'COATCHECK_CONFIG_INVALID' })
    expect(error.message).toMatch(says)
    expect(error.message).toContain('REDIS_URL')
  })
})

describe('options and environment', () => {
  test('the environment gives everything; user and password fill in what the URL leaves out', () => {
    const env = { REDIS_URL: 'redis://host', REDIS_USERNAME: 'app', REDIS_PASSWORD: SECRET }
    expect(singleTarget({}, env)).toMatchObject({ username: 'app', password: SECRET, connectTimeoutMs: 5000 })
    const own = { ...env, REDIS_URL: 'redis://me:mine@host' }
    expect(singleTarget({}, own)).toMatchObject({ username: 'me', password: 'mine' })
    expect(singleTarget({ url: 'redis://:x@other' }, { REDIS_URL: 'redis://host' })).toMatchObject({ password: 'x' })
    const given = { url: 'redis://me:mine@host', username: 'you', password: 'yours' }
    expect(singleTarget(given, env)).toMatchObject({ username: 'you', password: 'yours' })
  })

  test('no URL at all: MISSING, names both', () => {
    const error = refusal(() => singleTarget({}, { REDIS_URL: ' ' }))
    expect(error).toMatchObject({ code: 'COATCHECK_CONFIG_MISSING' })
    expect(error.message).toMatch(/redisStore\(\)\.url \(or REDIS_URL\)/)
  })

  test('a user name without a password is refused', () => {
    expect(refusal(() => singleTarget({ url: 'redis://app@host' }, {})).message).toContain('without a password')
  })

  test('certificates: a file, a text with written-out line ends, and what is none', () => {
    const folder = mkdtempSync(join(tmpdir(), 'coatcheck-ca-'))
    const pem = rootCertificates[0] ?? ''
    writeFileSync(join(folder, 'ca.pem'), pem)
    const url = 'rediss://redis.test'
    const tls = { ca: pem, cert: null, key: null, servername: 'redis.test' }
    expect(singleTarget({ url, tls: { ca: join(folder, 'ca.pem') } }, {}).tls).toEqual(tls)
    expect(singleTarget({ url }, { REDIS_TLS_CA: pem.replaceAll('\n', '\\n') }).tls).toEqual(tls)
    expect(singleTarget({ url: 'rediss://10.0.0.7' }, {}).tls).toMatchObject({ ca: null, servername: null })
    writeFileSync(join(folder, 'no.pem'), SECRET)
    const mine = singleTarget({ url }, { REDIS_TLS_CERT: pem, REDIS_TLS_KEY: PEM_KEY }).tls
    expect(mine).toMatchObject({ cert: pem, key: PEM_KEY })
    expect(refusal(() => singleTarget({ url, tls: { cert: pem } }, {})).message).toMatch(/go together/)
    expect(refusal(() => singleTarget({ url, tls: { cert: pem, key: SECRET } }, {})).message).toMatch(/cannot be read/)
    const broken: readonly [string, RegExp][] = [
      [join(folder, 'no.pem'), /no certificate/],
      ['-----BEGIN CERTIFICATE-----', /no certificate/],
      [join(folder, 'absent'), /cannot be read \(ENOENT\)/],
    ]
    for (const [ca, says] of broken) {
      expect(refusal(() => singleTarget({ url, tls: { ca } }, {})).message).toMatch(says)
      expect(refusal(() => singleTarget({ url }, { REDIS_TLS_CA: ca })).message).toMatch(/REDIS_TLS_CA/)
    }
    rmSync(folder, { recursive: true })
  })

  test('TLS settings on a plain URL are refused, not ignored', () => {
    for (const url of ['redis://host', 'unix:///run/s']) {
      expect(refusal(() => singleTarget({ url }, { REDIS_TLS_CA: '/ca.pem' })).message).toContain('rediss://')
      expect(refusal(() => singleTarget({ url, tls: {} }, {})).message).toContain('rediss://')
    }
  })
})

describe('a cluster', () => {
  const address = { host: 'a', port: 7000 }

  test.each([
    [{ cluster: true }, {}, [address]],
    [{ cluster: ['b:1', 'c'] }, {}, [address, { host: 'b', port: 1 }, { host: 'c', port: 6379 }]],
    [{}, { REDIS_CLUSTER: 'true' }, [address]],
    [{}, { REDIS_CLUSTER: 'b:1, [::1]:2' }, [address, { host: 'b', port: 1 }, { host: '::1', port: 2 }]],
  ])('%o %o', (options, env, nodes) => {
    const to = resolveDestination({ url: 'redis://app:x@a:7000', ...options }, { ...PLAIN, ...env })
    expect(to).toMatchObject({ kind: 'cluster', target: { nodes, access: { username: 'app', password: 'x' } } })
  })

  test('is none when it is said so', () => {
    expect(resolveDestination({ url: 'redis://a' }, { REDIS_CLUSTER: 'false' }).kind).toBe('single')
    expect(resolveDestination({ url: 'redis://a', cluster: false }, { REDIS_CLUSTER: 'true' }).kind).toBe('single')
  })

  test.each([
    [{ url: 'redis://a/3', cluster: true }, /only database 0/],
    [{ url: 'unix:///a', cluster: true }, /socket/],
    [{ url: 'redis://a', cluster: [`:${SECRET}@b:1`] }, /password stands in the URL/],
  ])('%o is refused', (options, says) => {
    expect(refusal(() => resolveDestination(options, {})).message).toMatch(says)
  })
})

describe('sentinels', () => {
  test('the host of the URL is the name of the primary; each may have a password of its own', () => {
    const env = { REDIS_URL: 'redis://app:x@mymaster/2', REDIS_SENTINELS: `one, two:7, redis://:${SECRET}@three` }
    const { kind, target } = resolveDestination({}, { ...PLAIN, ...env })
    expect(kind).toBe('sentinel')
    expect(target).toMatchObject({ name: 'mymaster', access: { username: 'app', password: 'x', database: 2 } })
    expect('sentinels' in target && target.sentinels).toMatchObject([
      { address: { host: 'one', port: 26379 }, username: null, password: null, database: 0 },
      { address: { host: 'two', port: 7 }, password: null },
      { address: { host: 'three', port: 26379 }, password: SECRET },
    ])
  })

  test.each([
    [{ url: 'redis://mymaster:6379', sentinels: ['a'] }, {}, /no port/],
    [{ url: 'redis://mymaster', sentinels: ['a:x'] }, {}, /port that is not a number/],
    [{ url: 'redis://mymaster', sentinels: ['a'] }, { REDIS_CLUSTER: 'true' }, /not go together/],
  ])('%o is refused', (options, env, says) => {
    expect(refusal(() => resolveDestination(options, env as Record<string, string>)).message).toMatch(says)
  })
})

test.each([
  [{ urll: 'redis://host' }, 'COATCHECK_CONFIG_UNKNOWN_OPTION', /Did you mean redisStore\(\)\.url/],
  [{ tls: { rejectUnauthorized: false } }, 'COATCHECK_CONFIG_UNKNOWN_OPTION', /rejectUnauthorized/],
  [{ commandTimeoutMs: 0 }, 'COATCHECK_CONFIG_INVALID', /commandTimeoutMs/],
  [{ maxInFlight: 1.5 }, 'COATCHECK_CONFIG_INVALID', /maxInFlight/],
  [{ url: 7 }, 'COATCHECK_CONFIG_INVALID', /url/],
  [{ url: `localhost:6379/${SECRET}` }, 'COATCHECK_CONFIG_INVALID', /no scheme/],
  [{ client: {} }, 'COATCHECK_CONFIG_INVALID', /a client of the package 'redis'/],
  [{ sentinels: [] }, 'COATCHECK_CONFIG_INVALID', /sentinels/],
  [{ cluster: 'yes' }, 'COATCHECK_CONFIG_INVALID', /cluster/],
  [{ cluster: true, sentinels: ['a'] }, 'COATCHECK_CONFIG_INVALID', /does not go together/],
  [{ credentialsProvider: {} }, 'COATCHECK_CONFIG_INVALID', /credentials provider/],
  [{ client: { sendCommand() {} }, url: 'redis://host' }, 'COATCHECK_CONFIG_INVALID', /does not go together/],
])('options %o are refused', (options, code, says) => {
  const error = refusal(() => checkRedisOptions(options as unknown as RedisStoreOptions))
  expect(error.code).toBe(code)
  expect(error.message).toMatch(says)
})

describe('deadlines', () => {
  const env = {
    REDIS_COMMAND_TIMEOUT_MS: '400',
    REDIS_WRITE_TIMEOUT_MS: ' 2000 ',
    REDIS_CONNECT_TIMEOUT_MS: '',
  }

  test('come from options, then from the environment, then from defaults', () => {
    expect(limitsOf({}, {})).toMatchObject({ commandTimeoutMs: 250, writeTimeoutMs: 1000, connectTimeoutMs: 5000 })
    expect(limitsOf({}, env)).toMatchObject({ commandTimeoutMs: 400, writeTimeoutMs: 2000, connectTimeoutMs: 5000 })
    expect(limitsOf({ commandTimeoutMs: 90 }, env)).toMatchObject({ commandTimeoutMs: 90, writeTimeoutMs: 2000 })
  })

  test.each(['1s', '0', '2.5', '-400', '1e3', '60001'])('%s is refused by the name of its variable', (value) => {
    const error = refusal(() => limitsOf({}, { REDIS_COMMAND_TIMEOUT_MS: value }))
    expect(error.code).toBe('COATCHECK_CONFIG_INVALID')
    expect(error.message).toMatch(/REDIS_COMMAND_TIMEOUT_MS.*a whole number from 10 to 60,000/)
  })
})
