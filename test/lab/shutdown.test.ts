/** A process that is asked to end while it works: F30 of docs/faults.md. */
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import type { Coatcheck } from '../../src/app/coatcheck.ts'
import { coatcheck } from '../../src/entries/coatcheck.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { until } from '../support/redis-topologies.ts'
import { startSessionProcess } from '../support/session-process.ts'
import { expectWithin } from './limits.ts'
import { inMs, isLab, observed } from './report.ts'

const ROUNDS = isLab ? 5 : 2
const CALLERS = 64
/** The deadline of a change, and a machine that is busy with other tests. */
const LONGEST_MS = 1000 + 50 + 400
/** `close()` waits for answers for a second. */
const CLOSE_MS = 1000 + 500

const keys = randomBytes(32).toString('base64')
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function open(server: RedisServer, commandTimeoutMs: number): Promise<Coatcheck<Record<string, unknown>>> {
  const auth = coatcheck({
    store: redisStore({ url: server.url, commandTimeoutMs }),
    keys,
    baseUrl: 'https://sessions.example',
  })
  closing.push(() => auth.close())
  await auth.ready()
  return auth
}

test.each(['answers', 'hangs'] as const)(
  'SIGTERM under load while Redis %s: what is under way ends in time, and is what it says',
  { timeout: 240_000 },
  async (how) => {
    const server = await startRedisServer()
    closing.push(() => server.stop())
    let slowestMs = 0
    let slowestCloseMs = 0
    let answered = 0
    for (let round = 0; round < ROUNDS; round++) {
      const app = await startSessionProcess(keys, server.url)
      const issued = await app.ask('create', {
        users: Array.from({ length: CALLERS }, (_, i) => `u${i}`),
        data: { count: 0 },
      })
      const tickets = issued.map(({ ticket }) => ticket)
      await app.ask('load', { tickets })
      await until(() => Promise.resolve(app.events.length > 500))
      if (how === 'hangs') server.pause()
      const code = await app.end('SIGTERM')
      server.resume()
      expect(code).toBe(0)
      const writes = app.events.filter(({ ticket }) => ticket !== undefined)
      const { closedMs = Infinity, endedMs = Infinity } = app.events.find((event) => event.closedMs !== undefined) ?? {}
      expectWithin(endedMs, LONGEST_MS + CLOSE_MS)
      slowestMs = Math.max(slowestMs, ...writes.map(({ ms = Infinity }) => ms))
      slowestCloseMs = Math.max(slowestCloseMs, closedMs)
      answered += writes.length
      const reader = await open(server, 250 + round)
      for (const ticket of tickets) {
        const own = writes.filter((event) => event.ticket === ticket)
        const done = own.filter(({ code: outcome }) => outcome === 'ok').length
        const { session } = await reader.sessions.find(ticket)
        // Whoever was told "done" is counted; of those that failed the last one may have happened.
        expect(Number(session?.data['count'])).toBeGreaterThanOrEqual(done)
        expect(Number(session?.data['count'])).toBeLessThanOrEqual(own.length)
      }
    }
    expectWithin(slowestMs, LONGEST_MS)
    expectWithin(slowestCloseMs, CLOSE_MS)
    observed(
      'F30.sigterm',
      `Redis ${how}: ${answered.toLocaleString('en')} writes, the slowest ${inMs(slowestMs)}, close() ${inMs(slowestCloseMs)}, 0 that were acknowledged are missing`,
    )
  },
)

test('what could not be ended yet is carried out by close()', { timeout: 240_000 }, async () => {
  let flushed = 0
  for (let round = 0; round < ROUNDS; round++) {
    const server = await startRedisServer({ args: ['--save', '3600 1', '--rdbcompression', 'no'] })
    closing.push(() => server.stop())
    const auth = await open(server, 250)
    const reader = await open(server, 251)
    const sessions = await Promise.all(Array.from({ length: 20 }, (_, i) => auth.sessions.create({ userId: `u${i}` })))
    // It refuses to write from now on.
    await server.cli('config', 'set', 'dir', server.dir)
    rmSync(server.dir, { recursive: true })
    await server.cli('bgsave').catch(() => '')
    await until(async () => (await server.cli('info', 'persistence')).includes('rdb_last_bgsave_status:err'))
    for (const { session } of sessions) {
      expect(await auth.sessions.revoke(session.id ?? '')).toEqual({ count: 1, durable: false })
    }
    // Later than the first repetition, so that the next one is not due when the process ends.
    await sleep(700)
    await server.cli('config', 'set', 'stop-writes-on-bgsave-error', 'no')
    await auth.close()
    const found = await Promise.all(sessions.map(({ ticket }) => reader.sessions.find(ticket)))
    expect(found.filter(({ session }) => session !== null)).toEqual([])
    flushed += found.length
  }
  observed('F30.flush', `${flushed} of ${flushed} that Redis had refused were ended when close() was done`)
})
