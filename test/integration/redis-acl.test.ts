/** The ACL that docs/redis-acl.md gives is enough for everything that the store does, and no larger than it says. */
import { readFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { EventBus } from '../../src/core/events.ts'
import { explainKey, openAdmin, repairKeys, rotateKeys, statistics } from '../../src/entries/admin.ts'
import { coatcheck } from '../../src/entries/coatcheck.ts'
import { consumeEvents, redisStore, type RedisStoreOptions } from '../../src/stores/redis/redis-store.ts'
import type { Revoked } from '../../src/session/types.ts'
import type { Store } from '../../src/stores/store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { startClusterGroup, startSentinelGroup, until } from '../support/redis-topologies.ts'

const page = readFileSync('docs/redis-acl.md', 'utf8')
const rules = /ACL SETUSER coatcheck (on >password [^`]+)/.exec(page)?.[1] ?? ''
/** What the table adds for something. */
const added = (what: string): string[] => {
  const row = page.split('\n').find((line) => line.startsWith('|') && line.includes(what))
  return (row?.split('`').at(-2) ?? '').replaceAll('\\|', '|').split(' ')
}

async function allow(target: RedisServer, ...more: readonly string[]): Promise<void> {
  await target.cli('acl', 'setuser', 'coatcheck', ...rules.trim().split(/\s+/), ...more)
}

let server: RedisServer
let store: Store | undefined
beforeAll(async () => {
  server = await startRedisServer()
  await allow(server)
})
afterEach(async () => store?.close())
afterAll(() => server.stop())

test('sessions, tokens and sign-ins work with it', async () => {
  const url = server.url.replace('redis://', 'redis://coatcheck:password@')
  store = redisStore({ url }).open({ prefix: '', clock: systemClock, events: new EventBus(), loopback: true })
  await store.ready()
  const life = { ttlMs: 10_000, slackMs: 1000, absoluteMs: 20_000 }
  const ending = { reason: 'revoked', ttlMs: 1000 }
  const refOf = (letter: string, kind: 'user' | 'anonymous') => ({
    kind,
    userKey: (kind === 'user' ? 'u' : 'v').repeat(16),
    id: letter.repeat(22),
  })
  for (const kind of ['user', 'anonymous'] as const) {
    const ref = refOf(kind === 'user' ? 'a' : 'b', kind)
    const first = Buffer.alloc(64, 1)
    const second = Buffer.alloc(64, 2)
    await store.sessions.create(ref, first, life, { max: 1, action: 'end-oldest' })
    const { record } = await store.sessions.read(ref)
    expect(record).toHaveLength(64)
    expect(await store.sessions.replace(ref, first.subarray(13, 25), second, life)).toEqual({ status: 'done' })
    await store.sessions.explain(refOf('c', kind))
    expect(await store.sessions.end(ref, ending)).toMatchObject({ status: 'done', count: 1 })
  }
  for (const letter of ['d', 'e', 'f']) {
    await store.sessions.create(refOf(letter, 'user'), Buffer.alloc(64, letter), life, { max: 2, action: 'end-oldest' })
  }
  expect(await store.sessions.list('u'.repeat(16), 10)).toHaveLength(2)
  expect((await store.sessions.endByUser('u'.repeat(16), ending, 'f'.repeat(22))).count).toBe(1)
  expect((await store.sessions.endByUser('u'.repeat(16), ending)).count).toBe(1)
  // More than fit into the value of the generation: these commands are those of the sorted set.
  const many = 'abcdefghijk'.split('').map((letter) => ({ ...refOf(letter, 'user'), userKey: 'w'.repeat(16) }))
  for (const ref of many)
    await store.sessions.create(ref, Buffer.alloc(64, ref.id), life, { max: 10, action: 'end-oldest' })
  const [, one] = many as [(typeof many)[0], (typeof many)[0]]
  const { record: old } = await store.sessions.read(one)
  const replaced = await store.sessions.replace(one, old!.subarray(13, 25), Buffer.alloc(64, 9), life)
  expect(replaced.status).toBe('done')
  expect((await store.sessions.explain(one)).index).toBe('live')
  expect(await store.sessions.list(one.userKey, 20)).toHaveLength(10)
  expect(await store.sessions.end(one, ending)).toMatchObject({ count: 1, lastOfUser: false })

  const record = Buffer.alloc(64, 3)
  const set = new Map([['grant:entra', { record, ttlMs: 5000 }]])
  await store.tokens.write('u', { set, remove: { fields: ['status:entra'], prefixes: ['access:entra:'] } })
  const expected = { field: 'grant:entra', nonce: Buffer.alloc(12, 3) }
  await store.tokens.write('u', { set, expect: expected })
  const [found, absent] = await store.tokens.read('u', ['grant:entra', 'none'])
  expect(found).toHaveLength(64)
  expect(absent).toBeNull()
  expect((await store.tokens.readAll('u')).size).toBe(1)
  await store.tokens.write('u', { set: new Map([['access:entra:x', { record, ttlMs: 5000 }]]) })
  expect(await store.tokens.delete('u', { prefixes: ['access:entra:'] })).toEqual({ count: 1 })
  expect(await store.tokens.delete('u')).toEqual({ count: 1 })

  const lease = { field: 'lease:entra', holder: Buffer.alloc(16, 4), ttlMs: 5000 }
  const watch = store.tokens.watchLeases('u', () => undefined)
  expect(await watch.confirmed).toBe(true)
  expect(await store.tokens.takeLease('u', lease)).toBe(true)
  await store.tokens.releaseLease('u', lease)
  watch.close()
  await store.providerGate.failed('entra', 1, 'transient')
  await store.providerGate.enter('entra', 1)
  await store.providerGate.worked('entra')

  await store.providerSessions.register('a', 'ours', 1_800_000_000, 5000)
  expect(await store.providerSessions.end('a', 1_800_000_000, 5000)).toEqual(['ours'])
  await store.providerSessions.remove('a', ['ours'])
  expect(await store.providerSessions.isUsed('token')).toBe(false)
  await store.providerSessions.markUsed('token', 5000)
  await store.revocations.announce('u', 0)
  const [claimed] = await store.revocations.claim(1, 5000)
  await store.revocations.add('u', { provider: 'entra', nonce: Buffer.alloc(12), record }, 5000)
  for (const entry of await store.revocations.list('u')) await store.revocations.remove('u', entry)
  if (claimed) await store.revocations.completeClaim(claimed, null)

  expect(await store.transactions.claim('state', Buffer.alloc(5, 1), 5000)).toBe(true)
  expect(await store.transactions.claim('state', Buffer.alloc(5, 1), 5000)).toBe(false)
})

test('documents of other session libraries work with it', async () => {
  const url = server.url.replace('redis://', 'redis://coatcheck:password@')
  store = redisStore({ url }).open({ prefix: '', clock: systemClock, events: new EventBus(), loopback: true })
  await store.ready()
  const { documents } = store
  const ref = { kind: 'host', name: 'n'.repeat(22) }
  const record = Buffer.alloc(64, 5)
  expect(await documents.write(ref, record, { ttlMs: 5000, expect: 'absent' })).toEqual({ status: 'done' })
  expect(await documents.read(ref)).toEqual(record)
  expect(await documents.take(ref)).toEqual(record)
  expect(await documents.end(ref, 5000, true)).toBe(false)
  expect(await documents.remove(ref)).toBe(true)
  const counter = { ...ref, name: 'counter' }
  expect(await documents.count(counter, 5000)).toBe(1)
  expect(await documents.counted(counter)).toBe(1)
  await documents.enter(ref, 'short', 5000)
  await documents.enter(ref, 'for ever', null)
  expect(await documents.members(ref)).toEqual(['for ever', 'short'])
  await documents.leave(ref, ['short'])
  for await (const name of documents.names('host')) expect(name).toBe('counter')
})

test('each command of it is one that the store sends', async () => {
  const stats = await server.cli('info', 'commandstats')
  const allowed = [...rules.matchAll(/\+([a-z]+)/g)].map(([, name]) => name)
  const unused = allowed.filter((name) => name !== 'ping' && !stats.includes(`cmdstat_${name}:`))
  expect(unused).toEqual([])
})

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})
const credentials = { username: 'coatcheck', password: 'password' }

/** Sessions by everything that a feature does, and what the server refused meanwhile. */
async function useSessions(options: RedisStoreOptions, servers: readonly RedisServer[]): Promise<Revoked> {
  const keys = randomBytes(32).toString('base64')
  const auth = coatcheck({ store: redisStore({ ...options, ...credentials }), keys, baseUrl: 'http://localhost:3000' })
  closing.push(() => auth.close())
  await auth.ready()
  for (const { cli } of servers) await cli('acl', 'log', 'reset')
  for (let i = 0; i < 8; i++) await auth.sessions.create({ userId: `u${i}` })
  const { session, ticket } = await auth.sessions.create({ userId: 'ada' })
  expect((await auth.sessions.find(ticket)).session?.id).toBe(session.id)
  const ended = await auth.sessions.revoke(session.id ?? '')
  for (const { cli } of servers) expect(await cli('acl', 'log')).toBe('')
  return ended
}

test('durability and the near cache work with what the table adds, and not without', async () => {
  const primary = await startRedisServer({ args: ['--repl-diskless-sync-delay', '0'] })
  closing.push(() => primary.stop())
  const replica = await startRedisServer({ args: ['--replicaof', '127.0.0.1', String(primary.port)] })
  closing.push(() => replica.stop())
  await until(async () => /state=online,offset=[1-9]/.test(await primary.cli('info', 'replication')))
  const options = { url: primary.url, durability: {}, nearCache: {} }
  await allow(primary)
  await expect(useSessions(options, [primary])).rejects.toThrow()
  await allow(primary, ...added('`durability`'), ...added('`nearCache`'))
  expect(await useSessions(options, [primary])).toEqual({ count: 1, durable: true })
})

test('streams of events, their workers and the estimate of sessions work with what the table adds, and not without', async () => {
  const one = await startRedisServer()
  closing.push(() => one.stop())
  const options = { url: one.url, eventStream: {} }
  await allow(one)
  await expect(useSessions(options, [one])).rejects.toThrow()
  await allow(one, ...added('`eventStream`'), ...added('`consumeEvents`'), ...added('`estimateSessions`'))
  const seen: string[] = []
  const failures: unknown[] = []
  const worker = consumeEvents({
    redis: { ...options, ...credentials },
    group: 'mail',
    from: 'oldest',
    pollMs: 20,
    claimAfterMs: 100,
    onError: (error) => failures.push(error),
    async handle({ name }) {
      // Longer than `claimAfterMs`: the consumer must extend its claim meanwhile.
      if (seen.push(name) === 1) await new Promise((resolve) => setTimeout(resolve, 300))
    },
  })
  closing.push(() => worker.close())
  await useSessions(options, [one])
  await until(async () => seen.length >= 10)
  expect(failures).toEqual([])
  const auth = coatcheck({
    store: redisStore({ ...options, ...credentials }),
    keys: randomBytes(32).toString('base64'),
    baseUrl: 'http://localhost:3000',
  })
  closing.push(() => auth.close())
  // Of both runs.
  expect(await auth.estimateSessions()).toBe(16)
  await one.cli('eval', "for i = 1, 1500 do redis.call('set', 'user:x' .. i, 1) end", '0')
  expect(await auth.estimateSessions()).toBeLessThan(300)
  expect(await one.cli('acl', 'log')).toBe('')
})

test('a cluster works with what the table adds', async () => {
  const group = await startClusterGroup({ replicas: 0 })
  closing.push(() => group.stop())
  for (const one of group.servers) await allow(one, ...added('a cluster'))
  expect((await useSessions({ url: group.url, cluster: true }, group.servers)).count).toBe(1)
})

test('Sentinel works with what the table adds, for a user of its own at the sentinels', async () => {
  const group = await startSentinelGroup({ replicas: 1 })
  closing.push(() => group.stop())
  for (const one of group.servers) await allow(one, ...added('at the Redis servers'))
  for (const one of group.sentinels) {
    await one.cli('acl', 'setuser', 'watcher', 'on', '>secret', '-@all', ...added('at the sentinels'))
  }
  const sentinels = group.sentinels.map(({ port }) => `redis://watcher:secret@127.0.0.1:${port}`)
  const ended = await useSessions({ url: `redis://${group.name}`, sentinels }, [await group.primary()])
  expect(ended.count).toBe(1)
})

test('the command line of operators works with what the table adds, and not without', async () => {
  const url = server.url.replace('redis://', 'redis://coatcheck:password@')
  const { signal } = new AbortController()
  const keys = randomBytes(32).toString('base64')
  const context = await openAdmin({ store: redisStore({ url }), keys, baseUrl: 'http://localhost:3000' })
  closing.push(() => context.close())
  await context.store.ready()
  await context.sessions.create({ userId: 'ada' })
  await expect(statistics(context, { signal })).rejects.toMatchObject({ code: 'COATCHECK_REDIS_NOPERM' })
  await allow(server, ...added('`coatcheck sessions`'))
  expect((await statistics(context, { signal })).survey.users).toBeGreaterThan(0)
  await repairKeys(context, { signal })
  expect(await rotateKeys(context, { signal })).toMatchObject({ isDone: true })
  const { generation, revocationIndex } = context.server.keys
  for (const name of [generation(context.keyring.userKey('ada')), revocationIndex()]) await explainKey(context, name)
})
