/** Faults of the network between application and Redis, through a proxy that has them: F6 to F9 of docs/faults.md. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { coatcheck, isCoatcheckError } from '../../src/index.ts'
import { redisStore } from '../../src/redis.ts'
import { type FaultProxy, type ProxyMode, startFaultProxy } from '../../src/testing/fault-proxy.ts'
import { untilWorks } from '../support/redis-clients.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { type SessionLoad, startSessionLoad } from '../support/session-load.ts'
import { heapInUse, inMs, isLab, observed } from './report.ts'

/** The deadline of a change, 50 ms, and a machine that is busy with other tests. */
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
  const load = await startSessionLoad(redisStore({ url }))
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
  await sleep(3000)
  // Only those that were let through before the circuit opened have waited.
  expect(load.seen.longestMs).toBeLessThan(LONGEST_MS)
  const growth = heapInUse() - before
  server.resume()
  const recovery = await load.recovered(5000)
  expect(recovery).toBeLessThan(RECOVERY_MS)
  expect([...load.seen.misses.keys()]).toEqual([])
  expect(growth).toBeLessThan(MOST_GROWTH)
  observed('F6', `longest wait ${inMs(load.seen.longestMs)}, recovery ${inMs(recovery)}`)
})

const modes: readonly (readonly [string, ProxyMode])[] = [
  ['swallowed', { kind: 'swallow' }],
  ['cut', { kind: 'cut' }],
  ['delayed by 600 ms', { kind: 'delay', ms: 600 }],
  ['dripping at 1 byte a second', { kind: 'drip', bytesPerSecond: 1 }],
]

test.each(modes)('F7: a connection that is %s: in time, no memory, no late write, and back', async (name, mode) => {
  const { proxy } = await behindProxy()
  const load = await loadOn(proxy.url)
  await sleep(200)
  load.restart()
  const before = heapInUse()
  proxy.set(mode)
  await sleep(2500)
  expect(load.seen.longestMs).toBeLessThan(LONGEST_MS)
  expect(heapInUse() - before).toBeLessThan(MOST_GROWTH)
  const longest = load.seen.longestMs
  proxy.set({ kind: 'pass' })
  const recovery = await untilWorks(() => load.auth.sessions.listByUser('user-0'))
  await load.recovered(10_000)
  expect([...load.seen.misses.keys()]).toEqual([])
  const counts = await load.counts()
  // A write whose answer was lost may have happened; none happens without having been asked for, and none is lost.
  for (const [i, count] of counts.entries()) expect(count ?? -1).toBeGreaterThanOrEqual(load.written[i] ?? 0)
  observed('F7', `${name}: longest wait ${inMs(longest)}, recovery ${inMs(recovery)}`)
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
  expect(await load.recovered(5000)).toBeLessThan(RECOVERY_MS)
})

describe('F8', () => {
  test('replies that are left out, doubled and exchanged: nobody gets the session or the token of somebody else', async () => {
    const { server, proxy } = await behindProxy()
    const keys = randomBytes(32).toString('base64')
    const make = (url: string) =>
      coatcheck<{ owner: string }>({ store: redisStore({ url }), keys, baseUrl: 'http://localhost:3000' })
    const direct = make(server.url)
    const through = make(proxy.url)
    closing.push(
      () => direct.close(),
      () => through.close(),
    )
    const people = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const userId = `user-${i}`
        const { ticket } = await direct.sessions.create({ userId, data: { owner: userId } })
        return { userId, ticket }
      }),
    )
    await through.ready()
    proxy.set({ kind: 'confuse', chance: 0.1 })
    const wanted = isLab ? 100_000 : 5000
    let reads = 0
    let right = 0
    let wrong = 0
    let refused = 0
    const reader = async (offset: number): Promise<void> => {
      for (let i = offset; reads < wanted; i++) {
        const person = people[i % people.length]
        if (!person) continue
        reads++
        try {
          const { session } = await through.sessions.find(person.ticket)
          if (session === null) refused++
          else if (session.user?.id === person.userId && session.data.owner === person.userId) right++
          else wrong++
        } catch (error) {
          expect(isCoatcheckError(error)).toBe(true)
          refused++
          // Out of step for good: a new connection starts in step.
          if (refused % 50 === 0) {
            proxy.set({ kind: 'cut' })
            proxy.set({ kind: 'confuse', chance: 0.1 })
          }
          await sleep(1)
        }
        if (refused > 0 && reads % 500 === 0) {
          proxy.set({ kind: 'cut' })
          proxy.set({ kind: 'confuse', chance: 0.1 })
          await sleep(20)
        }
      }
    }
    await Promise.all(Array.from({ length: 16 }, (_, i) => reader(i * 13)))
    expect(wrong).toBe(0)
    expect(proxy.confused).toBeGreaterThan(5)
    expect(right).toBeGreaterThan(0)
    observed('F8', `${reads.toLocaleString('en')} reads, ${proxy.confused} replies confused, ${wrong} of somebody else`)
  }, 300_000)
})

describe('F9', () => {
  test('Redis is not there at the start: errors at once, and it works within a second of its start', async () => {
    const server = await startRedisServer()
    closing.push(() => server.stop())
    await server.kill()
    const auth = coatcheck({
      store: redisStore({ url: server.url }),
      keys: randomBytes(32).toString('base64'),
      baseUrl: 'http://localhost:3000',
    })
    closing.push(() => auth.close())
    await expect(auth.sessions.create({ userId: 'ada' })).rejects.toMatchObject({ code: 'COATCHECK_REDIS_UNREACHABLE' })
    await server.restart()
    const recovery = await untilWorks(() => auth.sessions.create({ userId: 'ada' }))
    expect(recovery).toBeLessThan(RECOVERY_MS)
    observed('F9', `not there at the start: works ${inMs(recovery)} after its start`)
  })

  test('a connection that comes and goes every second: few attempts, and it works in between', async () => {
    const { proxy } = await behindProxy()
    const load = await loadOn(proxy.url)
    let attempts = 0
    const stop = load.auth.events.on('redis.status', ({ status }) => {
      if (status === 'reconnecting') attempts++
    })
    for (let i = 0; i < 4; i++) {
      proxy.set({ kind: 'cut' })
      await sleep(500)
      proxy.set({ kind: 'pass' })
      await load.recovered(2000)
      await sleep(300)
    }
    stop()
    expect(attempts / 4).toBeLessThan(10)
    expect([...load.seen.misses.keys()]).toEqual([])
    observed('F9', `flapping: ${(attempts / 4).toFixed(1)} changes of state for each loss`)
  })
})
