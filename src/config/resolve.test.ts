import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { ConfigError } from '../core/errors.ts'
import { memoryStore } from '../stores/memory/memory-store.ts'
import { entra } from '../oidc/entra.ts'
import { oidc } from '../oidc/provider.ts'
import type { Environment } from './environment.ts'
import { checkOptions, resolveConfig } from './resolve.ts'
import { optionName, settings } from './settings.ts'
import type { Options } from './types.ts'

const HOUR = 3_600_000
const KEY = Buffer.alloc(31, 7).toString('base64') + 'AAA='
const https = { baseUrl: 'https://app.example.com', keys: KEY } as const
const redis = { REDIS_URL: 'redis://localhost:6380' }
const tenantId = '11111111-2222-3333-4444-555555555555'
const registration = { tenantId, clientId: 'app', clientSecret: 'shh' }

const failure = (options: unknown, env: Environment = {}): ConfigError => {
  try {
    resolveConfig(options as Options, env)
  } catch (error) {
    return error as ConfigError
  }
  throw new Error('nothing was thrown')
}

describe('defaults', () => {
  it('work on a bare machine', () => {
    expect(resolveConfig({}, {})).toEqual({
      baseUrl: new URL('http://localhost:3000'),
      loopback: true,
      localPeers: [],
      basePath: '/auth',
      cookie: { name: 'coatcheck', secure: false, sameSite: 'lax' },
      keys: [],
      prefix: '',
      store: null,
      providers: [],
      signIn: {},
      session: {
        idleTimeoutMs: 8 * HOUR,
        absoluteTimeoutMs: 24 * HOUR,
        schema: null,
        schemaVersion: 1,
        upcasts: {},
        limit: null,
        onUnavailable: 'fail',
        staleForMs: 0,
        maxBytes: 65_536,
      },
      tokens: { grantLifetimeMs: 90 * 24 * HOUR, minValidityMs: 30_000, revokeAtProvider: true },
      pages: { name: null, logo: null, accentColor: '#1d5fd0', accentColorDark: '#7fb0ff' },
      log: { logger: null, level: 'warn', debug: null },
    })
  })
})

describe('the log', () => {
  it('takes level and areas from the environment, and refuses a level that there is not', () => {
    const { log } = resolveConfig({}, { COATCHECK_LOG: ' debug ', DEBUG: 'coatcheck:redis' })
    expect(log).toEqual({ logger: null, level: 'debug', debug: 'coatcheck:redis' })
    expect(() => resolveConfig({}, { COATCHECK_LOG: 'verbose' })).toThrow(
      "Environment variable COATCHECK_LOG: got \"verbose\", expected 'debug', 'info', 'warn', 'error', 'silent'.",
    )
  })
})

describe('pages', () => {
  it.each([
    ['/logo.svg', '#B4472C'],
    ['/assets/logo-9f3a.png', '#b42'],
    [`data:image/svg+xml;base64,${Buffer.from('<svg/>').toString('base64')}`, '#000000'],
  ])('takes the logo %s and the color %s as they are', (logo, accentColor) => {
    const { pages } = resolveConfig({ pages: { name: 'Ada & Söhne', logo, accentColor } }, {})
    expect(pages).toEqual({ name: 'Ada & Söhne', logo, accentColor, accentColorDark: accentColor })
  })

  it('takes another accent for dark', () => {
    const { pages } = resolveConfig({ pages: { accentColor: '#123456', accentColorDark: '#fedcba' } }, {})
    expect(pages).toMatchObject({ accentColor: '#123456', accentColorDark: '#fedcba' })
  })
})

describe('shapes', () => {
  const bad: readonly (readonly [option: string, options: unknown])[] = [
    ['coatcheck()', 'redis://localhost'],
    ['coatcheck()', null],
    ['coatcheck()', []],
    ['store', 'redis://localhost'],
    ['store', {}],
    ['keys', 42],
    ['keys', ''],
    ['keys', []],
    ['keys', [KEY, '']],
    ['baseUrl', 'app.example.com'],
    ['baseUrl', 'ftp://app.example.com'],
    ['baseUrl', 'https://app.example.com/path'],
    ['baseUrl', 'https://app.example.com?x'],
    ['baseUrl', 'https://app.example.com#x'],
    ['baseUrl', 'https://user:pw@app.example.com'],
    ['baseUrl', new URL('https://app.example.com')],
    ['localPeers', []],
    ['localPeers', ['gateway']],
    ['basePath', 'auth'],
    ['basePath', '/'],
    ['basePath', '/auth/'],
    ['basePath', '//evil.example'],
    ['basePath', '/a/../b'],
    ['basePath', '/a?b'],
    ['prefix', 'app:{x}:'],
    ['prefix', 'app *'],
    ['prefix', 'app*'],
    ['prefix', 'app?'],
    ['prefix', 'app[1]'],
    ['prefix', 'app\\'],
    ['prefix', 'app\n'],
    ['prefix', 'ä'],
    ['prefix', 'x'.repeat(65)],
    ['providers', entra()],
    ['providers', ['entra']],
    ['providers[0]', [{}]],
    ['providers[0]', [{ preset: 'saml' }]],
    ['signIn', () => 'ada'],
    ['signIn.userId', 'sub'],
    ['signIn.authorize', true],
    ['signIn.profile', {}],
    ['signIn.carry', 'cart'],
    ['signIn.carry', [1]],
    ['signIn.askAfterSignOut', 'yes'],
    ['session', 3600],
    ['session.idleTimeout', 0],
    ['session.idleTimeout', -1],
    ['session.idleTimeout', NaN],
    ['session.idleTimeout', Infinity],
    ['session.idleTimeout', '8 hours'],
    ['session.idleTimeout', 500],
    ['session.idleTimeout', 1800],
    ['session.absoluteTimeout', 86_400],
    ['tokens.grantLifetime', 604_800],
    ['session.idleTimeout', '48h'],
    ['session.absoluteTimeout', '3651d'],
    ['session.absoluteTimeout', null],
    ['session.preset', 'aal4'],
    ['session.schema', {}],
    ['session.schema', { '~standard': {} }],
    ['session.schema', z.object({ cart: z.array(z.string()) })],
    ['session.schema', z.object({}).refine(async () => Promise.resolve(true))],
    ['session.schemaVersion', 0],
    ['session.schemaVersion', 1.5],
    ['session.schemaVersion', 65_536],
    ['session.upcasts', []],
    ['session.upcasts', { first: () => ({}) }],
    ['session.upcasts', { 1: 'fn' }],
    ['session.upcasts', { 1: (d: object) => d }],
    ['session.maxPerUser', 0],
    ['session.maxPerUser', 10_001],
    ['session.maxPerUser', { max: 5 }],
    ['session.maxPerUser', { max: 5, action: 'end-newest' }],
    ['session.maxBytes', 255],
    ['session.onUnavailable', 'retry'],
    ['session.staleFor', 'a while'],
    ['session.maxBytes', '64kb'],
    ['session.cookie', 'coatcheck'],
    ['session.cookie.name', '__Host-coatcheck'],
    ['session.cookie.name', '__secure-x'],
    ['session.cookie.name', 'a b'],
    ['session.cookie.name', 'a=b'],
    ['session.cookie.name', ''],
    ['session.cookie.sameSite', 'none'],
    ['session.cookie.sameSite', 'Lax'],
    ['tokens', []],
    ['tokens.grantLifetime', '0d'],
    ['tokens.minValidity', '30'],
    ['tokens.revokeAtProvider', 'no'],
    ['pages', 'blue'],
    ['pages.name', ''],
    ['pages.name', 'x'.repeat(61)],
    ['pages.name', 'two\nlines'],
    ['pages.logo', 'logo.svg'],
    ['pages.logo', '//evil.example/logo.svg'],
    ['pages.logo', '/\\evil.example/logo.svg'],
    ['pages.logo', 'https://evil.example/logo.svg'],
    ['pages.logo', '/logo.svg" onerror="alert(1)'],
    ['pages.logo', 'data:text/html;base64,PGI+'],
    ['pages.logo', 'data:image/svg+xml,<svg/>'],
    ['pages.logo', `data:image/png;base64,${'A'.repeat(65_536)}`],
    ['pages.accentColor', 'red'],
    ['pages.accentColor', '#12345'],
    ['pages.accentColor', '#123456}body{display:none'],
    ['pages.accentColor', 'var(--x)'],
    ['pages.accentColorDark', '#ggg'],
    ['logger', 'pino'],
    ['logger', { info: () => undefined }],
    ['logger', { debug: 1, info: 1, warn: 1, error: 1 }],
  ]
  const optionsWith = (path: string, value: unknown): unknown =>
    path === 'coatcheck()'
      ? value
      : path
          .replace(/\[0\]$/, '')
          .split('.')
          .reduceRight<unknown>((inner, key) => ({ [key]: inner }), value)

  it.each(bad)('%s refuses %j, and names itself and the value that it expects', (option, value) => {
    const options = optionsWith(option, value)
    const error = failure(options)
    expect(error).toMatchObject({ name: 'ConfigError', code: 'COATCHECK_CONFIG_INVALID' })
    expect(error.details).toMatchObject({ option })
    expect(error.message).toMatch(new RegExp(`^Option ${option.replace(/[()[\].]/g, '\\$&')}: .+`))
    // Also without the environment, when `coatcheck()` is called.
    expect(() => checkOptions(options as Options)).toThrow(error.message)
  })

  it('has a bad value in this table for every option of coatcheck()', () => {
    const tried = new Set(bad.map(([option]) => option))
    const untried = settings.filter((s) => s.root === '' && s.option !== null && !tried.has(optionName(s)))
    expect(untried.map(optionName)).toEqual([])
  })

  it('checks upcasts as a chain without gaps', () => {
    const up = (data: Record<string, unknown>): Record<string, unknown> => data
    expect(failure({ session: { schemaVersion: 4, upcasts: { 1: up, 3: up } } }).message).toContain(
      'none for version 2',
    )
    expect(() => resolveConfig({ session: { schemaVersion: 4, upcasts: { 2: up, 3: up } } }, {})).not.toThrow()
  })

  it.each([
    [{ sesion: {} }, 'sesion', 'session'],
    [{ Store: memoryStore() }, 'Store', 'store'],
    [{ idleTimeout: '8h' }, 'idleTimeout', 'session.idleTimeout'],
    [{ session: { idelTimeout: '8h' } }, 'session.idelTimeout', 'session.idleTimeout'],
    [{ session: { sameSite: 'lax' } }, 'session.sameSite', 'session.cookie.sameSite'],
    [{ session: { cookie: { samesite: 'lax' } } }, 'session.cookie.samesite', 'session.cookie.sameSite'],
    [{ baseURL: 'https://a.example' }, 'baseURL', 'baseUrl'],
    [{ providers: [entra({ tenantID: 'x' } as never)] }, 'entra().tenantID', 'entra().tenantId'],
    [{ providers: [oidc({ name: 'x', clientID: 'y' } as never)] }, 'oidc().clientID', 'oidc().clientId'],
    [{ session: { secret: 'x' } }, 'session.secret', undefined],
    [JSON.parse('{"__proto__":{"store":1}}'), '__proto__', undefined],
    [{ 'x\ny': 1 }, 'x\\u000ay', undefined],
  ])('knows no option %j', (options, shown, suggestion) => {
    const error = failure(options)
    expect(error.code).toBe('COATCHECK_CONFIG_UNKNOWN_OPTION')
    expect(error.details).toEqual({ option: shown, suggestion })
    if (suggestion) expect(error.message).toContain(`Did you mean ${suggestion}?`)
  })

  it('takes an option that is undefined as one that was not given', () => {
    const options = { keys: undefined, baseUrl: undefined, session: { idleTimeout: undefined }, providers: undefined }
    expect(resolveConfig(options as unknown as Options, {})).toEqual(resolveConfig({}, {}))
  })
})

describe('base URL', () => {
  it.each([
    ['https://app.example.com', false, '__Host-coatcheck', true],
    ['https://localhost:3443', true, '__Host-coatcheck', true],
    ['http://localhost:3000', true, 'coatcheck', false],
    ['http://app.localhost:3000', true, 'coatcheck', false],
    ['http://127.0.0.1', true, 'coatcheck', false],
    ['http://127.8.9.10:8080', true, 'coatcheck', false],
    ['http://[::1]:3000', true, 'coatcheck', false],
    ['http://2130706433', true, 'coatcheck', false],
  ])('%s: loopback %s, cookie %s, Secure %s', (baseUrl, loopback, name, secure) => {
    const config = resolveConfig({ baseUrl, keys: KEY }, redis)
    expect(config).toMatchObject({ loopback, cookie: { name, secure } })
  })

  it.each([
    'http://app.example.com',
    'http://localhost.example.com',
    'http://0.0.0.0:3000',
    'http://10.0.0.1',
    'http://127.0.0.1.nip.io',
    'http://notlocalhost',
    'http://[::ffff:10.0.0.1]',
  ])('%s is insecure, as option and as variable', (baseUrl) => {
    const insecure = { code: 'COATCHECK_CONFIG_INSECURE' }
    expect(failure({ baseUrl, keys: KEY }, redis)).toMatchObject(insecure)
    expect(failure({ keys: KEY }, { ...redis, COATCHECK_BASE_URL: baseUrl })).toMatchObject(insecure)
  })

  it.each<[string, Options, Environment]>([
    ['Redis and keys are configured', {}, { REDIS_URL: 'rediss://redis.example', COATCHECK_KEYS: KEY }],
    ['Redis is configured', {}, { ...redis, NODE_ENV: 'staging' }],
    ['Keys are configured', { keys: KEY }, {}],
  ])('is required when %s and NODE_ENV does not say development', (sign, options, env) => {
    const error = failure(options, env)
    expect(error).toMatchObject({ code: 'COATCHECK_CONFIG_MISSING', details: { variable: 'COATCHECK_BASE_URL' } })
    expect(error.why).toContain(`${sign.replace(/ configured$/, '')} configured and NODE_ENV is `)
    expect(error.why).toContain('without Secure')
    expect(error.fix).toMatch(/^Set COATCHECK_BASE_URL to the origin that browsers see/)
    for (const NODE_ENV of ['development', 'test']) {
      expect(resolveConfig(options, { ...env, NODE_ENV }).baseUrl.href).toBe('http://localhost:3000/')
    }
  })

  it.each([
    ['172.18.0.1', ['172.18.0.1']],
    ['10.0.2.2, fd00::/8', ['10.0.2.2', 'fd00::/8']],
  ])('COATCHECK_LOCAL_PEERS=%s adds addresses of this machine', (text, localPeers) => {
    expect(resolveConfig({}, { COATCHECK_LOCAL_PEERS: text })).toMatchObject({ localPeers })
    expect(resolveConfig({ localPeers }, { COATCHECK_LOCAL_PEERS: '192.0.2.1' })).toMatchObject({ localPeers })
  })

  it.each(['gateway', '172.18.0.1/33', '172.18.0', '10.0.0.0/8/8', '172.18.0.1,,'])(
    'COATCHECK_LOCAL_PEERS=%s is refused',
    (text) => {
      expect(failure({}, { COATCHECK_LOCAL_PEERS: text })).toMatchObject({ code: 'COATCHECK_CONFIG_INVALID' })
    },
  )

  it('is derived from PORT outside of production only', () => {
    expect(resolveConfig({}, { PORT: '4000' }).baseUrl.href).toBe('http://localhost:4000/')
    expect(resolveConfig({}, { PORT: ' ', NODE_ENV: 'development' }).baseUrl.port).toBe('3000')
    expect(failure({}, { NODE_ENV: 'production' })).toMatchObject({
      code: 'COATCHECK_CONFIG_MISSING',
      details: { option: 'baseUrl', variable: 'COATCHECK_BASE_URL' },
    })
    for (const PORT of ['0', '65536', 'http', '\\\\.\\pipe\\x', '3000 4000']) {
      expect(failure({}, { PORT })).toMatchObject({ code: 'COATCHECK_CONFIG_INVALID', details: { variable: 'PORT' } })
    }
  })
})

describe('environment', () => {
  it('is overruled by options', () => {
    const env = { COATCHECK_BASE_URL: 'https://env.example', COATCHECK_KEYS: 'env', REDIS_PREFIX: 'env:', ...redis }
    const fromEnv = resolveConfig({}, env)
    expect(fromEnv).toMatchObject({ keys: ['env'], prefix: 'env:' })
    expect(fromEnv.baseUrl.host).toBe('env.example')
    const fromOptions = resolveConfig({ ...https, prefix: 'own:' }, env)
    expect(fromOptions).toMatchObject({ keys: [KEY], prefix: 'own:' })
    expect(fromOptions.baseUrl.host).toBe('app.example.com')
    // An empty prefix is a value; it does not count as absent.
    expect(resolveConfig({ prefix: '' }, env).prefix).toBe('')
  })

  it.each([
    ['COATCHECK_BASE_URL', 'app.example.com'],
    ['REDIS_PREFIX', 'app:{x}'],
    ['REDIS_PREFIX', 'a b'],
  ])('%s=%s is refused by the name of the variable', (name, value) => {
    const error = failure({}, { [name]: value })
    expect(error).toMatchObject({ code: 'COATCHECK_CONFIG_INVALID', details: { variable: name } })
    expect(error.message).toContain(`Environment variable ${name}: got "${value}", expected `)
  })

  it('is not changed', () => {
    const env = Object.freeze({ ...redis, COATCHECK_KEYS: KEY, PORT: '3000', NODE_ENV: 'test' })
    expect(() => resolveConfig({}, env)).not.toThrow()
  })

  it('splits keys, from text and from array', () => {
    expect(resolveConfig({ ...https, keys: 'a,b' }, redis).keys).toEqual(['a', 'b'])
    expect(resolveConfig({ ...https, keys: ['a', 'b,c'] }, redis).keys).toEqual(['a', 'b', 'c'])
  })
})

describe('what development may leave out', () => {
  it('keys: on a loopback base URL only', () => {
    expect(resolveConfig({ baseUrl: 'https://localhost' }, {}).keys).toEqual([])
    for (const NODE_ENV of ['development', 'test', 'production', undefined]) {
      const error = failure({ baseUrl: 'https://app.example.com' }, { ...redis, NODE_ENV })
      expect(error).toMatchObject({ code: 'COATCHECK_CONFIG_MISSING', details: { option: 'keys' } })
      expect(error.message).toContain('COATCHECK_KEYS')
    }
  })

  it('Redis: on a loopback base URL only, whatever NODE_ENV says', () => {
    expect(resolveConfig({ baseUrl: 'http://localhost' }, { NODE_ENV: 'production' }).store).toBeNull()
    for (const NODE_ENV of ['development', 'test', 'production', undefined]) {
      expect(failure(https, { NODE_ENV })).toMatchObject({ code: 'COATCHECK_STORE_REQUIRED' })
      const withMemory = { ...https, store: memoryStore() }
      expect(failure(withMemory, { ...redis, NODE_ENV })).toMatchObject({ code: 'COATCHECK_STORE_REQUIRED' })
    }
    expect(resolveConfig(https, redis).store).toBeNull()
  })
})

describe('timeouts', () => {
  it.each([
    [{ preset: 'aal1' }, 720, 720],
    [{ preset: 'aal2' }, 1, 24],
    [{ preset: 'aal3' }, 0.25, 12],
    [{ preset: 'aal3', idleTimeout: '10m' }, 1 / 6, 12],
    [{ preset: 'aal2', absoluteTimeout: '30min' }, 0.5, 0.5],
    [{ absoluteTimeout: '1h' }, 1, 1],
    [{ idleTimeout: 24 * HOUR }, 24, 24],
    [{ idleTimeout: '2d', absoluteTimeout: '7d' }, 48, 168],
  ] as const)('%j: idle %d h, absolute %d h', (session, idle, absolute) => {
    expect(resolveConfig({ session }, {}).session).toMatchObject({
      idleTimeoutMs: idle * HOUR,
      absoluteTimeoutMs: absolute * HOUR,
    })
  })

  it('turns a limit into its action', () => {
    const limit = (maxPerUser: number | { max: number; action: 'refuse' }): unknown =>
      resolveConfig({ session: { maxPerUser } }, {}).session.limit
    expect(limit(5)).toEqual({ max: 5, action: 'end-oldest' })
    expect(limit({ max: 3, action: 'refuse' })).toEqual({ max: 3, action: 'refuse' })
  })
})

describe('secrets', () => {
  it('appear in no error, whatever is wrong with the options around them', () => {
    const secret = 'planted-s3cret-0123456789'
    const plants: readonly (readonly [unknown, Environment?])[] = [
      [secret],
      [{ keys: { secret } }],
      [{ keys: 1234567890123 }],
      [{ keys: secret, baseUrl: 'nonsense' }],
      [{ baseUrl: `https://user:${secret}@app.example.com` }],
      [{ baseUrl: `http://app.example.com/` }, { COATCHECK_KEYS: secret }],
      [{ prefix: `{${secret}}` }],
      [{ providers: [entra({ ...registration, clientSecret: 1234567890123 as never })] }],
      [{ providers: [entra({ clientSecret: secret })] }],
      [{ providers: [entra({ ...registration, clientSecret: secret, issuer: 'http://idp.example' })] }],
      [{ providers: [oidc({ name: 'x', issuer: `https://u:${secret}@idp.example`, clientId: 'y' })] }],
      [{ providers: [oidc({ name: secret.toUpperCase(), issuer: 'https://idp.example', clientId: 'y' })] }],
      [{ store: secret }],
      [{}, { COATCHECK_BASE_URL: `https://u:${secret}@x.example` }],
      [{}, { REDIS_PREFIX: `${secret} ` + '{' }],
      [{ ...https }, { REDIS_URL: '', REDIS_PASSWORD: secret }],
    ]
    for (const [options, env] of plants) {
      const error = failure(options, env)
      const shown = [error.message, error.stack, JSON.stringify(error), String(error.cause)].join('\n').toLowerCase()
      expect(error.code).toMatch(/^COATCHECK_/)
      expect(shown).not.toContain(secret)
      expect(shown).not.toContain('1234567890123')
    }
  })
})
