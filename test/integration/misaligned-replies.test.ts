/**
 * A reply is lost between Redis and the process, as in a broken proxy: from then on each is the answer to another question. Nobody is
 * signed out by that, nobody's tokens are gone, and a connection of our own is aligned again at once. Part of F8 of docs/faults.md.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CoatcheckStore } from '../../src/app/drop-ins/express-session.ts'
import { type Coatcheck, coatcheck, isCoatcheckError, oidc } from '../../src/entries/coatcheck.ts'
import { systemClock } from '../../src/core/clock.ts'
import { EventBus } from '../../src/core/events.ts'
import type { DocumentRef } from '../../src/documents/document-driver.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { cutSuppliedClient } from '../../src/redis/supplied-client.ts'
import { type FaultProxy, startFaultProxy } from '../../src/testing/fault-proxy.ts'
import { expectWithin } from '../lab/limits.ts'
import { inMs, observed } from '../lab/report.ts'
import { libraryMajors } from '../support/redis-clients.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const PEOPLE = 16
const WATCHED_MS = 1500
/** Before anything is confused. */
const CALM_MS = 50

/** By the proxy's chance: the next reply is left out or doubled, all others pass. */
const CONFUSIONS = { 'left out': [0, 0.9], doubled: [0, 0] } as const

let server: RedisServer
let proxy: FaultProxy
let chances: number[]
const closing: (() => Promise<unknown>)[] = []
beforeEach(async () => {
  server = await startRedisServer()
  chances = []
  proxy = await startFaultProxy({ target: { port: server.port }, random: () => chances.shift() ?? 1 })
  proxy.set({ kind: 'confuse', chance: 0.5 })
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  await proxy.close()
  await server.stop()
})

interface Read {
  readonly what: string
  run(): Promise<boolean>
}

/** What people have: a session, tokens, a document of another session library. Each `Read` says whether it is there. */
async function startReads(store: ReturnType<typeof redisStore>): Promise<{ auth: Coatcheck<object>; reads: Read[] }> {
  const keys = randomBytes(32).toString('base64')
  const auth = coatcheck({
    store,
    keys,
    baseUrl: 'http://localhost:3000',
    // Never asked: all tokens are valid.
    providers: [oidc({ name: 'idp', issuer: 'http://127.0.0.1:9', clientId: 'app', clientSecret: 'secret' })],
  })
  const dropIn = new CoatcheckStore({ store, keys })
  closing.push(
    () => auth.close(),
    () => dropIn.close(),
  )
  await auth.ready()
  const set = promisify((sid: string, data: object, done: (error?: unknown) => void) =>
    dropIn.set(sid, data as never, done),
  )
  const get = promisify((sid: string, done: (error: unknown, data?: unknown) => void) => dropIn.get(sid, done as never))
  const reads: Read[] = []
  for (let i = 0; i < PEOPLE; i++) {
    const userId = `user-${i}`
    const { ticket } = await auth.sessions.create({ userId })
    const visitor = await auth.sessions.create({})
    const expiresAt = Date.now() + 3_600_000
    await auth.tokens.setUserTokens(userId, { accessToken: userId, refreshToken: `grant of ${userId}`, expiresAt })
    await set(userId, { cookie: { originalMaxAge: 3_600_000 } })
    reads.push(
      { what: 'session', run: async () => (await auth.sessions.find(ticket)).session?.user?.id === userId },
      { what: 'anonymous session', run: async () => (await auth.sessions.find(visitor.ticket)).session !== null },
      { what: 'tokens', run: async () => (await auth.tokens.getUserTokens(userId))?.accessToken === userId },
      { what: 'access token', run: async () => (await auth.tokens.getAccessToken(userId)).accessToken === userId },
      { what: 'document', run: async () => Boolean(await get(userId)) },
      { what: 'list', run: async () => (await auth.sessions.listByUser(userId)).length === 1 },
    )
  }
  return { auth, reads }
}

interface Seen {
  right: number
  /** What callers read as missing. */
  readonly missed: Set<string>
  readonly errors: Map<string, number>
  /** Since the reply was lost. */
  lastErrorMs: number
}

async function readDuring(reads: readonly Read[], confusion: readonly number[]): Promise<Seen> {
  const seen: Seen = { right: 0, missed: new Set(), errors: new Map(), lastErrorMs: 0 }
  const startedMs = performance.now()
  const reader = async (read: Read): Promise<void> => {
    while (performance.now() - startedMs < WATCHED_MS) {
      try {
        if (await read.run()) seen.right++
        else seen.missed.add(read.what)
      } catch (error) {
        const code = isCoatcheckError(error) ? error.code : String(error)
        seen.errors.set(code, (seen.errors.get(code) ?? 0) + 1)
        seen.lastErrorMs = performance.now() - startedMs
      }
      await sleep(5)
    }
  }
  const all = Promise.all(reads.map(reader))
  await sleep(CALM_MS)
  chances.push(...confusion)
  await all
  return seen
}

async function userSupplied(create: (typeof libraryMajors)[number]['create']): Promise<ReturnType<typeof redisStore>> {
  const client = create(proxy.url)
  closing.push(() => {
    cutSuppliedClient(client)
    return Promise.resolve()
  })
  client.on('error', () => undefined)
  await client.connect()
  return redisStore({ client })
}

const codesOf = ({ errors }: Seen): string[] => [...errors.keys()].sort()

test.each(Object.entries(CONFUSIONS))(
  'a reply is %s: no caller reads a false absence, and the fault is over soon',
  async (what, confusion) => {
    const { reads } = await startReads(redisStore({ url: proxy.url }))
    const seen = await readDuring(reads, confusion)
    expect(proxy.confused).toBe(1)
    expect([...seen.missed]).toEqual([])
    expect(seen.right).toBeGreaterThan(reads.length)
    for (const code of codesOf(seen))
      expect(code).toMatch(/^COATCHECK_REDIS_(?:MISALIGNED_REPLIES|UNREACHABLE|TIMEOUT|CIRCUIT_OPEN)$/)
    expectWithin(seen.lastErrorMs, 1000)
    observed(
      what === 'doubled' ? 'F8.doubled' : 'F8.left-out',
      `0 false absences, over after ${inMs(Math.max(0, seen.lastErrorMs - CALM_MS))}`,
    )
  },
)

test.each(libraryMajors)(
  'through a user-supplied client of major $major, which is its owner’s to replace: errors, and no miss',
  async ({ create }) => {
    const { reads } = await startReads(await userSupplied(create))
    const seen = await readDuring(reads, CONFUSIONS['left out'])
    expect([...seen.missed]).toEqual([])
    expect(codesOf(seen)).toContain('COATCHECK_REDIS_MISALIGNED_REPLIES')
  },
)

test('what is kept nearby is not what a lost reply has left there', async () => {
  const { reads } = await startReads(redisStore({ url: proxy.url, nearCache: { maxEntries: 1000 } }))
  const seen = await readDuring(reads, CONFUSIONS['left out'])
  expect([...seen.missed]).toEqual([])
  for (const read of reads) expect(await read.run()).toBe(true)
})

test('a write of a document is not lost to the reply that belongs to an ended one', async () => {
  const context = { prefix: '', loopback: true, clock: systemClock, events: new EventBus() }
  const store = redisStore({ url: proxy.url }).open(context)
  closing.push(() => store.close())
  await store.ready()
  const [alive, ended] = ['alive', 'ended'].map((name) => ({ kind: 'host', name })) as [DocumentRef, DocumentRef]
  const { documents } = store
  const write = (ref: DocumentRef) => documents.write(ref, randomBytes(64), { ttlMs: 60_000 })
  await Promise.all([write(alive), write(ended)])
  await documents.end(ended, 60_000)
  expect(await write(ended)).toEqual({ status: 'ended' })
  chances.push(...CONFUSIONS['left out'])
  const [first] = await Promise.allSettled([write(alive), write(ended)])
  expect(proxy.confused).toBe(1)
  expect(first).toMatchObject({ status: 'rejected', reason: { code: 'COATCHECK_REDIS_MISALIGNED_REPLIES' } })
})

/**
 * Two lists ask at once. The reply to the first is sent twice, so the second list reads it, and its own reply arrives when no command
 * waits. From then on each reply belongs to its command again: only the surplus reply shows what happened.
 */
test.each([{ major: 'ours' as const }, ...libraryMajors.filter(({ major }) => major !== '4')])(
  'a surplus reply ends the trust in the replies before it (client: $major)',
  async (form) => {
    const store = 'create' in form ? await userSupplied(form.create) : redisStore({ url: proxy.url })
    const auth = coatcheck({ store, keys: randomBytes(32).toString('base64'), baseUrl: 'http://localhost:3000' })
    closing.push(() => auth.close())
    await auth.ready()
    for (const userId of ['ada', 'grace']) await auth.sessions.create({ userId })
    const lengthOf = async (userId: string): Promise<number | string> =>
      auth.sessions.listByUser(userId).then(
        (list) => list.length,
        (error: unknown) => (isCoatcheckError(error) ? error.code : String(error)),
      )
    chances.push(0, 0)
    const seen = await Promise.all([lengthOf('ada'), lengthOf('grace')])
    expect(proxy.confused).toBe(1)
    for (const length of seen) expect(length).not.toBe(0)
  },
)
