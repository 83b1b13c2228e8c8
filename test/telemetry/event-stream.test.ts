/** Lifecycle events in streams: one worker of several processes handles each, and what a killed one had in hand is taken over. */
import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test, vi } from 'vitest'
import { coatcheck, type Coatcheck } from '../../src/entries/coatcheck.ts'
import {
  consumeEvents,
  type LifecycleEvent,
  redisStore,
  type RedisStoreOptions,
} from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { startClusterGroup, until } from '../support/redis-topologies.ts'

const script = fileURLToPath(new URL('../support/processes/event-worker.mjs', import.meta.url))
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

type Told = {
  readonly handled?: string
  readonly hanging?: string
  readonly event?: string
  readonly sessionId?: string
}

interface Worker {
  readonly child: ChildProcess
  readonly told: Told[]
}

function startWorker(redis: RedisStoreOptions, name: string, hangAfter?: number): Worker {
  const child = fork(script, [JSON.stringify({ redis, name, hangAfter })], { execArgv: [] })
  const told: Told[] = []
  child.on('message', (message) => told.push(message as Told))
  closing.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  return { child, told }
}

async function start(options: RedisStoreOptions): Promise<Coatcheck<Record<string, unknown>>> {
  const keys = randomBytes(32).toString('base64')
  const auth = coatcheck({
    store: redisStore({ eventStream: {}, connectTimeoutMs: 20_000, ...options }),
    keys,
    baseUrl: 'http://localhost:3000',
  })
  closing.push(() => auth.close())
  await auth.ready()
  return auth
}

async function live(auth: Coatcheck<Record<string, unknown>>, users: number): Promise<string[]> {
  const ids: string[] = []
  for (let i = 0; i < users; i++) {
    const { session } = await auth.sessions.create({ userId: `user-${String(i)}` })
    ids.push(session.id ?? '')
    await auth.sessions.revoke(session.id ?? '', 'laptop lost')
  }
  return ids
}

test('each event is handled by one of two workers, and those of a killed one by the other', async () => {
  const server = await startRedisServer()
  closing.push(() => server.stop())
  const auth = await start({ url: server.url })
  const doomed = startWorker({ url: server.url }, 'doomed', 5)
  const first = await live(auth, 20)
  // Each of its streams stops at an event, and its process lives on: so long nobody else gets those events.
  const inHand = (): unknown[] => doomed.told.flatMap(({ hanging }) => hanging ?? [])
  await until(async () => inHand().length > 0)
  const steady = startWorker({ url: server.url }, 'steady')
  const ids = [...first, ...(await live(auth, 40))]
  await until(async () => steady.told.length > 20)
  // That nothing is taken over can only be seen by letting the time of another process pass.
  await new Promise((resolve) => setTimeout(resolve, 1500))
  const hanging = inHand()
  expect(steady.told.filter(({ handled }) => hanging.includes(handled))).toEqual([])
  doomed.child.kill('SIGKILL')
  const handled = () => [...steady.told, ...doomed.told].filter((told) => told.handled !== undefined)
  await vi.waitUntil(() => handled().length >= 120, { timeout: 120_000 })
  for (const id of hanging) expect(steady.told.map((told) => told.handled)).toContain(id)
  expect(new Set(handled().map((told) => told.handled)).size).toBe(handled().length)
  expect(handled()).toHaveLength(120)
  for (const event of ['session.created', 'session.ended']) {
    const named = handled().filter((told) => told.event === event)
    expect(named.map(({ sessionId }) => sessionId).sort()).toEqual([...ids].sort())
  }
  expect(await server.cli('xpending', 'events:0', 'mail')).toMatch(/^0/)
})

test('works in a cluster, in streams of several slots, in order for each user', async () => {
  const group = await startClusterGroup({ replicas: 0 })
  closing.push(() => group.stop())
  const options = { url: group.url, cluster: true }
  const auth = await start(options)
  const seen: LifecycleEvent[] = []
  const handle = (event: LifecycleEvent): void => void seen.push(event)
  const worker = consumeEvents({ redis: options, group: 'audit', from: 'oldest', pollMs: 20, handle })
  closing.push(() => worker.close())
  const ids = await live(auth, 20)
  await until(async () => seen.length >= 40)
  for (const id of ids) {
    const own = seen.filter(({ event }) => 'sessionId' in event && event.sessionId === id)
    expect(own.map(({ name }) => name)).toEqual(['session.created', 'session.ended'])
    expect(own[1]?.event).toEqual({ sessionId: id, reason: 'laptop lost' })
    expect(Math.abs((own[0]?.atMs ?? 0) - Date.now())).toBeLessThan(120_000)
  }
  const streams = await Promise.all(
    group.servers.map(async ({ cli }) => (await cli('keys', 'events:*')).split('\n').filter((name) => name !== '')),
  )
  expect(streams.flat().length).toBe(4)
  expect(streams.filter((names) => names.length > 0).length).toBeGreaterThan(1)
})

test('keeps to its cap and its life, writes nothing that is secret, and nothing at all when it is not wanted', async () => {
  const server = await startRedisServer()
  closing.push(() => server.stop())
  const auth = await start({ url: server.url, eventStream: { maxLength: 100, shards: 1 } })
  const { ticket } = await auth.sessions.create({ userId: 'ada@example.test' })
  await live(auth, 200)
  // Trimming goes by whole nodes of 100 entries.
  await until(async () => Number(await server.cli('xlen', 'events:0')) <= 200)
  expect(Number(await server.cli('pttl', 'events:0'))).toBeGreaterThan(6 * 86_400_000)
  const text = await server.cli('xrange', 'events:0', '-', '+')
  for (const secret of [ticket, 'ada@', 'example.test', 'user-']) expect(text).not.toContain(secret)
  await server.cli('flushall')
  const silent = await start({ url: server.url, eventStream: undefined })
  await silent.sessions.create({ userId: 'ada' })
  expect(await server.cli('exists', 'events:0')).toBe('0')
})

test('a handler that fails gets the event again, and says so', async () => {
  const server = await startRedisServer()
  closing.push(() => server.stop())
  const auth = await start({ url: server.url })
  const tries: string[] = []
  const failures: unknown[] = []
  const worker = consumeEvents({
    redis: { url: server.url },
    group: 'mail',
    from: 'oldest',
    pollMs: 20,
    claimAfterMs: 200,
    onError: (error, event) => failures.push([error, event?.name]),
    handle({ id }) {
      tries.push(id)
      if (tries.length < 3) throw new Error('no mail today')
    },
  })
  closing.push(() => worker.close())
  await auth.sessions.create({ userId: 'ada' })
  await until(async () => tries.length === 3)
  await worker.close()
  expect(new Set(tries).size).toBe(1)
  expect(failures).toEqual(Array(2).fill([new Error('no mail today'), 'session.created']))
  // Delivered again is not written again, in whichever of the four streams it lies.
  const lengths = await Promise.all([0, 1, 2, 3].map((shard) => server.cli('xlen', `events:${shard}`)))
  expect(lengths.map(Number).reduce((sum, length) => sum + length, 0)).toBe(1)
  expect(await workersOn(server, 'mail')).toEqual([])
})

/** As the server lists them, over all streams. */
async function workersOn({ cli }: RedisServer, group: string): Promise<string[]> {
  const lists = await Promise.all([0, 1, 2, 3].map((shard) => cli('xinfo', 'consumers', `events:${shard}`, group)))
  return lists.flatMap((list) => [...list.matchAll(/^name\n(.+)$/gm)].map(([, name = '']) => name))
}

test('a worker that leaves something undone stays on the list of the server, and another one does it', async () => {
  const server = await startRedisServer()
  closing.push(() => server.stop())
  const auth = await start({ url: server.url })
  const events = { redis: { url: server.url }, group: 'mail', from: 'oldest', pollMs: 20, claimAfterMs: 200 } as const
  let tries = 0
  const failing = consumeEvents({
    ...events,
    name: 'failing',
    handle() {
      tries++
      throw new Error('no mail today')
    },
  })
  await auth.sessions.create({ userId: 'ada' })
  await until(async () => tries > 0)
  await failing.close()
  expect(await workersOn(server, 'mail')).toEqual(['failing'])
  const seen: string[] = []
  const steady = consumeEvents({ ...events, name: 'steady', handle: ({ name }) => void seen.push(name) })
  closing.push(() => steady.close())
  await until(async () => seen.length === 1)
  expect(seen).toEqual(['session.created'])
})

test('a worker outlives an outage', async () => {
  const server = await startRedisServer()
  closing.push(() => server.stop())
  const auth = await start({ url: server.url })
  const seen: string[] = []
  const failures: unknown[] = []
  const worker = consumeEvents({
    redis: { url: server.url },
    group: 'mail',
    from: 'oldest',
    pollMs: 20,
    handle: ({ name }) => void seen.push(name),
    onError: (error) => failures.push(error),
  })
  closing.push(() => worker.close())
  await auth.sessions.create({ userId: 'ada' })
  await until(async () => seen.length === 1)
  await server.kill()
  await until(async () => failures.length > 0)
  // Without its data: the groups are gone as well.
  await server.restart()
  await until(async () => (await auth.sessions.create({ userId: 'grace' }).catch(() => null)) !== null)
  await vi.waitUntil(() => seen.length >= 2, { timeout: 120_000 })
})

test('says what it lacks', () => {
  expect(() => consumeEvents({ handle: () => undefined } as never)).toThrow('Option consumeEvents().group has no value')
  expect(() => consumeEvents({ group: 'a', handle: 1 } as never)).toThrow('expected a function')
  expect(() => consumeEvents({ group: 'a', handel: 1 } as never)).toThrow('Did you mean consumeEvents().handle?')
})
