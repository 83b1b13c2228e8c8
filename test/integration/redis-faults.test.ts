/**
 * The client port while the server hangs, dies, returns or was never there: nobody waits longer than the deadline, nothing
 * is sent that nobody waits for, and work goes on within a second of the server's return.
 */
import { createServer, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { expectWithin } from '../lab/limits.ts'
import { observed } from '../lab/report.ts'
import { closeRedis, libraryMajors, openRedis, outcome, untilWorks } from '../support/redis-clients.ts'
import { freePort, type RedisServer, startRedisServer } from '../support/redis-server.ts'

/** Deadline 250 ms, two ticks of the wheel, and a machine that is busy with other tests. */
const DEADLINE_BOUND_MS = 700
const RECOVERY_MS = 1000

let server: RedisServer
beforeEach(async () => {
  server = await startRedisServer()
})
afterEach(async () => {
  server.resume()
  await closeRedis()
  await server.stop()
})

describe.each(libraryMajors)('redis $major', ({ create, install }) => {
  beforeEach(install)

  describe.each(['made by us', 'user-supplied'])('a client that was %s', (origin) => {
    const connect = (limits: { connectTimeoutMs?: number } = {}) =>
      openRedis({ ...limits, ...(origin === 'user-supplied' ? { client: create(server.url) } : { url: server.url }) })

    test('a hung server: timeouts within the deadline, then the open circuit at once, then recovery', async () => {
      const { redis, get, set, statuses } = connect()
      await set('k', '1')
      server.pause()
      const first = await Promise.all(Array.from({ length: 20 }, () => outcome(() => get('k'))))
      for (const { code, ms } of first) {
        expect(code).toBe('COATCHECK_REDIS_TIMEOUT')
        expect(ms).toBeGreaterThan(240)
        expectWithin(ms, DEADLINE_BOUND_MS)
      }
      await sleep(600)
      const during = await Promise.all(Array.from({ length: 20 }, () => outcome(() => get('k'))))
      for (const { code, ms } of during) {
        expect(code).toBe('COATCHECK_REDIS_CIRCUIT_OPEN')
        expectWithin(ms, 50)
      }
      // The fastest of many says what it costs, the others what the machine is doing.
      expectWithin(Math.min(...during.map(({ ms }) => ms)), 5)
      server.resume()
      expectWithin(await untilWorks(() => get('k')), RECOVERY_MS)
      await redis.close()
      expect(statuses).toEqual(['connecting', 'ready', 'circuit-open', 'circuit-closed', 'closed'])
    })

    test('a killed server: what is in flight fails at once, recovery within a second of its return', async () => {
      const { get, set, statuses } = connect()
      await set('k', '1')
      server.pause()
      const inFlight = outcome(() => get('k'))
      await sleep(50)
      await server.kill()
      expect(await inFlight).toMatchObject({ code: 'COATCHECK_REDIS_UNREACHABLE' })
      await sleep(1200)
      const down = await outcome(() => get('k'))
      expect(down.code).toBe('COATCHECK_REDIS_UNREACHABLE')
      expectWithin(down.ms, 50)
      await server.restart()
      expectWithin(await untilWorks(() => get('k')), RECOVERY_MS)
      expect(statuses.filter((status) => !status.startsWith('circuit'))).toEqual([
        'connecting',
        'ready',
        'reconnecting:COATCHECK_REDIS_UNREACHABLE',
        'ready',
      ])
    })

    test('ready() is a round trip: a server that hangs behind a connection that stands is a timeout', async () => {
      const { redis } = connect({ connectTimeoutMs: 1000 })
      await untilWorks(() => redis.ready())
      server.pause()
      expect(await outcome(() => redis.ready())).toMatchObject({ code: 'COATCHECK_REDIS_TIMEOUT' })
      server.resume()
      await untilWorks(() => redis.ready())
    })

    test('close ends within its deadline while the server hangs', async () => {
      const { redis, get } = connect()
      await redis.ready()
      server.pause()
      const pending = outcome(() => get('k'))
      const { ms } = await outcome(() => redis.close())
      expectWithin(ms, 1500)
      expect((await pending).code).toMatch(/TIMEOUT|UNREACHABLE/)
      // The answer that comes now finds nobody: the run fails if the library throws at that.
      server.resume()
      await sleep(100)
    })
  })

  test('a server that hangs at the first connect', async () => {
    server.pause()
    const { redis, get } = openRedis({ url: server.url, connectTimeoutMs: 400 })
    const { code, ms } = await outcome(() => get('k'))
    expect(code).toBe('COATCHECK_REDIS_UNREACHABLE')
    expectWithin(ms, DEADLINE_BOUND_MS)
    await expect(redis.ready()).rejects.toMatchObject({ code: 'COATCHECK_REDIS_UNREACHABLE' })
    // Several connections have been given up meanwhile; none of them may come to life.
    await sleep(1500)
    server.resume()
    expectWithin(await untilWorks(() => get('k')), RECOVERY_MS)
    await sleep(300)
    expect((await server.cli('client', 'list', 'type', 'normal')).split('\n')).toHaveLength(2)
  })

  test('a connection whose other end stays silent is replaced', async () => {
    const hole = await blackHole(server.port)
    const { redis, get } = openRedis({ url: `redis://127.0.0.1:${hole.port}`, connectTimeoutMs: 500 })
    await untilWorks(() => redis.ready())
    hole.swallow = true
    await Promise.all([1, 2, 3].map(() => outcome(() => get('k'))))
    hole.swallow = false
    // The old connection is dead for good; only a new one helps.
    expectWithin(await untilWorks(() => get('k')), 3000)
    await closeRedis()
    hole.server.close()
  })

  test('nothing listens: the connect deadline says so, and the connection is made when there is a server', async () => {
    await server.kill()
    const { redis, get } = openRedis({ url: server.url, connectTimeoutMs: 300 })
    const ready = await outcome(() => redis.ready())
    expect(ready.code).toBe('COATCHECK_REDIS_UNREACHABLE')
    expectWithin(ready.ms, 1000)
    await expect(redis.ready()).rejects.toThrow(/connection refused/)
    await server.restart()
    expectWithin(await untilWorks(() => get('k')), RECOVERY_MS)
  })

  test('closed while it connects: the process is left without a connection', async () => {
    for (const delayMs of [0, 1, 3, 10]) {
      const { redis } = openRedis({ url: server.url })
      await sleep(delayMs)
      await redis.close()
    }
    await sleep(200)
    expect((await server.cli('client', 'list', 'type', 'normal')).split('\n')).toHaveLength(1)
  })
})

test('more operations than allowed are refused at once; the others have their answer', async () => {
  const { redis, get } = openRedis({ url: server.url, maxInFlight: 5 })
  await redis.ready()
  const outcomes = await Promise.all(Array.from({ length: 8 }, () => outcome(() => get('k'))))
  expect(outcomes.map(({ code }) => code).toSorted()).toEqual([
    ...Array<string>(3).fill('COATCHECK_REDIS_OVERLOADED'),
    ...Array<string>(5).fill('ok'),
  ])
  expect(await get('k')).toBeNull()
})

test('a server that comes and goes: each change is reported once, however many attempts there were', async () => {
  const { get, set, statuses } = openRedis({ url: server.url })
  await set('k', '1')
  for (let round = 0; round < 3; round++) {
    await server.kill()
    // Several attempts fail meanwhile.
    await sleep(1200)
    await server.restart()
    await untilWorks(() => get('k'))
  }
  const away = ['reconnecting:COATCHECK_REDIS_UNREACHABLE', 'ready']
  expect(statuses).toEqual(['connecting', 'ready', ...away, ...away, ...away])
})

test('two seconds in which the event loop is blocked, under load: no timeout, and the circuit stays closed', async () => {
  const { redis, get, set, statuses } = openRedis({ url: server.url })
  await redis.ready()
  await set('k', '1')
  let isOver = false
  const codes: string[] = []
  const callers = Array.from({ length: 64 }, async () => {
    while (!isOver) codes.push((await outcome(() => get('k'))).code)
  })
  await sleep(50)
  for (let i = 0; i < 3; i++) {
    const end = performance.now() + 2000
    while (performance.now() < end);
    await sleep(20)
  }
  isOver = true
  await Promise.all(callers)
  expect(codes.length).toBeGreaterThan(64 * 4)
  expect(codes.filter((code) => code !== 'ok')).toEqual([])
  expect(statuses).toEqual(['connecting', 'ready'])
})

test('a blocked event loop times nothing out', async () => {
  const { redis, get } = openRedis({ url: server.url })
  await redis.ready()
  const written = Array.from({ length: 5 }, () => outcome(() => get('k')))
  await new Promise((resolve) => setImmediate(resolve))
  const unwritten = Array.from({ length: 5 }, () => outcome(() => get('k')))
  const end = performance.now() + 1000
  while (performance.now() < end);
  const codes = (await Promise.all([...written, ...unwritten])).map(({ code }) => code)
  expect(new Set(codes)).toEqual(new Set(['ok']))
  observed('F28.store', 'blocked for 1,000 ms: 0 of 10 timed out')
})

test('a deadline of its own for one operation', async () => {
  const { redis } = openRedis({ url: server.url })
  await redis.ready()
  server.pause()
  const { code, ms } = await outcome(() => redis.command('k', ['GET', 'k'], { deadlineMs: 100 }))
  expect(code).toBe('COATCHECK_REDIS_TIMEOUT')
  expect(ms).toBeGreaterThan(95)
  expectWithin(ms, 240)
})

test('two timeouts and a success in turn leave the circuit closed', async () => {
  const { redis, get, statuses } = openRedis({ url: server.url })
  await redis.ready()
  for (let round = 0; round < 2; round++) {
    server.pause()
    await Promise.all([1, 2].map(() => outcome(() => get('k'))))
    server.resume()
    await untilWorks(() => get('k'))
  }
  expect(statuses).toEqual(['connecting', 'ready'])
})

/** A proxy that can go silent: what it then has, connections included, never speaks again; new ones do. */
async function blackHole(target: number): Promise<{ port: number; swallow: boolean; server: Server }> {
  const { connect } = await import('node:net')
  const state = { port: await freePort(), swallow: false, server: createServer() }
  state.server.on('connection', (inner) => {
    const outer = connect({ host: '127.0.0.1', port: target })
    let isDead = false
    const pass = (to: typeof inner) => (chunk: Buffer) => {
      isDead ||= state.swallow
      if (!isDead) to.write(chunk)
    }
    inner
      .on('data', pass(outer))
      .on('error', () => outer.destroy())
      .on('close', () => outer.destroy())
    outer.on('data', pass(inner)).on('error', () => inner.destroy())
  })
  await new Promise<void>((resolve) => state.server.listen(state.port, '127.0.0.1', resolve))
  return state
}
