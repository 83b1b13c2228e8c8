/**
 * Endings that have to last: acknowledged by a replica, or reported as not durable and applied again; and what this process does
 * while Redis can write nothing at all.
 */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import type { Coatcheck } from '../../src/app/coatcheck.ts'
import { coatcheck } from '../../src/entries/coatcheck.ts'
import { systemClock } from '../../src/core/clock.ts'
import { EventBus } from '../../src/core/events.ts'
import { redisKeys } from '../../src/stores/keys.ts'
import { openRedisClient } from '../../src/redis/open-client.ts'
import { limitsOf } from '../../src/redis/options.ts'
import { resolveDestination } from '../../src/redis/resolve-destination.ts'
import { createScriptRunner } from '../../src/redis/script-runner.ts'
import { END_BY_USER } from '../../src/stores/redis/scripts/session.ts'
import { redisStore, type RedisStoreOptions } from '../../src/stores/redis/redis-store.ts'
import { type FaultProxy, startFaultProxy } from '../../src/testing/fault-proxy.ts'
import { expectWithin, PATIENT, withinMs } from '../lab/limits.ts'
import { inMs, observed } from '../lab/report.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { type SentinelGroup, startClusterGroup, startSentinelGroup, until } from '../support/redis-topologies.ts'

const keys = randomBytes(32).toString('base64')
const ADA = 'user-key-of-ada0'
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function open(options: RedisStoreOptions): Promise<Coatcheck<Record<string, unknown>>> {
  const auth = coatcheck({ store: redisStore(options), keys, baseUrl: 'http://localhost:3000' })
  closing.push(() => auth.close())
  await auth.ready()
  return auth
}

async function withReplica(): Promise<{ primary: RedisServer; replica: RedisServer }> {
  const primary = await startRedisServer({ args: ['--repl-diskless-sync-delay', '0'] })
  closing.push(() => primary.stop())
  const replica = await startRedisServer({ args: ['--replicaof', '127.0.0.1', String(primary.port)] })
  closing.push(() => replica.stop())
  await until(async () => (await primary.cli('info', 'replication')).includes('state=online'))
  await primary.cli('set', 'probe', '1')
  await until(async () => (await replica.cli('get', 'probe')) === '1')
  await until(async () => /state=online,offset=[1-9]\d*,lag=[01]\b/.test(await primary.cli('info', 'replication')))
  return { primary, replica }
}

const durability = { replicas: 1, timeoutMs: 200 }
/** For replicas that answer: a busy machine may delay them, and that is not the subject. */
const patientDurability = { replicas: 1, timeoutMs: 10_000 }

describe('with a replica', () => {
  test('an acknowledged ending is durable, and the replica has it', async () => {
    const { primary, replica } = await withReplica()
    const auth = await open({ url: primary.url, durability: patientDurability })
    const { ticket, session } = await auth.sessions.create({ userId: 'ada' })
    expect(await auth.sessions.revoke(session.id ?? '')).toEqual({ count: 1, durable: true })
    expect(await replica.cli('keys', 'user:session:*')).toBe('')
    expect((await auth.sessions.find(ticket)).session).toBeNull()
    await auth.sessions.create({ userId: 'ada' })
    await auth.sessions.create({ userId: 'ada' })
    expect(await auth.sessions.revokeByUser('ada')).toEqual({ count: 2, durable: true })
  })

  test('many at once share few WAITs', async () => {
    const { primary } = await withReplica()
    const auth = await open({ url: primary.url, durability: patientDurability })
    const sessions = await Promise.all(Array.from({ length: 100 }, (_, i) => auth.sessions.create({ userId: `u${i}` })))
    await primary.cli('config', 'resetstat')
    const results = await Promise.all(sessions.map(({ session }) => auth.sessions.revoke(session.id ?? '')))
    expect(results.filter(({ durable }) => !durable)).toEqual([])
    const calls = Number(/cmdstat_wait:calls=(\d+)/.exec(await primary.cli('info', 'commandstats'))?.[1])
    expect(calls).toBeLessThan(10)
  })

  test('a replica that does not answer: not durable, said within the time for it', async () => {
    const { primary, replica } = await withReplica()
    const auth = await open({ url: primary.url, durability })
    const { session, ticket } = await auth.sessions.create({ userId: 'ada' })
    replica.pause()
    const start = performance.now()
    expect(await auth.sessions.revoke(session.id ?? '')).toEqual({ count: 1, durable: false })
    expectWithin(performance.now() - start, 700)
    expect((await auth.sessions.find(ticket)).session).toBeNull()
    replica.resume()
  })

  test.each([
    { life: 'with an expiry', more: ['px', '60000'] },
    { life: 'without an expiry', more: [] },
  ])(
    'a repeated ending writes to the key of the user $life: WAIT speaks of writes of its connection',
    async ({ more }) => {
      const server = await startRedisServer()
      closing.push(() => server.stop())
      const options = { url: server.url }
      const context = { clock: systemClock, events: new EventBus() }
      const client = openRedisClient(resolveDestination(options, {}), limitsOf(options, {}), context)
      closing.push(() => client.close())
      const keys = redisKeys('')
      const names = [keys.generation(ADA), keys.sessions(ADA), keys.tokens(ADA), keys.revocations(ADA)]
      const run = createScriptRunner(client, () => 0)
      const step = run.repeatable(END_BY_USER, names, [randomBytes(8), '', '1000'])
      await server.cli('set', keys.generation(ADA), 'x'.repeat(8), ...more)
      await run.lastingOf(step)
      const changes = async (): Promise<number> =>
        Number(/rdb_changes_since_last_save:(\d+)/.exec(await server.cli('info', 'persistence'))?.[1])
      const before = await changes()
      await run.lastingOf(step)
      expect(await changes()).toBe(before + 1)
      expect(Number(await server.cli('pttl', keys.generation(ADA))) > 0).toBe(more.length > 0)
    },
  )

  test('without the setting nothing is called durable, and WAIT is not sent', async () => {
    const { primary } = await withReplica()
    const auth = await open({ url: primary.url })
    const { session } = await auth.sessions.create({ userId: 'ada' })
    expect(await auth.sessions.revoke(session.id ?? '')).toEqual({ count: 1, durable: false })
    expect(await primary.cli('info', 'commandstats')).not.toContain('cmdstat_wait')
  })

  test('in a cluster the replica of the right primary is asked', async () => {
    const group = await startClusterGroup()
    closing.push(() => group.stop())
    const auth = await open({ ...PATIENT, url: group.url, cluster: true, durability: patientDurability })
    for (let i = 0; i < 12; i++) {
      const { session } = await auth.sessions.create({ userId: `user-${i}` })
      expect(await auth.sessions.revoke(session.id ?? '')).toEqual({ count: 1, durable: true })
    }
  })
})

test('the primary is cut off, sessions are ended there, a replica is promoted: what was durable stays ended, the rest is ended again', async () => {
  const proxies: FaultProxy[] = []
  const announced = async (port: number): Promise<number> => {
    const proxy = await startFaultProxy({ target: { port } })
    closing.push(() => proxy.close())
    proxies.push(proxy)
    return proxy.port
  }
  const group: SentinelGroup = await startSentinelGroup({ announced })
  closing.push(() => group.stop())
  const primary = await group.primary()
  // The application stands on the wrong side of the cut: with the primary, but it can reach the sentinels.
  const sentinels = group.sentinels.map(({ port }) => `127.0.0.1:${port}`)
  const direct = await open({ url: primary.url, durability })
  const following = await open({ url: 'redis://mymaster', sentinels, durability: { ...durability, timeoutMs: 100 } })
  const sessions = await Promise.all(
    Array.from({ length: 60 }, (_, i) => following.sessions.create({ userId: `u${i}` })),
  )
  const [first, second] = [sessions.slice(0, 20), sessions.slice(20)]
  for (const { session } of first) {
    expect((await direct.sessions.revoke(session.id ?? '')).durable).toBe(true)
  }
  await primary.cli('wait', '2', '1000')
  const proxy = proxies[group.servers.indexOf(primary)]
  await following.ready()
  proxy?.set({ kind: 'swallow' })
  // On a connection that stands; the proxy is between the primary and the others only once it has dropped theirs.
  await primary.cli('client', 'kill', 'type', 'replica')
  const results = await Promise.all(second.map(({ session }) => direct.sessions.revoke(session.id ?? '')))
  expect(results.filter(({ durable }) => durable)).toEqual([])
  await until(async () => (await group.primary()) !== primary)
  await until(async () => (await following.sessions.find(first[0]?.ticket ?? '')).session === null)
  // Those that were acknowledged are dead on the new primary, those that were not are not.
  for (const { ticket } of first) expect((await following.sessions.find(ticket)).session).toBeNull()
  const alive = await Promise.all(second.map(({ ticket }) => following.sessions.find(ticket)))
  expect(alive.filter(({ session }) => session !== null)).toHaveLength(second.length)
  observed(
    'F1.sentinel',
    `0 of ${first.length} durable endings undone; ${second.length} of ${second.length} others said to be not durable`,
  )
})

test('what this process ended without an acknowledgement is ended again within a second of the new primary', async () => {
  const group: SentinelGroup = await startSentinelGroup()
  closing.push(() => group.stop())
  const sentinels = group.sentinels.map(({ port }) => `127.0.0.1:${port}`)
  const auth = await open({ url: 'redis://mymaster', sentinels, durability: { ...durability, timeoutMs: 100 } })
  const sessions = await Promise.all(
    Array.from({ length: 40 }, (_, i) => auth.sessions.create({ userId: `u${i % 20}` })),
  )
  const primary = await group.primary()
  await primary.cli('wait', '2', '1000')
  for (const replica of await group.replicas()) await replica.cli('replicaof', 'no', 'one')
  const single = sessions.slice(0, 20)
  const results = await Promise.all([
    ...single.slice(0, 10).map(({ session }) => auth.sessions.revoke(session.id ?? '')),
    ...single.slice(10).map((_, i) => auth.sessions.revokeByUser(`u${i + 10}`)),
  ])
  expect(results.filter(({ durable }) => durable)).toEqual([])
  await primary.kill()
  await until(async () => (await group.primary()) !== primary)
  await until(async () => auth.ready().then(() => true))
  const readyMs = performance.now()
  const open1 = async (): Promise<number> => {
    const found = await Promise.all(single.map(({ ticket }) => auth.sessions.find(ticket)))
    return found.filter(({ session }) => session !== null).length
  }
  while ((await open1()) > 0 && performance.now() - readyMs < withinMs(1000)) await sleep(20)
  expect(await open1()).toBe(0)
  const reappliedMs = performance.now() - readyMs
  const others = await Promise.all(sessions.slice(20, 30).map(({ ticket }) => auth.sessions.find(ticket)))
  expect(others.every(({ session }) => session !== null)).toBe(true)
  observed('F3.sentinel', `${single.length} ended again after ${inMs(reappliedMs)}`)
})

/** A server that is well and refuses every write. */
const refusals = [
  {
    id: 'F14.misconf',
    refusal: 'MISCONF',
    async refuse(server: RedisServer) {
      await server.cli('config', 'set', 'dir', server.dir)
      rmSync(server.dir, { recursive: true })
      await server.cli('bgsave').catch(() => '')
      await until(async () => (await server.cli('info', 'persistence')).includes('rdb_last_bgsave_status:err'))
    },
    repair: (server: RedisServer) => server.cli('config', 'set', 'stop-writes-on-bgsave-error', 'no'),
  },
  {
    id: 'F14.noreplicas',
    refusal: 'NOREPLICAS',
    refuse: (server: RedisServer) => server.cli('config', 'set', 'min-replicas-to-write', '1'),
    repair: (server: RedisServer) => server.cli('config', 'set', 'min-replicas-to-write', '0'),
  },
] as const

test.each(refusals)(
  '$refusal: reads work, ending says not durable, this process lets nobody in with it, and it is done after the repair',
  async ({ id, refusal, refuse, repair }) => {
    const server = await startRedisServer({ args: ['--save', '3600 1', '--rdbcompression', 'no'] })
    closing.push(() => server.stop())
    const auth = await open({ url: server.url })
    const other = await open({ url: server.url, commandTimeoutMs: 251 })
    const [one, two, three] = await Promise.all([
      auth.sessions.create({ userId: 'ada' }),
      auth.sessions.create({ userId: 'grace' }),
      auth.sessions.create({ userId: 'grace' }),
    ])
    await refuse(server)
    await expect(auth.sessions.create({ userId: 'late' })).rejects.toMatchObject({ code: `COATCHECK_REDIS_${refusal}` })
    expect((await auth.sessions.find(one.ticket)).session?.id).toBe(one.session.id)
    expect(await auth.sessions.revoke(one.session.id ?? '')).toEqual({ count: 1, durable: false })
    expect(await auth.sessions.revokeByUser('grace', { except: three.session.id ?? '' })).toEqual({
      count: 1,
      durable: false,
    })
    expect(await auth.sessions.find(one.ticket)).toEqual({ session: null, reason: 'revoked' })
    expect(await auth.sessions.find(two.ticket)).toEqual({ session: null, reason: 'revoked' })
    expect((await auth.sessions.find(three.ticket)).session?.id).toBe(three.session.id)
    expect((await other.sessions.find(one.ticket)).session?.id).toBe(one.session.id)
    await repair(server)
    const repairedMs = performance.now()
    await until(async () => (await other.sessions.find(one.ticket)).session === null, 3000)
    await until(async () => (await other.sessions.find(two.ticket)).session === null, 3000)
    observed(id, `2 of 2 hold here at once, and in Redis ${inMs(performance.now() - repairedMs)} after the repair`)
    expect((await auth.sessions.find(three.ticket)).session?.id).toBe(three.session.id)
    const again = await auth.sessions.create({ userId: 'ada' })
    expect((await auth.sessions.find(again.ticket)).session?.user?.id).toBe('ada')
  },
)
