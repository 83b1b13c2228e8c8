/** `keys rotate` as a function: complete, resumable, and unnoticed by processes that go on working meanwhile. */
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type AdminContext, openAdmin, rotateKeys } from '../../src/entries/admin.ts'
import { coatcheck } from '../../src/app/coatcheck.ts'
import { CoatcheckStore } from '../../src/app/drop-ins/express-session.ts'
import type { RedisClientPort } from '../../src/redis/client-port.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import type { RedisStoreOptions } from '../../src/stores/redis/options.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { startClusterGroup, until } from '../support/redis-topologies.ts'
import {
  BASE_URL,
  BOTH_KEYS,
  type Counting,
  NEW_KEY_ALONE,
  OLD_KEY,
  type SealedWorld,
  sealWorld,
} from '../support/sealed-world.ts'
import { startTokenEndpoint } from '../support/token-endpoint.ts'
import { startTokenProcesses } from '../support/token-processes.ts'
import { PATIENT } from '../lab/limits.ts'

let server: RedisServer
const closing: (() => Promise<unknown>)[] = []
beforeEach(async () => {
  server = await startRedisServer()
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  await server.stop()
})

const never = new AbortController().signal
async function operator(
  keys: readonly string[],
  options: RedisStoreOptions = { url: server.url },
): Promise<AdminContext> {
  const context = await openAdmin({ store: redisStore({ ...PATIENT, ...options }), keys, baseUrl: BASE_URL })
  closing.push(() => context.close())
  await context.store.ready()
  return context
}
function application(keys: readonly string[], options: RedisStoreOptions = { url: server.url }) {
  const auth = coatcheck<Counting>({ store: redisStore({ ...PATIENT, ...options }), keys, baseUrl: BASE_URL })
  closing.push(() => auth.close())
  return auth
}
const increment = (draft: Counting): void => {
  draft.count++
}
const use = (keys: readonly { keyId: string; values: number }[]): Record<string, number> =>
  Object.fromEntries(keys.map(({ keyId, values }) => [keyId, values]))

async function expectAllReadable(world: SealedWorld, keys: readonly string[], options?: RedisStoreOptions) {
  const auth = application(keys, options)
  for (const userId of world.userIds) {
    expect(await auth.sessions.listByUser(userId)).toHaveLength(1)
    const tokens = await auth.tokens.status(userId)
    expect(tokens).toMatchObject([{ hasRefreshToken: true, keyId: 'new' }])
    expect(tokens[0]?.resources.map(({ keyId }) => keyId)).toEqual(['new', 'new'])
  }
  const dropIn = new CoatcheckStore({ store: redisStore({ ...PATIENT, ...(options ?? { url: server.url }) }), keys })
  const get = promisify((sid: string, done: (error: unknown, data?: unknown) => void) => dropIn.get(sid, done as never))
  for (const sid of world.hostSessionIds) expect(await get(sid)).toMatchObject({ note: sid })
  await dropIn.close()
}

describe('one server', () => {
  test('everything goes under the first key; then the old one is of no use but for tickets of its time', async () => {
    const world = await sealWorld({ url: server.url }, 40)
    const context = await operator(BOTH_KEYS)
    const before = await rotateKeys(context, { signal: never, dryRun: true })
    expect(use(before.keys)).toEqual({ new: 0, old: world.sealed })
    expect(before).toMatchObject({ reencrypted: 0, isDone: false })

    const lives = await livesOf(world)
    const report = await rotateKeys(context, { signal: never })
    expect(report).toMatchObject({ reencrypted: world.sealed, overtaken: 0, unreadable: 0, isDone: true })
    expect(use(report.keys)).toEqual({ new: world.sealed, old: 0 })
    for (const [i, life] of (await livesOf(world)).entries()) {
      expect(life).toBeLessThanOrEqual(lives[i] ?? 0)
      expect(life).toBeGreaterThan((lives[i] ?? 0) - 60_000)
    }
    const both = application(BOTH_KEYS)
    for (const ticket of world.tickets) expect((await both.sessions.find(ticket)).session).not.toBeNull()
    const { ticket } = await both.sessions.create({ userId: 'late', data: { count: 0 } })

    await expectAllReadable(world, NEW_KEY_ALONE)
    const alone = application(NEW_KEY_ALONE)
    expect((await alone.sessions.find(ticket)).session?.user?.id).toBe('late')
    expect(await alone.sessions.find(world.tickets[0] ?? '')).toEqual({ session: null, reason: 'malformed' })
    // The outbox still gives its grant to the worker.
    const { store, keyring, seal } = await operator(NEW_KEY_ALONE)
    const [entry] = await store.revocations.list(keyring.userKey('gone'))
    expect(seal.open(entry?.record ?? Buffer.alloc(0), outboxAddress(keyring.userKey('gone')), 8)).toBeInstanceOf(
      Buffer,
    )
  })

  async function livesOf({ userIds }: SealedWorld): Promise<number[]> {
    const { server: of, keyring } = await operator(BOTH_KEYS)
    const lives = userIds.map(async (userId) => {
      const key = of.keys.tokens(keyring.userKey(userId))
      return Number(await of.client.command(key, ['PTTL', key]))
    })
    return Promise.all(lives)
  }

  test('interrupted, it goes on where it was, and says how far it is', async () => {
    const world = await sealWorld({ url: server.url }, 150)
    const context = await operator(BOTH_KEYS)
    const interruption = new AbortController()
    const first = await rotateKeys(context, {
      signal: interruption.signal,
      seen: ({ reencrypted }) => {
        if (reencrypted > world.sealed / 3) interruption.abort()
      },
    })
    expect(first.isDone).toBe(false)
    expect(first.reencrypted).toBeGreaterThan(world.sealed / 3)
    expect(first.reencrypted).toBeLessThan(world.sealed)
    const second = await rotateKeys(context, { signal: never })
    expect(second.reencrypted).toBe(world.sealed - first.reencrypted)
    expect(second).toMatchObject({ isDone: true })
    expect(use(second.keys)).toEqual({ new: world.sealed, old: 0 })
    await expectAllReadable(world, NEW_KEY_ALONE)
  })

  test('reports values that no key opens, and leaves them unchanged', async () => {
    await sealWorld({ url: server.url }, 5)
    const { server: of, keyring } = await operator(BOTH_KEYS)
    const key = of.keys.tokens(keyring.userKey('user-0'))
    // A value copied to another field: it opens nowhere but at home.
    const record = await of.client.command(key, ['HGET', key, 'grant:idp'])
    await of.client.command(key, ['HSET', key, 'grant:copied', record as Buffer])
    const report = await rotateKeys(await operator(BOTH_KEYS), { signal: never })
    expect(report).toMatchObject({ unreadable: 1, isDone: true })
    expect(use(report.keys)).toMatchObject({ old: 1 })

    const other = await rotateKeys(await operator(NEW_KEY_ALONE), { signal: never, dryRun: true })
    const unknown = other.keys.filter(({ isInRing }) => !isInRing)
    expect(unknown).toMatchObject([{ values: 1, families: { tokens: 1 } }])
    expect(unknown[0]?.keyId).toMatch(/^unknown \([0-9a-f]{8}\)$/)
  })

  test('what was changed between reading and writing stays as it was changed', async () => {
    const { tickets, sealed } = await sealWorld({ url: server.url }, 1)
    const context = await operator(BOTH_KEYS)
    const auth = application(BOTH_KEYS)
    const { client } = context.server
    const ticketOf = new Map<string, string>()
    for (const ticket of tickets) ticketOf.set((await auth.sessions.find(ticket)).session?.id ?? '', ticket)
    const between: RedisClientPort = {
      isSharded: client.isSharded,
      isDurable: client.isDurable,
      servers: () => client.servers(),
      command: (...call) => client.command(...call),
      lasting: (...call) => client.lasting(...call),
      watch: (...call) => client.watch(...call),
      track: (...call) => client.track(...call),
      serverNow: (key) => client.serverNow(key),
      verifyAlignment: (key) => client.verifyAlignment(key),
      epochOf: (key) => client.epochOf(key),
      uptime: (key) => client.uptime(key),
      ready: () => client.ready(),
      close: () => client.close(),
      async script(...call) {
        const [, userKey, id] = /user:session:\{(.+)\}:(.+)$/.exec(call[1][0] ?? '') ?? []
        const ticket = ticketOf.get(`${userKey}.${id}`)
        if (call[0].name === 'rotation.reencrypt-record' && ticket) {
          ticketOf.delete(`${userKey}.${id}`)
          await auth.sessions.update(ticket, increment)
        }
        return client.script(...call)
      },
    }
    const report = await rotateKeys({ ...context, server: { ...context.server, client: between } }, { signal: never })
    expect(report).toMatchObject({ isDone: true, overtaken: tickets.length, reencrypted: sealed - tickets.length })
    for (const ticket of tickets) expect((await auth.sessions.find(ticket)).session?.data.count).toBe(1)
  })
})

test('under load every session stays valid, no change is lost, no grant ends, and nothing is left under the old key', async () => {
  const provider = await startTokenEndpoint('strict')
  closing.push(() => provider.close())
  const world = await sealWorld({ url: server.url }, 120, (user) => provider.grant(user))
  const processes = await startTokenProcesses(2, {
    redisUrl: server.url,
    issuer: provider.issuer,
    keys: BOTH_KEYS.join(','),
  })
  closing.push(() => Promise.all(processes.map((one) => one.stop())))
  // Two connections, as two processes have.
  const auths = [10_000, 10_001].map((writeTimeoutMs) => {
    const store = redisStore({ ...PATIENT, url: server.url, writeTimeoutMs })
    const auth = coatcheck<Counting>({ store, keys: BOTH_KEYS, baseUrl: BASE_URL })
    closing.push(() => auth.close())
    return auth
  })
  let isOver = false
  const misses: string[] = []
  const acknowledged = world.tickets.map(() => 0)
  const visitor = async (i: number): Promise<void> => {
    let ticket = world.tickets[i] ?? ''
    for (let turn = i; !isOver; turn++) {
      const { sessions } = auths[turn % 2]!
      const found = await sessions.find(ticket)
      if (found.session === null) misses.push(found.reason)
      await sessions.update(ticket, increment)
      acknowledged[i] = (acknowledged[i] ?? 0) + 1
      if (turn % 10 === 0) ticket = (await sessions.rotate(ticket)).ticket
    }
  }
  const refusals: unknown[] = []
  const refresher = async (i: number): Promise<void> => {
    for (let turn = 0; !isOver; turn++) {
      const user = world.userIds[(i + turn * 8) % world.userIds.length] ?? ''
      // More than is left of it: each call refreshes, and the provider takes each refresh token once.
      const options = { minValidityMs: 3_599_000 }
      const [result] = (await processes[turn % 2]?.ask('get', { user, options })) ?? []
      if (result?.code !== undefined) refusals.push(result.code)
    }
  }
  const load = [...world.tickets.map((_, i) => visitor(i)), ...Array.from({ length: 8 }, (_, i) => refresher(i))]
  const context = await operator(BOTH_KEYS)
  const report = await rotateKeys(context, { signal: never })
  const refreshedMeanwhile = provider.requests.length
  isOver = true
  await Promise.all(load)

  expect(report).toMatchObject({ isDone: true, unreadable: 0 })
  expect(report.reencrypted).toBeGreaterThan(0)
  expect(misses).toEqual([])
  expect(refusals).toEqual([])
  expect(refreshedMeanwhile).toBeGreaterThan(20)
  expect(Math.min(...acknowledged)).toBeGreaterThan(0)
  for (const user of world.userIds) expect(provider.isAlive(user)).toBe(true)
  expect(use((await rotateKeys(context, { signal: never, dryRun: true })).keys)).toMatchObject({ old: 0 })
  const counts = await Promise.all(
    world.userIds.map(async (userId) => (await auths[0]!.sessions.listByUser(userId)).length),
  )
  expect(new Set(counts)).toEqual(new Set([1]))
  await expectCounts(world, acknowledged)

  async function expectCounts({ tickets }: SealedWorld, expected: readonly number[]): Promise<void> {
    const found = await Promise.all(tickets.map((ticket) => auths[0]!.sessions.find(ticket)))
    // A ticket of the beginning may have been replaced; whoever still has a session has every change in it.
    for (const [i, { session }] of found.entries()) if (session) expect(session.data.count).toBe(expected[i])
  }
}, 300_000)

test('a cluster: all servers are walked, and everything goes under the first key', async () => {
  const group = await startClusterGroup({ replicas: 0 })
  closing.push(() => group.stop())
  await until(async () => (await group.servers[0]?.cli('cluster', 'info'))?.includes('cluster_state:ok') === true)
  const options = { url: group.url, cluster: true }
  const world = await sealWorld(options, 30)
  const report = await rotateKeys(await operator(BOTH_KEYS, options), { signal: never })
  expect(report).toMatchObject({ reencrypted: world.sealed, isDone: true })
  await expectAllReadable(world, NEW_KEY_ALONE, options)
}, 300_000)

function outboxAddress(userKey: string) {
  return { type: 'token', kind: 'grant', name: `${userKey}.grant:idp`, shard: userKey } as const
}

test('a ring of one key has nothing to do', async () => {
  await sealWorld({ url: server.url }, 2)
  expect(await rotateKeys(await operator([OLD_KEY]), { signal: never })).toMatchObject({
    reencrypted: 0,
    isDone: true,
    scans: 1,
  })
})
