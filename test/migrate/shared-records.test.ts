/** Records that an old library and Coatcheck share, step by step: what a crash leaves, values of another kind, lives, outages. */
import { randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { secondaryStorage, type CoatcheckSecondaryStorage } from '../../src/app/drop-ins/better-auth.ts'
import { auth0Store, betterAuthStorage } from '../../src/entries/migrate.ts'
import { type CoatcheckSessionDataStore, sessionDataStore } from '../../src/app/drop-ins/nextjs-auth0.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import type { StoreFactory } from '../../src/stores/store.ts'
import { inSteps, Steps } from './dual-read-world.ts'
import { testRedis } from './test-redis.ts'

const keys = randomBytes(32).toString('base64')
const keyOf = (id: string): string => `sessions:${id}`
const HOUR_MS = 3_600_000
const redis = testRedis()
let outcomes: string[]

beforeEach(() => {
  outcomes = []
})

function open(mode: 'read' | 'move'): CoatcheckSessionDataStore {
  const store = sessionDataStore({
    store: redisStore({ url: redis.url }),
    keys,
    migrateFrom: auth0Store({ mode, keyOf }),
  })
  store.events.on('migration.read', ({ outcome }) => outcomes.push(outcome))
  redis.closing(store)
  return store
}
/** In mode `move`. Each call of a driver is a step. */
function openInSteps(steps: Steps): CoatcheckSessionDataStore {
  const factory = redisStore({ url: redis.url })
  const store: StoreFactory = {
    isLocal: factory.isLocal,
    identity: randomBytes(8).toString('hex'),
    open(context) {
      const opened = factory.open(context)
      const oldRecords = async () => inSteps(await opened.oldRecords(), steps)
      return { ...opened, oldRecords, documents: inSteps(opened.documents, steps) }
    },
  }
  const dropIn = sessionDataStore({ store, keys, migrateFrom: auth0Store({ mode: 'move', keyOf }) })
  redis.closing(dropIn)
  return dropIn
}
const session = (sub: string, more: object = {}) => ({
  user: { sub },
  tokenSet: { accessToken: 'at' },
  internal: { sid: `sid-${sub}`, createdAt: Math.floor(Date.now() / 1000) },
  ...more,
})
const putOld = (id: string, value: object, ttlMs = HOUR_MS) =>
  redis.client.set(keyOf(id), JSON.stringify(value), { PX: ttlMs })
const ourTtl = async (): Promise<number> => {
  const [name = ''] = await redis.client.keys('host:nextjs-auth0:*')
  return redis.client.pTTL(name)
}

it('in read, a write of the same session extends the copy too, and counts as no change of an old process', async () => {
  const ada = session('ada')
  await putOld('id', ada, 60_000)
  const store = open('read')
  expect(await store.get('id')).not.toBeNull()
  await store.set('id', ada)
  const oldTtlMs = await redis.client.pTTL(keyOf('id'))
  expect(oldTtlMs).toBeGreaterThan(60_000)
  // The sets of user and provider session name the copy as long as it lives.
  expect(await ourTtl()).toBeGreaterThan(60_000)
  expect(await ourTtl()).toBeLessThanOrEqual(oldTtlMs)
  await store.set('id', session('ada', { changed: true }))
  expect(outcomes).toEqual(['adopted'])
})

it('a crash after a takeover leaves an old key, which a revocation by user deletes', async () => {
  await putOld('id', session('ada'))
  const store = open('move')
  expect(await store.get('id')).not.toBeNull()
  // What a process leaves that stops before it deletes the old key.
  await putOld('id', session('ada'))
  expect(await store.revokeByUser('ada')).toBe(1)
  expect(await redis.client.exists(keyOf('id'))).toBe(0)
  expect(await store.get('id')).toBeNull()
  expect(outcomes).toEqual(['moved'])
})

it.each(['revoke', 'revokeByUser', 'deleteByLogoutToken'] as const)(
  '%s ends a session for old processes, too',
  async (how) => {
    await putOld('id', session('ada'))
    const store = open('read')
    expect(await store.get('id')).not.toBeNull()
    const [listed] = await store.listByUser('ada')
    if (how === 'revoke') expect(await store.revoke(listed?.id ?? '')).toBe(true)
    else if (how === 'revokeByUser') expect(await store.revokeByUser('ada')).toBe(1)
    else await store.deleteByLogoutToken({ sub: 'ada', sid: 'sid-ada' })
    expect(await redis.client.exists(keyOf('id'))).toBe(0)
    // A late write of an old process.
    await putOld('id', session('ada'))
    expect(await store.get('id')).toBeNull()
    expect(await redis.client.exists(keyOf('id'))).toBe(0)
  },
)

it(
  'deletes the old key again a few seconds after the end, also if no process asks for the session',
  { timeout: 20_000 },
  async () => {
    await putOld('id', session('ada'))
    const store = open('read')
    await store.delete('id')
    await putOld('id', session('ada'))
    await expect.poll(() => redis.client.exists(keyOf('id')), { timeout: 12_000 }).toBe(0)
  },
)

it('a session that an old process ended is not listed, and ends', async () => {
  await putOld('id', session('ada'))
  const store = open('read')
  expect(await store.get('id')).not.toBeNull()
  await redis.client.del(keyOf('id'))
  expect(await store.listByUser('ada')).toEqual([])
  expect(await store.update('id', session('ada') as never)).toBe(false)
  expect(await store.get('id')).toBeNull()
  expect(await redis.client.exists(keyOf('id'))).toBe(0)
  expect(outcomes).toEqual(['adopted', 'ended'])
})

it('no life is longer than that of the old key; a key without one gets the default, and is counted', async () => {
  for (const mode of ['read', 'move'] as const) {
    await redis.client.flushAll()
    outcomes = []
    await putOld('id', session('ada'), 60_000)
    expect(await open(mode).get('id')).not.toBeNull()
    expect(await ourTtl()).toBeLessThanOrEqual(60_000)
    await redis.client.flushAll()
    await redis.client.set(keyOf('id'), JSON.stringify(session('ada')))
    expect(await open(mode).get('id')).not.toBeNull()
    expect(await ourTtl()).toBeLessThanOrEqual(24 * HOUR_MS)
    expect(outcomes).toContain('no_expiry')
  }
})

it('counts each read of an old key in `read`, also of one that has not changed', async () => {
  await putOld('id', session('ada'))
  const store = open('read')
  expect(await store.get('id')).not.toBeNull()
  expect(await store.get('id')).not.toBeNull()
  expect(outcomes).toEqual(['adopted', 'unchanged'])
})

it('leaves values alone that are no session, and counts them', async () => {
  const storage = secondaryStorage({
    store: redisStore({ url: redis.url }),
    keys,
    migrateFrom: betterAuthStorage({ mode: 'move' }),
  })
  redis.closing(storage)
  const token = 'A'.repeat(32)
  const other = JSON.stringify({ session: { token: 'B'.repeat(32), userId: 'u', expiresAt: Date.now() + HOUR_MS } })
  for (const text of ['{"of":"another library"}', 'no JSON', '[]', other]) {
    await redis.client.set(token, text)
    await redis.client.set(keyOf('id'), text)
    expect(await storage.get(token)).toBeNull()
    await storage.delete(token)
    for (const mode of ['read', 'move'] as const) {
      const store = open(mode)
      expect(await store.get('id')).toBeNull()
      await store.delete('id')
    }
    expect(await redis.client.get(token)).toBe(text)
    expect(await redis.client.get(keyOf('id'))).toBe(text)
  }
  expect(outcomes.filter((outcome) => outcome === 'unreadable')).toHaveLength(8)
})

it.each(['read', 'move'] as const)('mode %s rejects during an outage, and signs nobody out', async (mode) => {
  await putOld('id', session('ada'))
  const store = open(mode)
  expect(await store.get('id')).not.toBeNull()
  redis.server.pause()
  try {
    await expect(store.get('id')).rejects.toMatchObject({ code: 'COATCHECK_REDIS_TIMEOUT' })
    await expect(store.update('id', session('ada') as never)).rejects.toMatchObject({ name: 'RedisError' })
  } finally {
    redis.server.resume()
  }
  await expect
    .poll(() => store.get('id').catch(() => null), { timeout: 10_000 })
    .toMatchObject({ user: { sub: 'ada' } })
})

it('the record of a removed origin is handed out without a trace of it', async () => {
  await putOld('id', session('ada', { note: 1 }))
  expect(await open('read').get('id')).not.toBeNull()
  const plain = sessionDataStore({ store: redisStore({ url: redis.url }), keys })
  redis.closing(plain)
  expect(await plain.get('id')).toEqual(session('ada', { note: 1, internal: expect.anything() as object }))
  const [name = ''] = await redis.client.keys('host:nextjs-auth0:*')
  expect(await redis.client.get(name)).not.toContain('sessions:id')
})

it('a visitor who reads a name of their choice deletes no key of another application', async () => {
  await redis.client.set('config:flags', 'on', { PX: HOUR_MS })
  for (const mode of ['read', 'move'] as const) {
    const migrateFrom = betterAuthStorage({ mode })
    const storage = secondaryStorage({ store: redisStore({ url: redis.url }), keys, migrateFrom })
    redis.closing(storage)
    await storage.get('config:flags')
    expect(await redis.client.get('config:flags')).toBe('on')
  }
})

describe('a process that stops between the takeover and the removal of the old key', () => {
  const leftOver = async (): Promise<void> => {
    await putOld('id', session('ada'))
    expect(await open('move').get('id')).not.toBeNull()
    // What a process leaves that stops before it deletes the old key.
    await putOld('id', session('ada'))
    outcomes = []
  }

  it.each<[string, (store: CoatcheckSessionDataStore) => Promise<unknown>]>([
    ['a read', (store) => store.get('id')],
    ['a write', (store) => store.set('id', session('ada', { n: 1 }))],
    ['the end', (store) => store.delete('id')],
  ])('leaves an old key that %s of another process deletes', async (_name, request) => {
    await leftOver()
    await request(open('move'))
    expect(await redis.client.exists(keyOf('id'))).toBe(0)
  })

  it('leaves an old key that a write in mode read keeps in mind, and a later read deletes', async () => {
    await leftOver()
    await open('read').set('id', session('ada', { n: 1 }))
    expect(await open('move').get('id')).toMatchObject({ n: 1 })
    expect(await redis.client.exists(keyOf('id'))).toBe(0)
  })

  it.each([false, true])('leaves nothing, whichever step is lost; it is carried out: %s', async (behind) => {
    for (let step = 1; ; step++) {
      await redis.client.flushAll()
      await putOld('id', session('ada'))
      const steps = new Steps()
      steps.lose(step, behind)
      const outcome = await openInSteps(steps)
        .get('id')
        .then(() => 'answered', String)
      expect(await open('move').get('id')).not.toBeNull()
      expect(await redis.client.exists(keyOf('id')), `step ${step}`).toBe(0)
      if (steps.count < step) return expect(step).toBeGreaterThan(4)
      expect(outcome).toContain('RedisError')
    }
  })

  it('leaves a value of another library alone that took the place of the old record', async () => {
    await leftOver()
    await redis.client.set(keyOf('id'), '{"of":"another library"}')
    expect(await open('move').get('id')).not.toBeNull()
    expect(await redis.client.get(keyOf('id'))).toBe('{"of":"another library"}')
  })

  it('costs each process one more read, and not each request', async () => {
    await leftOver()
    const store = open('move')
    await store.get('id')
    await putOld('id', session('ada'))
    await store.get('id')
    expect(await redis.client.exists(keyOf('id'))).toBe(1)
  })
})

it('a sign-out of better-auth leaves no list of sessions under an old key, and keeps those of other sessions', async () => {
  const migrateFrom = betterAuthStorage({ mode: 'read' })
  const storage = secondaryStorage({ store: redisStore({ url: redis.url }), keys, migrateFrom })
  redis.closing(storage)
  const [one, other] = ['A'.repeat(32), 'B'.repeat(32)]
  const expiresAt = Date.now() + HOUR_MS
  for (const token of [one, other]) {
    const text = JSON.stringify({ session: { token, userId: 'ada', expiresAt: new Date(expiresAt) }, user: {} })
    await redis.client.set(token, text, { PX: HOUR_MS })
  }
  const entries = [one, other].map((token) => ({ token, expiresAt }))
  await redis.client.set('active-sessions-ada', JSON.stringify(entries), { PX: HOUR_MS })
  // As better-auth signs out: first the list, then the session.
  await storage.set('active-sessions-ada', JSON.stringify(entries.slice(1)), HOUR_MS / 1000)
  await storage.delete(one)
  expect(JSON.parse((await redis.client.get('active-sessions-ada')) ?? '')).toEqual([{ token: other, expiresAt }])
  await storage.delete('active-sessions-ada')
  await storage.delete(other)
  expect(await redis.client.exists(['active-sessions-ada', one, other])).toBe(0)
})

it.each(['created', 'took over'])(
  'a process in `read` that ends a session of better-auth which a process in `move` %s leaves no old list',
  async (how) => {
    const [read, move] = (['read', 'move'] as const).map((mode) => {
      const storage = secondaryStorage({
        store: redisStore({ url: redis.url }),
        keys,
        migrateFrom: betterAuthStorage({ mode }),
      })
      redis.closing(storage)
      return storage
    }) as [CoatcheckSecondaryStorage, CoatcheckSecondaryStorage]
    const [token, list] = ['A'.repeat(32), 'active-sessions-ada']
    const expiresAt = Date.now() + HOUR_MS
    const text = JSON.stringify({ session: { token, userId: 'ada', expiresAt: new Date(expiresAt) }, user: {} })
    const entries = JSON.stringify([{ token, expiresAt }])
    const creator = how === 'created' ? move : read
    await creator.set(list, entries, HOUR_MS / 1000)
    await creator.set(token, text, HOUR_MS / 1000)
    expect(await move.get(token)).not.toBeNull()
    expect(await read.get(list)).not.toBeNull()
    // As better-auth signs out: first the list, then the session.
    await read.delete(list)
    await read.delete(token)
    expect(await read.get(token)).toBeNull()
    expect(await redis.client.exists([token, list])).toBe(0)
  },
)

it('100 sessions of better-auth that end at once in `read` leave their old list together', async () => {
  const migrateFrom = betterAuthStorage({ mode: 'read' })
  const storage = secondaryStorage({ store: redisStore({ url: redis.url }), keys, migrateFrom })
  redis.closing(storage)
  const expiresAt = Date.now() + HOUR_MS
  const tokens = Array.from({ length: 101 }, (_, index) => String(index).padStart(32, '0'))
  for (const token of tokens) {
    const text = JSON.stringify({ session: { token, userId: 'ada', expiresAt: new Date(expiresAt) }, user: {} })
    await redis.client.set(token, text, { PX: HOUR_MS })
  }
  const [kept, ...ended] = tokens
  const entries = tokens.map((token) => ({ token, expiresAt }))
  await redis.client.set('active-sessions-ada', JSON.stringify(entries), { PX: HOUR_MS })
  await redis.client.configResetStat()
  await Promise.all(ended.map((token) => storage.delete(token)))
  expect(JSON.parse((await redis.client.get('active-sessions-ada')) ?? '')).toEqual([{ token: kept, expiresAt }])
  // A pass reads each session of the list, so a pass for each session would read 100 x 100.
  const [, reads] = /cmdstat_get:calls=(\d+)/.exec(await redis.client.info('commandstats')) ?? []
  expect(Number(reads)).toBeLessThan(2000)
})
