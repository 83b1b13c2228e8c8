/** `writeTimeoutMs` is when a change is reported as missed, and after which the server does not execute it any more. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { EventBus } from '../../src/core/events.ts'
import { redisStore } from '../../src/redis.ts'
import type { Store } from '../../src/store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const SHORT_MS = 100
const DEFAULT_MS = 1000
const record = Buffer.alloc(64, 1)
const ref = { kind: 'anonymous', userKey: 'AAAAAAAAAAAAAAAA', id: 'BBBBBBBBBBBBBBBBBBBBBB' } as const
const life = { ttlMs: 60_000, slackMs: 0, absoluteMs: 60_000 }

let server: RedisServer
let store: Store
beforeAll(async () => {
  server = await startRedisServer()
})
afterEach(async () => {
  server.resume()
  await store.close()
})
afterAll(() => server.stop())

async function open(writeTimeoutMs: number): Promise<void> {
  store = redisStore({ url: server.url, writeTimeoutMs }).open({
    prefix: '',
    clock: systemClock,
    events: new EventBus(),
    loopback: true,
  })
  await store.ready()
}

const writes: [string, () => Promise<unknown>][] = [
  ['a session', () => store.sessions.create(ref, record, life)],
  ['tokens', () => store.tokens.write(ref.userKey, { set: new Map([['grant:x', { record, ttlMs: 60_000 }]]) })],
]

test.each(writes)('%s: a short one ends early, and nothing is written when the server goes on', async (_, write) => {
  await server.cli('flushall')
  await open(SHORT_MS)
  server.pause()
  const started = performance.now()
  await expect(write()).rejects.toMatchObject({ code: 'COATCHECK_REDIS_TIMEOUT' })
  expect(performance.now() - started).toBeLessThan(DEFAULT_MS)
  server.resume()
  // On the same connection, so behind the script.
  expect((await store.sessions.read(ref)).record).toBeNull()
  expect(await server.cli('dbsize')).toBe('0')
})

test('a sign-in that is started waits as long as a change', async () => {
  await open(SHORT_MS)
  server.pause()
  const started = performance.now()
  await expect(store.transactions.put('state', record, 60_000)).rejects.toMatchObject({
    code: 'COATCHECK_REDIS_TIMEOUT',
  })
  expect(performance.now() - started).toBeLessThan(DEFAULT_MS)
})

test.each(writes)('%s: a long one outlasts a pause that is longer than the default', async (_, write) => {
  await open(20_000)
  await server.cli('client', 'pause', String(DEFAULT_MS + 200))
  expect(await write()).toMatchObject({ status: expect.stringMatching(/^(created|done)$/) })
})
