/** `coatcheck()` with a real Redis: the environment decides, instances share one connection, nothing is left open. */
import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { coatcheck } from '../../src/app/coatcheck.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { untilWorks } from '../support/redis-clients.ts'
import { freePort, type RedisServer, startRedisServer } from '../support/redis-server.ts'

let server: RedisServer
const keys = randomBytes(32).toString('base64')
const baseUrl = 'https://app.example.com'

beforeAll(async () => {
  server = await startRedisServer()
})
afterAll(() => server.stop())
beforeEach(() => {
  for (const name of ['REDIS_USERNAME', 'REDIS_PASSWORD', 'REDIS_TLS_CA', 'COATCHECK_KEYS', 'NODE_ENV'])
    vi.stubEnv(name, '')
  vi.stubEnv('REDIS_URL', server.url)
  vi.stubEnv('REDIS_PREFIX', `${randomBytes(4).toString('hex')}:`)
})
afterEach(() => {
  vi.unstubAllEnvs()
})

describe('coatcheck() on Redis', () => {
  it('takes REDIS_URL, REDIS_PREFIX and keys from the environment, and keeps sessions over instances', async () => {
    vi.stubEnv('COATCHECK_KEYS', keys)
    vi.stubEnv('COATCHECK_BASE_URL', baseUrl)
    const first = coatcheck()
    await first.ready()
    const { ticket } = await first.sessions.create({ userId: 'ada', data: { coat: 'camel' } })
    await first.close()
    const second = coatcheck()
    expect((await second.sessions.find(ticket)).session?.data).toEqual({ coat: 'camel' })
    await second.close()
  })

  it('opens one connection for many instances, and leaves none behind', async () => {
    // One line per connection, that of redis-cli itself among them.
    const connections = async (): Promise<number> => (await server.cli('client', 'list')).trim().split('\n').length - 1
    const before = await connections()
    const all = Array.from({ length: 5 }, () => coatcheck({ baseUrl, keys }))
    const statuses: string[] = []
    all.at(-1)?.events.on('redis.status', ({ status }) => statuses.push(status))
    await Promise.all(all.map((auth) => auth.ready()))
    await Promise.all(all.map((auth) => auth.sessions.create()))
    expect((await connections()) - before).toBe(1)
    for (const auth of all) await auth.close()
    expect(await connections()).toBe(before)
    expect(statuses.filter((status) => status === 'ready')).toHaveLength(1)
    expect(statuses.at(-1)).toBe('closed')
  })

  it('says in ready() that Redis hangs although the connection stands, and resolves when it answers again', async () => {
    const auth = coatcheck({ baseUrl, keys, store: redisStore({ connectTimeoutMs: 1000 }) })
    await untilWorks(() => auth.ready())
    server.pause()
    try {
      await expect(auth.ready()).rejects.toMatchObject({ name: 'RedisError', code: 'COATCHECK_REDIS_TIMEOUT' })
    } finally {
      server.resume()
    }
    // Other operations may have opened the circuit meanwhile.
    await untilWorks(() => auth.ready())
    await auth.close()
  })

  it('says in ready() that nothing listens, and recovers without a new instance', async () => {
    const port = await freePort()
    vi.stubEnv('REDIS_URL', `redis://:planted-s3cret@127.0.0.1:${port}`)
    const auth = coatcheck({ baseUrl, keys })
    const error: unknown = await auth.ready().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ name: 'RedisError', code: 'COATCHECK_REDIS_UNREACHABLE', retryable: true })
    expect(`${String(error)}${JSON.stringify(error)}`).not.toContain('planted-s3cret')
    const late = await startRedisServer({ port, args: ['--requirepass', 'planted-s3cret'] })
    await auth.ready()
    await auth.close()
    await late.stop()
  })
})
