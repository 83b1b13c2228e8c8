/** No password leaves this machine without TLS unless the operator allows it. */
import { createClient, createCluster } from 'redis'
import { describe, expect, it } from 'vitest'
import type { ConfigError } from '../core/errors.ts'
import type { RedisConnectionOptions } from './options.ts'
import { destinationOf } from './resolve-destination.ts'

const SECRET = 'hunter2'
type Env = Readonly<Record<string, string>>

function refusal(options: RedisConnectionOptions, env: Env = {}): ConfigError | null {
  try {
    destinationOf(options, env)
    return null
  } catch (error) {
    expect(`${String(error)}${JSON.stringify(error)}`).not.toContain(SECRET)
    return error as ConfigError
  }
}

const refused: readonly [string, RedisConnectionOptions, Env][] = [
  ['a URL', {}, { REDIS_URL: `redis://:${SECRET}@redis.example` }],
  ['a private address', {}, { REDIS_URL: `redis://app:${SECRET}@10.0.0.7:6379` }],
  ['a service of a container network', {}, { REDIS_URL: `redis://:${SECRET}@redis:6379` }],
  ['an IPv6 address', { url: `redis://:${SECRET}@[2001:db8::1]` }, {}],
  ['a name below localhost', { url: `redis://:${SECRET}@evil.localhost` }, {}],
  ['an address that is none', { url: `redis://:${SECRET}@127.999.0.1` }, {}],
  ['a name that begins like a loopback address', { url: `redis://:${SECRET}@127.0.0.1.example` }, {}],
  ['an IPv4 address as IPv6', { url: `redis://:${SECRET}@[::ffff:10.0.0.7]` }, {}],
  ['a client to a name below localhost', { client: createClient({ url: `redis://:${SECRET}@evil.localhost` }) }, {}],
  ['every interface', { url: `redis://:${SECRET}@0.0.0.0` }, {}],
  ['REDIS_PASSWORD', {}, { REDIS_URL: 'redis://redis.example', REDIS_PASSWORD: SECRET }],
  ['the option password', { url: 'redis://redis.example', password: SECRET }, {}],
  [
    'a credentials provider',
    {
      url: 'redis://redis.example',
      credentialsProvider: { type: 'async-credentials-provider', credentials: async () => ({}) },
    },
    {},
  ],
  ['a node of a cluster', { url: `redis://:${SECRET}@localhost`, cluster: ['redis.example'] }, {}],
  ['primaries of remote sentinels', { url: `redis://:${SECRET}@mymaster`, sentinels: ['10.0.0.1'] }, {}],
  ['a sentinel', { url: 'redis://mymaster', sentinels: [`redis://:${SECRET}@10.0.0.1`] }, {}],
  [
    'a plain sentinel beside TLS',
    { url: `rediss://:${SECRET}@mymaster`, sentinels: [`redis://:${SECRET}@10.0.0.1`] },
    {},
  ],
  ['a client', { client: createClient({ url: `redis://:${SECRET}@redis.example` }) }, {}],
  ['a client by socket', { client: createClient({ socket: { host: '10.0.0.7' }, password: SECRET }) }, {}],
]

describe('a password without TLS', () => {
  it.each(refused)('to another machine is refused: %s', (_name, options, env) => {
    const error = refusal(options, env)
    expect(error).toMatchObject({ code: 'COATCHECK_CONFIG_INSECURE', name: 'ConfigError' })
    expect(error?.message).toMatch(/^(?:Option|Environment variable) .* sends a password to \S+ without TLS\.$/)
    expect(error?.why).toContain('private network')
    expect(error?.fix).toMatch(/rediss:.*REDIS_ALLOW_PLAINTEXT=true.*allowPlaintext: true/)
  })

  it.each(refused)('is sent where the operator allows it: %s', (_name, options, env) => {
    expect(refusal({ ...options, allowPlaintext: true }, env)).toBeNull()
    expect(refusal(options, { ...env, REDIS_ALLOW_PLAINTEXT: 'true' })).toBeNull()
    expect(refusal({ ...options, allowPlaintext: false }, { ...env, REDIS_ALLOW_PLAINTEXT: 'true' })).not.toBeNull()
    expect(refusal(options, { ...env, REDIS_ALLOW_PLAINTEXT: 'false' })).not.toBeNull()
  })
})

it.each<[string, RedisConnectionOptions]>([
  ['on this machine', { url: `redis://:${SECRET}@localhost:6379` }],
  ['on a loopback address', { url: `redis://:${SECRET}@127.0.0.1` }],
  ['on localhost in capitals', { url: `redis://:${SECRET}@LOCALHOST` }],
  ['on another loopback address', { url: `redis://:${SECRET}@127.8.0.9` }],
  ['on a loopback address of IPv4 as IPv6', { url: `redis://:${SECRET}@[::ffff:127.0.0.1]` }],
  ['on the loopback address of IPv6', { url: `redis://:${SECRET}@[::1]` }],
  ['through a unix socket', { url: `unix://app:${SECRET}@/run/redis.sock` }],
  ['over TLS', { url: `rediss://:${SECRET}@redis.example` }],
  ['over TLS in a cluster', { url: `rediss://:${SECRET}@redis.example`, cluster: ['10.0.0.2'] }],
  ['without a password', { url: 'redis://redis.example' }],
  ['by a client on this machine', { client: createClient({ password: SECRET }) }],
  [
    'by a client through a unix socket',
    { client: createClient({ socket: { path: '/run/redis.sock', tls: false }, password: SECRET }) },
  ],
  ['by a client over TLS', { client: createClient({ url: `rediss://:${SECRET}@redis.example` }) }],
  [
    'by a client that does not say how it connects',
    { client: createCluster({ rootNodes: [{ url: 'redis://redis.example' }] }) },
  ],
])('Redis %s needs no permission', (_name, options) => {
  expect(refusal(options)).toBeNull()
})

it('a permission that is neither true nor false is refused', () => {
  const error = refusal({ url: 'redis://localhost' }, { REDIS_ALLOW_PLAINTEXT: 'yes' })
  expect(error).toMatchObject({ code: 'COATCHECK_CONFIG_INVALID', details: { variable: 'REDIS_ALLOW_PLAINTEXT' } })
})
