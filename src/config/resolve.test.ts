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
      cache: { maxBytes: 33_554_432 },
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
    ['cache', 32],
    ['cache.maxBytes', -1],
    ['cache.maxBytes', '32mb'],
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
