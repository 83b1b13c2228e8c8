import { describe, expect, it } from 'vitest'
import type { ConfigError } from '../core/errors.ts'
import { memoryStore } from '../stores/memory/memory-store.ts'
import { entra } from '../oidc/entra.ts'
import { oidc } from '../oidc/provider.ts'
import type { Environment } from './environment.ts'
import { resolveConfig } from './resolve.ts'
import type { Options } from './types.ts'

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
