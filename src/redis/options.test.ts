import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { describe, expect, test } from 'vitest'
import { checkRedisOptions, type RedisStoreOptions, resolveTarget } from './options.ts'
import { parseRedisUrl } from './redis-url.ts'

const SECRET = 'hunter2'
const source = { variable: 'REDIS_URL' }

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
    expect(parseRedisUrl(text, source)).toEqual({ address, database, tls: false, username: null, password: null })
  })

  test('credentials are decoded; rediss is TLS', () => {
    const password = 'p@ss#/?: %'
    expect(parseRedisUrl(`rediss://us%40er:${encodeURIComponent(password)}@host`, source)).toEqual({
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
    expect(resolveTarget({}, env)).toMatchObject({ username: 'app', password: SECRET, connectTimeoutMs: 5000 })
    const own = { ...env, REDIS_URL: 'redis://me:mine@host' }
    expect(resolveTarget({}, own)).toMatchObject({ username: 'me', password: 'mine' })
    expect(resolveTarget({ url: 'redis://:x@other' }, { REDIS_URL: 'redis://host' })).toMatchObject({ password: 'x' })
    const given = { url: 'redis://me:mine@host', username: 'you', password: 'yours' }
    expect(resolveTarget(given, env)).toMatchObject({ username: 'you', password: 'yours' })
  })

  test('no URL at all: MISSING, names both', () => {
    const error = refusal(() => resolveTarget({}, { REDIS_URL: ' ' }))
    expect(error).toMatchObject({ code: 'COATCHECK_CONFIG_MISSING' })
    expect(error.message).toMatch(/redisStore\(\)\.url \(or REDIS_URL\)/)
  })

  test('a user name without a password is refused', () => {
    expect(refusal(() => resolveTarget({ url: 'redis://app@host' }, {})).message).toContain('without a password')
  })

  test('certificates: a file, a text with written-out line ends, and what is none', () => {
    const folder = mkdtempSync(join(tmpdir(), 'coatcheck-ca-'))
    const pem = rootCertificates[0] ?? ''
    writeFileSync(join(folder, 'ca.pem'), pem)
    const url = 'rediss://redis.test'
    const tls = { ca: pem, servername: 'redis.test' }
    expect(resolveTarget({ url, tls: { ca: join(folder, 'ca.pem') } }, {}).tls).toEqual(tls)
    expect(resolveTarget({ url }, { REDIS_TLS_CA: pem.replaceAll('\n', '\\n') }).tls).toEqual(tls)
    expect(resolveTarget({ url: 'rediss://10.0.0.7' }, {}).tls).toEqual({ ca: null, servername: null })
    writeFileSync(join(folder, 'no.pem'), SECRET)
    const broken: readonly [string, RegExp][] = [
      [join(folder, 'no.pem'), /no certificate/],
      ['-----BEGIN CERTIFICATE-----', /no certificate/],
      [join(folder, 'absent'), /cannot be read \(ENOENT\)/],
    ]
    for (const [ca, says] of broken) {
      expect(refusal(() => resolveTarget({ url, tls: { ca } }, {})).message).toMatch(says)
      expect(refusal(() => resolveTarget({ url }, { REDIS_TLS_CA: ca })).message).toMatch(/REDIS_TLS_CA/)
    }
    rmSync(folder, { recursive: true })
  })

  test('TLS settings on a plain URL are refused, not ignored', () => {
    for (const url of ['redis://host', 'unix:///run/s']) {
      expect(refusal(() => resolveTarget({ url }, { REDIS_TLS_CA: '/ca.pem' })).message).toContain('rediss://')
      expect(refusal(() => resolveTarget({ url, tls: {} }, {})).message).toContain('rediss://')
    }
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
  [{ client: { sendCommand() {} }, url: 'redis://host' }, 'COATCHECK_CONFIG_INVALID', /does not go together/],
])('options %o are refused', (options, code, says) => {
  const error = refusal(() => checkRedisOptions(options as unknown as RedisStoreOptions))
  expect(error.code).toBe(code)
  expect(error.message).toMatch(says)
})
