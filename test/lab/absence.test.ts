/** A Redis that is not there: at the start, for long, or every other moment. F9 of docs/faults.md. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { nodeAuth } from '../../src/adapters/node.ts'
import type { Coatcheck } from '../../src/app/coatcheck.ts'
import { coatcheck } from '../../src/entries/coatcheck.ts'
import { redisStore, type RedisStoreOptions } from '../../src/stores/redis/redis-store.ts'
import { startFaultProxy } from '../../src/testing/fault-proxy.ts'
import { outcome, untilWorks } from '../support/redis-clients.ts'
import { freePort, type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { startSessionLoad } from '../support/session-load.ts'
import { expectWithin } from './limits.ts'
import { inMs, isLab, observed } from './report.ts'

const RECOVERY_MS = 1000
const PROCESSES = 4
const AWAY_MS = isLab ? 60_000 : 5000
const MOST_ATTEMPTS_PER_SECOND = 10
const FLAPS = isLab ? 20 : 3
const keys = randomBytes(32).toString('base64')

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

function open(options: RedisStoreOptions): Coatcheck<Record<string, unknown>> {
  const auth = coatcheck({ store: redisStore(options), keys, baseUrl: 'https://app.test' })
  closing.push(() => auth.close())
  return auth
}

async function startServer(): Promise<RedisServer> {
  const server = await startRedisServer()
  closing.push(() => server.stop())
  return server
}

test('not there at the start: errors at once, and it works within a second of its start', async () => {
  const server = await startServer()
  await server.kill()
  const auth = open({ url: server.url })
  await expect(auth.sessions.create({ userId: 'ada' })).rejects.toMatchObject({ code: 'COATCHECK_REDIS_UNREACHABLE' })
  await server.restart()
  const recovery = await untilWorks(() => auth.sessions.create({ userId: 'ada' }))
  expectWithin(recovery, RECOVERY_MS)
  observed('F9.start', `works ${inMs(recovery)} after its start`)
})

test('over HTTP: what needs no session is served, the rest is 503 with Retry-After, and the cookie stays', async () => {
  const server = await startServer()
  const auth = open({ url: server.url })
  await auth.ready()
  const { ticket } = await auth.sessions.create({ userId: 'ada' })
  const web = nodeAuth(auth)
  const app = createHttpServer((request, response) => {
    const answer = async (): Promise<void> => {
      if (request.url === '/open') response.end('open')
      else if (request.url === '/profile') {
        const signedIn = await web.requireUser(request, response)
        if (signedIn) response.end(signedIn.user.id)
      } else response.end((await web.getSession(request, response)).user?.id ?? 'nobody')
    }
    answer().catch((error: unknown) => web.handleError(error, request, response) || response.destroy())
  }).listen(0, '127.0.0.1')
  await once(app, 'listening')
  closing.push(async () => {
    app.closeAllConnections()
    await new Promise((resolve) => app.close(resolve))
  })
  const origin = `http://127.0.0.1:${(app.address() as AddressInfo).port}`
  const ask = (path: string, cookie?: string) =>
    fetch(origin + path, { headers: cookie === undefined ? {} : { cookie } })
  const cookie = `__Host-coatcheck=${ticket}`
  expect(await (await ask('/profile', cookie)).text()).toBe('ada')
  await server.kill()
  let asked = 0
  for (let i = 0; i < 50; i++) {
    expect((await ask('/open', cookie)).status).toBe(200)
    expect(await (await ask('/')).text()).toBe('nobody')
    for (const path of ['/', '/profile']) {
      const response = await ask(path, cookie)
      expect(response.status).toBe(503)
      expect(response.headers.get('retry-after')).toMatch(/^\d+$/)
      expect(response.headers.getSetCookie()).toEqual([])
      asked++
    }
  }
  observed(
    'F9.http',
    `${asked} of ${asked} answered 503 with Retry-After, 100 of 100 anonymous ones served, 0 cookies touched`,
  )
})

/** Takes connections and resets them: what is behind it is down. */
async function startDeadEnd(port: number): Promise<{ attempts: number[]; server: Server }> {
  const attempts: number[] = []
  const server = createServer((socket) => {
    attempts.push(performance.now())
    socket.resetAndDestroy()
  }).listen(port, '127.0.0.1')
  await once(server, 'listening')
  return { attempts, server }
}

test(
  `away for ${AWAY_MS / 1000} s: few attempts over four processes, answers at once`,
  { timeout: AWAY_MS + 60_000 },
  async () => {
    const port = await freePort()
    const { attempts, server: deadEnd } = await startDeadEnd(port)
    closing.push(() => Promise.resolve(deadEnd.close()))
    // Different settings, so that each has connections of its own, as a process has.
    const all = Array.from({ length: PROCESSES }, (_, i) =>
      open({ url: `redis://127.0.0.1:${port}`, commandTimeoutMs: 250 + i }),
    )
    const startMs = performance.now()
    await Promise.all(all.map((auth) => outcome(() => auth.sessions.listByUser('ada'))))
    let slowestMs = 0
    while (performance.now() - startMs < AWAY_MS) {
      await sleep(100)
      for (const auth of all) {
        const { code, ms } = await outcome(() => auth.sessions.listByUser('ada'))
        expect(code).toBe('COATCHECK_REDIS_UNREACHABLE')
        slowestMs = Math.max(slowestMs, ms)
      }
    }
    expectWithin(slowestMs, 250)
    // The first attempts follow each other closely: somebody may be restarting it.
    const later = attempts.filter((at) => at > startMs + 2000)
    const seconds = Math.floor((AWAY_MS - 2000) / 1000)
    const perSecond = Array.from({ length: seconds }, (_, i) => {
      const from = startMs + 2000 + i * 1000
      return later.filter((at) => at >= from && at < from + 1000).length
    })
    const worst = Math.max(...perSecond)
    const mean = later.length / ((performance.now() - startMs - 2000) / 1000)
    expect(mean).toBeLessThan(MOST_ATTEMPTS_PER_SECOND)
    deadEnd.close()
    await new Promise((resolve) => setTimeout(resolve, 50))
    const server = await startRedisServer({ port })
    closing.push(() => server.stop())
    const recovery = await untilWorks(() => Promise.all(all.map((auth) => auth.sessions.listByUser('ada'))))
    expectWithin(recovery, RECOVERY_MS)
    observed(
      'F9.long',
      `away for ${AWAY_MS / 1000} s: ${mean.toFixed(1)} attempts a second over ${PROCESSES} processes (${worst} in the worst second), back after ${inMs(recovery)}`,
    )
  },
)

test(
  'a connection that comes and goes every second: it works in between, and nobody is signed out',
  { timeout: 120_000 },
  async () => {
    const server = await startServer()
    const proxy = await startFaultProxy({ target: { port: server.port } })
    closing.push(() => proxy.close())
    const load = await startSessionLoad(redisStore({ url: proxy.url }))
    closing.push(() => load.stop())
    let worstMs = 0
    for (let i = 0; i < FLAPS; i++) {
      proxy.set({ kind: 'cut' })
      await sleep(500)
      proxy.set({ kind: 'pass' })
      const recovery = await load.recovered(2000)
      worstMs = Math.max(worstMs, recovery)
      await sleep(Math.max(0, 500 - recovery))
    }
    expectWithin(worstMs, RECOVERY_MS)
    expect([...load.seen.misses.keys()]).toEqual([])
    observed(
      'F9.flapping',
      `${FLAPS} times: all 64 callers work ${inMs(worstMs)} after each return at the latest, 0 signed out`,
    )
  },
)
