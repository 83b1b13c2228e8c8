/** Clocks that are wrong: of a replica that is promoted, and of an application. F17 of docs/faults.md. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Coatcheck } from '../../src/app/coatcheck.ts'
import { systemClock } from '../../src/core/clock.ts'
import { EventBus } from '../../src/core/events.ts'
import { systemRandom } from '../../src/core/random.ts'
import { coatcheck } from '../../src/entries/coatcheck.ts'
import { createKeyring } from '../../src/keyring/keyring.ts'
import { createSeal } from '../../src/keyring/seal.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { createSessionStore } from '../../src/session/session-store.ts'
import type { SessionStore } from '../../src/session/types.ts'
import { untilWorks } from '../support/redis-clients.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { type ReplicatedPair, startReplicatedPair } from '../support/replicated-pair.ts'
import { createSkewedClock, type SkewedClock } from '../support/skewed-clock.ts'
import { inMs, observed } from './report.ts'

const HOUR_SECONDS = 3600
const ABSOLUTE_MS = 4000
const TOLERATED_MS = 5000
const PEOPLE = 40

let clock: SkewedClock
const closing: (() => Promise<unknown>)[] = []
beforeAll(() => {
  clock = createSkewedClock()
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})
afterAll(() => clock.remove())

async function withReplicaAt(seconds: number): Promise<{ pair: ReplicatedPair; auth: Coatcheck<{ n?: number }> }> {
  const pair = await startReplicatedPair({ env: (number) => (number === 1 ? clock.env(seconds) : {}) })
  closing.push(() => pair.stop())
  const auth = coatcheck<{ n?: number }>({
    store: redisStore({ url: pair.url }),
    keys: randomBytes(32).toString('base64'),
    baseUrl: 'https://sessions.example',
    session: { absoluteTimeout: `${ABSOLUTE_MS}ms`, idleTimeout: `${ABSOLUTE_MS}ms` },
  })
  closing.push(() => auth.close())
  await auth.ready()
  return { pair, auth }
}

const hoursOff = async (server: RedisServer): Promise<number> => {
  const [seconds] = (await server.cli('time')).split('\n')
  return Math.round((Number(seconds) - systemClock.now() / 1000) / HOUR_SECONDS)
}

test('a replica whose clock is an hour behind is promoted: no session outlives the absolute expiry, and writes go on', async () => {
  const { pair, auth } = await withReplicaAt(-HOUR_SECONDS)
  expect(await hoursOff(pair.replica)).toBe(-1)
  const issued = await Promise.all(Array.from({ length: PEOPLE }, (_, i) => auth.sessions.create({ userId: `u${i}` })))
  const expiresAtMs = systemClock.now() + ABSOLUTE_MS
  await pair.replicasCaughtUp()
  await pair.promote()
  const [first, ...others] = issued
  await untilWorks(() => auth.sessions.update(first?.ticket ?? '', (draft) => void (draft.n = 1)))
  for (const { ticket } of others) expect((await auth.sessions.find(ticket)).session).not.toBeNull()
  let lastAliveMs = 0
  let alive = issued
  while (alive.length > 0 && systemClock.now() < expiresAtMs + 2 * TOLERATED_MS) {
    const found = await Promise.all(alive.map(({ ticket }) => auth.sessions.find(ticket)))
    alive = alive.filter((_, i) => found[i]?.session !== null)
    if (alive.length > 0) lastAliveMs = systemClock.now()
    await sleep(10)
  }
  const over = lastAliveMs - expiresAtMs
  expect(over).toBeLessThan(TOLERATED_MS)
  // The keys are still there: it is not the server that ended them.
  expect(Number(await pair.primary.cli('dbsize'))).toBeGreaterThanOrEqual(PEOPLE)
  const again = await auth.sessions.create({ userId: 'u0' })
  expect((await auth.sessions.find(again.ticket)).session?.user?.id).toBe('u0')
  observed(
    'F17.behind',
    `an hour behind: ${PEOPLE} sessions ended ${inMs(Math.max(0, over))} after their absolute expiry at the latest`,
  )
})

test('a replica whose clock is an hour ahead is promoted: what it still has is valid, and whoever comes signs in and writes', async () => {
  const { pair, auth } = await withReplicaAt(HOUR_SECONDS)
  expect(await hoursOff(pair.replica)).toBe(1)
  const issued = await Promise.all(Array.from({ length: PEOPLE }, (_, i) => auth.sessions.create({ userId: `u${i}` })))
  await pair.replicasCaughtUp()
  await pair.promote()
  await untilWorks(() => auth.sessions.create({ userId: 'new' }))
  const reasons = await Promise.all(issued.map(({ ticket }) => auth.sessions.find(ticket)))
  const lost = reasons.filter(({ session }) => session === null).length
  const { ticket } = await auth.sessions.create({ userId: 'u0' })
  await auth.sessions.update(ticket, (draft) => void (draft.n = 1))
  expect((await auth.sessions.find(ticket)).session?.data.n).toBe(1)
  expect(await auth.sessions.revokeByUser('u0')).toMatchObject({ count: 1 })
  expect((await auth.sessions.find(ticket)).session).toBeNull()
  await sleep(ABSOLUTE_MS)
  for (const { ticket: old } of issued) expect((await auth.sessions.find(old)).session).toBeNull()
  observed(
    'F17.ahead',
    `an hour ahead: 0 outlive their expiry; ${lost} of ${PEOPLE} with less than an hour left were gone at once`,
  )
})

/** A store of an application whose clock is off, on the same Redis and keys. */
async function storeAt(
  url: string,
  offsetMs: number,
  keys: readonly string[],
  idleTimeoutMs: number,
): Promise<SessionStore<{ n?: number }>> {
  const own = { now: () => systemClock.now() + offsetMs, monotonic: () => systemClock.monotonic() }
  const events = new EventBus()
  const store = redisStore({ url }).open({ prefix: '', clock: own, events, loopback: true })
  closing.push(() => store.close())
  await store.ready()
  const keyring = createKeyring(keys)
  const config = {
    ...{ idleTimeoutMs, absoluteTimeoutMs: 3 * idleTimeoutMs, schema: null, schemaVersion: 1, upcasts: {} },
    ...{ limit: null, maxBytes: 65_536, onUnavailable: 'fail' as const, staleForMs: 0 },
  } as const
  const shared = { keyring, seal: createSeal(keyring), clock: own, random: systemRandom, events, namespace: '' }
  return createSessionStore<{ n?: number }>({ ...shared, driver: store.sessions, config })
}

// Off by much and signed in for hours, as by default; off by little and for a minute.
test.each([
  [-300_000, 8 * 3_600_000],
  [300_000, 8 * 3_600_000],
  [-5000, 60_000],
  [5000, 60_000],
])(
  'an application whose clock is off by %i ms signs nobody out who may be idle for %i ms',
  async (offsetMs, idleMs) => {
    const server = await startRedisServer()
    closing.push(() => server.stop())
    const keys = [randomBytes(32).toString('base64')]
    const right = await storeAt(server.url, 0, keys, idleMs)
    const wrong = await storeAt(server.url, offsetMs, keys, idleMs)
    let kept = 0
    for (let i = 0; i < 30; i++) {
      // Made by one and written by the other.
      for (const [one, other] of [
        [right, wrong],
        [wrong, right],
      ] as const) {
        const { ticket, session } = await one.create({ userId: `u${i}`, data: { n: 0 } })
        await other.update(ticket, (draft) => void (draft.n = 1))
        const found = await Promise.all([one.find(ticket), other.find(ticket)])
        if (found.every((each) => each.session?.data.n === 1)) kept++
        // Whoever has ended it, it has ended for both.
        await other.revoke(session.id ?? '')
        for (const each of await Promise.all([one.find(ticket), other.find(ticket)])) expect(each.session).toBeNull()
      }
    }
    expect(kept).toBe(60)
    observed('F17.application', `off by ${offsetMs / 1000} s: ${kept} of 60 stay signed in`)
  },
)
