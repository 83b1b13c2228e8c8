/** `writeTimeoutMs` is when a change is reported as missed, and after which the server does not execute it any more. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { EventBus } from '../../src/core/events.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import type { Store } from '../../src/stores/store.ts'
import { expectWithin } from '../lab/limits.ts'
import { inMs, observed } from '../lab/report.ts'
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

function connect(writeTimeoutMs: number): void {
  store = redisStore({ url: server.url, writeTimeoutMs }).open({
    prefix: '',
    clock: systemClock,
    events: new EventBus(),
    loopback: true,
  })
}

async function open(writeTimeoutMs: number): Promise<void> {
  connect(writeTimeoutMs)
  await store.ready()
}

const { userKey } = ref
const tokens = { set: new Map([['grant:x', { record, ttlMs: 60_000 }]]) }
const lease = { field: 'lease:x', holder: Buffer.alloc(16, 2), ttlMs: 60_000 }
const writes: [string, () => Promise<unknown>][] = [
  ['a session', () => store.sessions.create(ref, record, life)],
  ['a session of a user', () => store.sessions.create({ ...ref, kind: 'user' }, record, life)],
  ['tokens', () => store.tokens.write(userKey, tokens)],
  ['tokens that should last', () => store.tokens.write(userKey, { ...tokens, lasting: true })],
  ['a lease', () => store.tokens.takeLease(userKey, lease)],
  ['a used sign-in', () => store.transactions.claim('state', Buffer.alloc(5, 1), 60_000)],
  ['a failure of a provider', () => store.providerGate.failed('p', 1000, 'unavailable')],
  ['a provider session', () => store.providerSessions.register('p', ref.id, 1, 60_000)],
  ['a logout token', () => store.providerSessions.markUsed('jti', 60_000)],
]

test.each(writes)('%s: a short one ends early, and nothing is written when the server goes on', async (what, write) => {
  await server.cli('flushall')
  await open(SHORT_MS)
  server.pause()
  const started = performance.now()
  await expect(write()).rejects.toMatchObject({ code: 'COATCHECK_REDIS_TIMEOUT' })
  const waitedMs = performance.now() - started
  expectWithin(waitedMs, DEFAULT_MS)
  server.resume()
  // On the same connection, so behind the script.
  expect((await store.sessions.read(ref)).record).toBeNull()
  expect(await server.cli('dbsize')).toBe('0')
  observed('F7.late-write', `${what}: said after ${inMs(waitedMs)} with a deadline of ${SHORT_MS}, 0 written later`)
})

/** What is there, and what would take it away. */
const takings: [string, () => Promise<unknown>, () => Promise<unknown>][] = [
  [
    'opening the gate of a provider',
    () => store.providerGate.failed('p', 60_000, 'unavailable'),
    () => store.providerGate.worked('p'),
  ],
]

test.each(takings)('%s: nothing is taken when the server goes on', async (_, put, take) => {
  await server.cli('flushall')
  await open(SHORT_MS)
  await put()
  server.pause()
  await expect(take()).rejects.toMatchObject({ code: 'COATCHECK_REDIS_TIMEOUT' })
  server.resume()
  await store.sessions.read(ref)
  expect(await server.cli('dbsize')).toBe('1')
})

test.each(writes.filter(([name]) => name === 'a session' || name === 'tokens'))(
  '%s: a long one outlasts a pause that is longer than the default',
  async (_, write) => {
    await open(20_000)
    await server.cli('client', 'pause', String(DEFAULT_MS + 200))
    expect(await write()).toMatchObject({ status: expect.stringMatching(/^(created|done)$/) })
  },
)

test.each(writes)('%s: a process that is busy while it connects is not late', async (_what, write) => {
  await server.cli('flushall')
  await server.cli('script', 'flush')
  connect(DEFAULT_MS)
  const written = write()
  const busyUntil = performance.now() + DEFAULT_MS + 100
  while (performance.now() < busyUntil);
  await expect(written).resolves.not.toThrow()
  expect(await server.cli('dbsize')).not.toBe('0')
})
