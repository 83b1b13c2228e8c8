import { afterEach, expect, test, vi } from 'vitest'
import { systemClock } from '../../core/clock.ts'
import { EventBus } from '../../core/events.ts'
import { redisStore } from './redis-store.ts'

const context = () => ({ prefix: '', clock: systemClock, events: new EventBus(), loopback: false })

afterEach(() => {
  vi.unstubAllEnvs()
  vi.doUnmock('redis')
})

test('the identity follows the connection and shows nothing of it', () => {
  vi.stubEnv('REDIS_URL', 'redis://:hunter2@host')
  const first = redisStore().identity
  expect(redisStore().identity).toBe(first)
  expect(first).not.toContain('hunter2')
  expect(redisStore({ maxInFlight: 5 }).identity).not.toBe(first)
  vi.stubEnv('REDIS_PASSWORD', 'other')
  expect(redisStore().identity).not.toBe(first)
  const client = { isOpen: false, isReady: false, connect: vi.fn(), on: vi.fn(), sendCommand: vi.fn() }
  expect(redisStore({ client }).identity).toBe(redisStore({ client }).identity)
  expect(redisStore({ client }).identity).not.toBe(redisStore({ client: { ...client } }).identity)
})

test('copies of this module agree on clients, and distinguish two clients', async () => {
  const fake = () => ({ isOpen: false, isReady: false, connect: vi.fn(), on: vi.fn(), sendCommand: vi.fn() })
  const [client, other] = [fake(), fake()]
  const { identity } = redisStore({ client })
  vi.resetModules()
  const copy = await import('./redis-store.ts')
  expect(copy.redisStore).not.toBe(redisStore)
  expect(copy.redisStore({ client: other }).identity).not.toBe(identity)
  expect(copy.redisStore({ client }).identity).toBe(identity)
})

test('options are checked at once, the environment when it is opened', () => {
  vi.stubEnv('REDIS_URL', 'localhost:6379')
  expect(() => redisStore({ url: 'localhost' })).toThrow(/redisStore\(\)\.url: has no scheme/)
  const factory = redisStore()
  expect(() => factory.open(context())).toThrow(/environment variable REDIS_URL: has no scheme/i)
})

test('without the package redis: says what to install', async () => {
  vi.doMock('redis', () => {
    throw new Error("Cannot find package 'redis'")
  })
  const store = redisStore({ url: 'redis://127.0.0.1:1' }).open(context())
  await expect(store.ready()).rejects.toMatchObject({ name: 'ConfigError', code: 'COATCHECK_REDIS_PACKAGE_MISSING' })
  await expect(store.transactions.claim('x', Buffer.alloc(5), 1000)).rejects.toMatchObject({
    code: 'COATCHECK_REDIS_PACKAGE_MISSING',
  })
  await store.close()
})
