/** Taking over all old sessions as a function: beside requests, through a pause of Redis, and with what old processes write late. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import {
  adoptOldRecords,
  type AdoptionReport,
  type BulkMigration,
  dropInsOf,
  openBulkMigration,
  surveyOldRecords,
} from '../../src/entries/admin.ts'
import { secondaryStorage } from '../../src/app/drop-ins/better-auth.ts'
import { CoatcheckStore } from '../../src/app/drop-ins/koa-session.ts'
import { betterAuthStorage, jsonSessions, koaSessionStore } from '../../src/entries/migrate.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const KEYS = `k1:${randomBytes(32).toString('base64')}`
const signal = new AbortController().signal
const HOUR_MS = 3_600_000

let server: RedisServer
let client: ReturnType<typeof createClient>
const closing: (() => Promise<unknown>)[] = []
beforeAll(async () => {
  server = await startRedisServer()
  client = createClient({ url: server.url })
  client.on('error', () => undefined)
  await client.connect()
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  await client.flushAll()
})
afterAll(async () => {
  client.destroy()
  await server.stop()
})

const ours = () => ({ store: redisStore({ url: server.url }), keys: KEYS })
const koa = (mode: 'read' | 'move' = 'read', store = ours().store): CoatcheckStore =>
  new CoatcheckStore({
    ...ours(),
    store,
    userId: (data) => data['user'] as string,
    migrateFrom: koaSessionStore({ mode, prefix: 'koa:' }),
  })
async function bulk(dropIn: object): Promise<BulkMigration> {
  const [access] = dropInsOf({ dropIn }).values()
  const migration = await openBulkMigration(access!, { isDryRun: false, isConfirmed: true })
  closing.push(() => migration.close())
  return migration
}
const adoptAll = ({ context, origin, events }: BulkMigration): Promise<AdoptionReport> =>
  adoptOldRecords(context, origin, events, { signal })
const koaSession = (user: string): string =>
  JSON.stringify({ user, visits: 0, _expire: Date.now() + HOUR_MS, _maxAge: HOUR_MS })
async function oldSessions(count: number): Promise<void> {
  const all = Array.from({ length: count }, (_, i) => client.set(`koa:s${i}`, koaSession(`u${i}`), { PX: HOUR_MS }))
  await Promise.all(all)
}

test.each(['read', 'move'] as const)('beside requests in %s: each session once, and no write is lost', async (mode) => {
  const count = 300
  await oldSessions(count)
  const app = koa(mode)
  closing.push(() => app.close())
  let adopted = 0
  app.events.on('migration.read', ({ outcome }) => {
    if (outcome === 'adopted') adopted++
  })
  const written = new Map<string, number>()
  let isOver = false
  const requests = async (first: number): Promise<void> => {
    for (let i = first; !isOver; i = (i + 7) % count) {
      const ctx = {}
      const id = `s${i}`
      const session = await app.get(id, undefined, { ctx })
      expect(session).toMatchObject({ user: `u${i}` })
      const visits = (session?.['visits'] as number) + 1
      await app.set(id, { ...session, visits }, HOUR_MS, { ctx })
      written.set(id, visits)
    }
  }
  // Each session is written by one of them only, so its number tells whether a write was lost.
  const beside = requests(3)
  const report = await adoptAll(await bulk(koa(mode)))
  isOver = true
  await beside
  expect((report.outcomes.adopted ?? 0) + adopted).toBe(count)
  for (const [id, visits] of written) expect(await app.get(id)).toMatchObject({ visits })
  expect(await client.exists(Array.from({ length: count }, (_, i) => `koa:s${i}`))).toBe(mode === 'read' ? count : 0)
})

test('a server that does not answer for a while: the run waits and goes on', async () => {
  await oldSessions(200)
  const migration = await bulk(koa('move'))
  const run = adoptAll(migration)
  await expect.poll(async () => (await client.keys('host:koa-session:*')).length).toBeGreaterThan(10)
  server.pause()
  await sleep(1500)
  server.resume()
  expect(await run).toMatchObject({ keys: 200, isDone: true })
  expect(await client.keys('koa:*')).toEqual([])
})

test('an old process writes an old key late: the run removes it, and keeps our session', async () => {
  await oldSessions(2)
  const app = koa('move')
  closing.push(() => app.close())
  for (const ctx of [{}, {}]) {
    const session = await app.get('s0', undefined, { ctx })
    await app.set('s0', { ...session, visits: 5 }, HOUR_MS, { ctx })
  }
  await client.set('koa:s0', koaSession('u0'), { PX: HOUR_MS })
  await adoptAll(await bulk(koa('move')))
  expect(await client.keys('koa:*')).toEqual([])
  expect(await app.get('s0')).toMatchObject({ visits: 5 })
})

test('bare keys: only sessions are taken, whatever else has such a name', async () => {
  const token = 'a'.repeat(32)
  const session = { token, userId: 'ada', expiresAt: new Date(Date.now() + HOUR_MS).toISOString() }
  await client.set(token, JSON.stringify({ session, user: { id: 'ada' } }), { PX: HOUR_MS })
  await client.set('b'.repeat(32), JSON.stringify({ session: { ...session, token: 'c'.repeat(32) }, user: {} }))
  await client.set('d'.repeat(32), 'the cache of another application')
  await client.hSet('e'.repeat(32), 'a', 'hash')
  const storage = (): object => secondaryStorage({ ...ours(), migrateFrom: betterAuthStorage({ mode: 'move' }) })
  const look = await bulk(storage())
  const { families } = await surveyOldRecords(look.context, look.origin, { signal })
  expect(families).toMatchObject([{ family: '<token>', keys: 3, unreadable: 2 }])
  expect(await adoptAll(await bulk(storage()))).toMatchObject({ outcomes: { moved: 1 } })
  expect(await client.exists([token, 'b'.repeat(32), 'd'.repeat(32), 'e'.repeat(32)])).toBe(3)
  // Its own keys are no old ones, though the origin has no prefix.
  expect((await surveyOldRecords(look.context, look.origin, { signal })).families).toMatchObject([{ keys: 2 }])
})

test('keys that a function makes: found if the id stands in them, refused if not', async () => {
  const made = (keyOf: (sid: string) => string): object =>
    new CoatcheckStore({ ...ours(), migrateFrom: jsonSessions({ keyOf, mode: 'move' }) })
  await client.set('app:s1:session', JSON.stringify({ user: 'ada' }), { PX: HOUR_MS })
  await client.set('app:s1:cart', JSON.stringify({ user: 'ada' }), { PX: HOUR_MS })
  expect(await adoptAll(await bulk(made((sid) => `app:${sid}:session`)))).toMatchObject({
    keys: 1,
    outcomes: { moved: 1 },
  })
  expect(await client.exists(['app:s1:session', 'app:s1:cart'])).toBe(1)
  await expect(bulk(made((sid) => `app:${Buffer.from(sid).toString('hex')}`))).rejects.toThrow(/name no session id/)
})
