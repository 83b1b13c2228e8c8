/** Faults of the network between application and Redis, through a proxy that has them: F6 and F7 of docs/faults.md. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type FaultProxy, type ProxyMode, startFaultProxy } from '../../src/testing/fault-proxy.ts'
import { outcome, untilWorks } from '../support/redis-clients.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { type SessionLoad, startSessionLoad } from '../support/session-load.ts'
import { expectWithin } from './limits.ts'
import { heapInUse, inMs, observed } from './report.ts'

/** The defaults, which are the subject here: `npm test` gives other tests longer ones. */
const DEADLINES = { commandTimeoutMs: 250, writeTimeoutMs: 1000 } as const
/** The deadline of a write, 50 ms, and a machine that is busy with other tests. */
const LONGEST_MS = 1000 + 50 + 400
const RECOVERY_MS = 1000
const MOST_GROWTH = 10 * 1024 * 1024

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function behindProxy(): Promise<{ server: RedisServer; proxy: FaultProxy }> {
  const server = await startRedisServer()
  closing.push(() => server.stop())
  const proxy = await startFaultProxy({ target: { port: server.port } })
  closing.push(() => proxy.close())
  return { server, proxy }
}

async function loadOn(url: string): Promise<SessionLoad> {
  const load = await startSessionLoad(redisStore({ url, ...DEADLINES }))
  closing.push(() => load.stop())
  return load
}

test('F6: a server that hangs under 64 callers: nobody waits longer than the deadline, all work again within a second', async () => {
  const server = await startRedisServer()
  closing.push(() => server.stop())
  const load = await loadOn(server.url)
  await sleep(300)
  load.restart()
  const before = heapInUse()
  server.pause()
  await sleep(2000)
  // By now it is open.
  let slowestMs = 0
  for (let i = 0; i < 200; i++) {
    const { code, ms } = await outcome(() => load.auth.sessions.find(load.tickets[i % 64] ?? ''))
    expect(code).toBe('COATCHECK_REDIS_CIRCUIT_OPEN')
    slowestMs = Math.max(slowestMs, ms)
  }
  expectWithin(slowestMs, 50)
  await sleep(1000)
  // Only those that were let through before the circuit opened have waited.
  const { longestMs } = load.seen
  expectWithin(longestMs, LONGEST_MS)
  const growth = heapInUse() - before
  server.resume()
  const recovery = await load.recovered(5000)
  expectWithin(recovery, RECOVERY_MS)
  expect([...load.seen.misses.keys()]).toEqual([])
  expect(growth).toBeLessThan(MOST_GROWTH)
  observed(
    'F6.hung',
    `longest wait ${inMs(longestMs)}, with an open circuit ${slowestMs.toFixed(1)} ms, all work after ${inMs(recovery)}, ${(growth / 1024 / 1024).toFixed(1)} MB more memory`,
  )
})

const modes: readonly (readonly ['swallowed' | 'cut' | 'delayed' | 'dripping', ProxyMode])[] = [
  ['swallowed', { kind: 'swallow' }],
  ['cut', { kind: 'cut' }],
  ['delayed', { kind: 'delay', ms: 600 }],
  ['dripping', { kind: 'drip', bytesPerSecond: 1 }],
]

test.each(modes)('F7: a connection that is %s: in time, no memory, no late write, and back', async (name, mode) => {
  const { proxy } = await behindProxy()
  const load = await loadOn(proxy.url)
  await sleep(200)
  load.restart()
  const before = heapInUse()
  proxy.set(mode)
  await sleep(2500)
  expectWithin(load.seen.longestMs, LONGEST_MS)
  expect(heapInUse() - before).toBeLessThan(MOST_GROWTH)
  const longest = load.seen.longestMs
  proxy.set({ kind: 'pass' })
  const recovery = await untilWorks(() => load.auth.sessions.listByUser('user-0'))
  await load.recovered(10_000)
  expect([...load.seen.misses.keys()]).toEqual([])
  const counts = await load.counts()
  // A write whose answer was lost may have happened; none happens without having been asked for, and none is lost.
  for (const [i, count] of counts.entries()) expect(count ?? -1).toBeGreaterThanOrEqual(load.written[i] ?? 0)
  observed(`F7.${name}`, `longest wait ${inMs(longest)}, recovery ${inMs(recovery)}`)
})

test('F7: a delay that deadlines allow for is only slow', async () => {
  const { proxy } = await behindProxy()
  proxy.set({ kind: 'delay', ms: 50 })
  const load = await loadOn(proxy.url)
  load.restart()
  await sleep(1500)
  expect(Object.fromEntries(load.seen.errors)).toEqual({})
  expect([...load.seen.misses.keys()]).toEqual([])
})

test('F7: a reply that is cut off in the middle is an error and never half a session', async () => {
  const { proxy } = await behindProxy()
  const load = await loadOn(proxy.url)
  for (let i = 0; i < 20; i++) {
    proxy.set({ kind: 'truncate' })
    await sleep(60)
  }
  expect([...load.seen.misses.keys()]).toEqual([])
  const recovery = await load.recovered(5000)
  expectWithin(recovery, RECOVERY_MS)
  observed('F7.truncated', `20 replies: 0 sessions missed or half, recovery ${inMs(recovery)}`)
})
