/** What is too much of something: sessions of one user, bytes of a session, of a cookie header, and visitors. F29 of docs/faults.md. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { nodeAuth } from '../../src/adapters/node.ts'
import type { Coatcheck } from '../../src/app/coatcheck.ts'
import { coatcheck } from '../../src/entries/coatcheck.ts'
import { createHeadersSink } from '../../src/http/headers-sink.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { sendRaw } from '../../src/testing/raw-http.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { expectWithin } from './limits.ts'
import { heapInUse, inMs, isLab, observed } from './report.ts'

const SESSIONS = isLab ? 10_000 : 1000
const VISITS = isLab ? 500_000 : 20_000
const VISITORS_AT_ONCE = 64
const MOST_GROWTH = 30 * 1024 * 1024
/** The deadline of a change, and a machine that is busy with other tests. */
const ENDED_MS = 1000 + 400

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

type Data = Record<string, unknown>

async function start(): Promise<{ server: RedisServer; auth: Coatcheck<Data> }> {
  const server = await startRedisServer()
  closing.push(() => server.stop())
  const auth = coatcheck<Data>({
    store: redisStore({ url: server.url }),
    keys: randomBytes(32).toString('base64'),
    baseUrl: 'https://app.test',
  })
  closing.push(() => auth.close())
  await auth.ready()
  return { server, auth }
}

async function serve(auth: Coatcheck<Data>): Promise<string> {
  const web = nodeAuth(auth)
  const app = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      if (await web.handle(request, response)) return
      const session = await web.getSession(request, response)
      response.end(session.user?.id ?? 'nobody')
    }
    answer().catch((error: unknown) => web.handleError(error, request, response) || response.destroy())
  }).listen(0, '127.0.0.1')
  await once(app, 'listening')
  closing.push(async () => {
    app.closeAllConnections()
    await new Promise((resolve) => app.close(resolve))
  })
  return `http://127.0.0.1:${(app.address() as AddressInfo).port}`
}

test(`a user of ${SESSIONS} sessions is listed in part and ended at once`, { timeout: 120_000 }, async () => {
  const { server, auth } = await start()
  const tickets: string[] = []
  for (let from = 0; from < SESSIONS; from += 100) {
    const made = Array.from({ length: 100 }, () => auth.sessions.create({ userId: 'ada' }))
    tickets.push(...(await Promise.all(made)).map(({ ticket }) => ticket))
  }
  const bystander = await auth.sessions.create({ userId: 'grace' })
  const listed = await auth.sessions.listByUser('ada')
  expect(listed).toHaveLength(Math.min(SESSIONS, 1000))
  await server.cli('config', 'resetstat')
  const before = performance.now()
  expect((await auth.sessions.revokeByUser('ada')).count).toBe(SESSIONS)
  const ms = performance.now() - before
  expectWithin(ms, ENDED_MS + SESSIONS / 5)
  for (let i = 0; i < tickets.length; i += 97) expect((await auth.sessions.find(tickets[i] ?? '')).session).toBeNull()
  expect((await auth.sessions.find(bystander.ticket)).session?.user?.id).toBe('grace')
  // The longest that others had to wait for the server.
  const longest =
    Number(/cmdstat_evalsha:calls=\d+,usec=(\d+)/.exec(await server.cli('info', 'commandstats'))?.[1]) / 1000
  observed(
    'F29.sessions',
    `${SESSIONS.toLocaleString('en')} sessions ended in ${inMs(ms)}, ${inMs(longest)} of it on the server`,
  )
})

test('a session of 1 MB and of 5 MB is refused with a code, and keeps what it had', async () => {
  const { auth } = await start()
  const { ticket } = await auth.sessions.create({ userId: 'ada', data: { kept: 'yes' } })
  for (const bytes of [1_000_000, 5_000_000]) {
    const write = auth.sessions.update(ticket, (draft) => void (draft['text'] = 'x'.repeat(bytes)))
    await expect(write).rejects.toMatchObject({ code: 'COATCHECK_SESSION_TOO_LARGE' })
    const create = auth.sessions.create({ userId: 'ada', data: { text: 'x'.repeat(bytes) } })
    await expect(create).rejects.toMatchObject({ code: 'COATCHECK_SESSION_TOO_LARGE' })
  }
  expect((await auth.sessions.find(ticket)).session?.data).toEqual({ kept: 'yes' })
  expect(await auth.sessions.listByUser('ada')).toHaveLength(1)
  observed('F29.record', '4 of 4 refused, 0 bytes lost')
})

test('a cookie header of 16 kB and beyond: an answer in time, whatever is in it', async () => {
  const { auth } = await start()
  const { ticket } = await auth.sessions.create({ userId: 'ada' })
  const origin = await serve(auth)
  const own = `__Host-coatcheck=${ticket}`
  const filler = (length: number): string => `filler=${'x'.repeat(length - own.length - 'filler=; '.length)}; ${own}`
  let slowestMs = 0
  const ask = async (cookie: string): Promise<{ status: number; body: string }> => {
    const before = performance.now()
    const answer = await sendRaw(origin, '/', { headers: { cookie } })
    slowestMs = Math.max(slowestMs, performance.now() - before)
    return answer
  }
  expect(await ask(filler(15_500))).toMatchObject({ status: 200, body: 'ada' })
  // Node itself refuses what is larger: 431, and the next request is served.
  expect(await ask(filler(17_000))).toMatchObject({ status: 431 })
  const planted = Array.from({ length: 180 }, () => `__Host-coatcheck=${ticket.slice(0, 60)}`).join('; ')
  expect(await ask(planted)).toMatchObject({ status: 200, body: 'nobody' })
  expect(await ask('='.repeat(15_000))).toMatchObject({ status: 200, body: 'nobody' })
  expect(await ask(own)).toMatchObject({ status: 200, body: 'ada' })
  expectWithin(slowestMs, 1000)
  observed('F29.header', `15.5 kB read, 17 kB refused with 431, the slowest answer after ${inMs(slowestMs)}`)
})

test(
  `${VISITS} requests of visitors without a session leave no key, ask nothing, and cost no memory`,
  { timeout: 600_000 },
  async () => {
    const { server, auth } = await start()
    const headers = [
      null,
      'theme=dark',
      '__Host-coatcheck=planted',
      `__Host-coatcheck=${randomBytes(90).toString('base64url')}`,
    ]
    const visit = async (i: number): Promise<void> => {
      const sink = createHeadersSink()
      const exchange = auth.http.requestSession({ cookieHeader: headers[i % headers.length] ?? null, sink })
      const session = await exchange.getSession()
      if (session.user !== null || session.id !== null) throw new Error('somebody')
    }
    await Promise.all(Array.from({ length: 1000 }, (_, i) => visit(i)))
    await server.cli('config', 'resetstat')
    const before = heapInUse()
    let next = 0
    const visitor = async (): Promise<void> => {
      while (next < VISITS) await visit(next++)
    }
    await Promise.all(Array.from({ length: VISITORS_AT_ONCE }, visitor))
    const growth = heapInUse() - before
    expect(await server.cli('dbsize')).toBe('0')
    expect(await server.cli('info', 'commandstats')).not.toMatch(/cmdstat_(mget|get|set|eval|evalsha):/)
    expect(growth).toBeLessThan(MOST_GROWTH)
    observed(
      'F29.anonymous',
      `${VISITS.toLocaleString('en')} visits: 0 keys, 0 commands, ${(growth / 1024 / 1024).toFixed(1)} MB more memory`,
    )
  },
)
