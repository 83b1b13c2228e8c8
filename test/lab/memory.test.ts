/** A Redis that is full, or that evicts: F12 and F13 of docs/faults.md. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import type { Coatcheck } from '../../src/app/coatcheck.ts'
import { coatcheck } from '../../src/entries/coatcheck.ts'
import { nodeAuth } from '../../src/adapters/node.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { observed } from './report.ts'

const SESSIONS = 300
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function start(): Promise<{ server: RedisServer; auth: Coatcheck<{ text: string }> }> {
  const server = await startRedisServer()
  closing.push(() => server.stop())
  const keys = randomBytes(32).toString('base64')
  const auth = coatcheck<{ text: string }>({
    store: redisStore({ url: server.url }),
    keys,
    baseUrl: 'https://app.test',
  })
  closing.push(() => auth.close())
  await auth.ready()
  return { server, auth }
}

/** Made before anything goes wrong, so not so many at once that a busy machine misses a deadline. */
async function inPortions<T>(make: (i: number) => Promise<T>): Promise<T[]> {
  const made: T[] = []
  while (made.length < SESSIONS) {
    const from = made.length
    made.push(...(await Promise.all(Array.from({ length: 50 }, (_, i) => make(from + i)))))
  }
  return made
}

/** An application that signs in whoever comes. @returns how to ask it, with a ticket or without */
async function signInApp(
  auth: Coatcheck<{ text: string }>,
): Promise<(path: string, ticket?: string) => Promise<Response>> {
  const web = nodeAuth(auth)
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      if (await web.handle(request, response)) return
      const visit = await web.getVisit(request, response)
      if (request.url === '/sign-in') await visit.signIn({ userId: 'new' })
      const session = await web.getSession(request, response)
      response.end(session.user?.id)
    }
    answer().catch((error: unknown) => web.handleError(error, request, response) || response.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return (path, ticket) =>
    fetch(origin + path, { headers: ticket === undefined ? {} : { cookie: `__Host-coatcheck=${ticket}` } })
}

test('F12: full, and nothing is evicted: everybody stays, signs out and signs others out; a new sign-in is refused with its reason', async () => {
  const { server, auth } = await start()
  const sessions = await inPortions((i) =>
    auth.sessions.create({ userId: `u${i % 100}`, data: { text: 'x'.repeat(500) } }),
  )
  await server.cli('config', 'set', 'maxmemory-policy', 'noeviction')
  await server.cli('config', 'set', 'maxmemory', '1mb')
  for (const { ticket } of sessions) expect((await auth.sessions.find(ticket)).session).not.toBeNull()
  await expect(auth.sessions.create({ userId: 'new' })).rejects.toMatchObject({ code: 'COATCHECK_REDIS_OOM' })
  const ask = await signInApp(auth)
  const refused = await ask('/sign-in')
  expect(refused.status).toBe(503)
  expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
  expect(refused.headers.getSetCookie()).toEqual([])
  expect(await refused.text()).toContain('COATCHECK_REDIS_OOM')
  expect(await (await ask('/', sessions[1]?.ticket)).text()).toBe('u1')
  const [first, ...others] = sessions
  expect((await auth.sessions.revoke(first?.session.id ?? '')).count).toBe(1)
  expect((await auth.sessions.find(first?.ticket ?? '')).session).toBeNull()
  let ended = 1
  for (let i = 0; i < 100; i++) ended += (await auth.sessions.revokeByUser(`u${i}`)).count
  expect(ended).toBe(SESSIONS)
  for (const { ticket } of others) expect((await auth.sessions.find(ticket)).session).toBeNull()
  await server.cli('config', 'set', 'maxmemory', '0')
  for (const { ticket } of sessions) expect((await auth.sessions.find(ticket)).session).toBeNull()
  expect((await ask('/sign-in')).status).toBe(200)
  observed(
    'F12.noeviction',
    `${SESSIONS} of ${SESSIONS} readable, ${ended} of ${SESSIONS} ended, a new one refused with 503`,
  )
})

test('F13: allkeys-lru under pressure: nobody who was signed out is let in, and who was evicted is told from a sign-out', async () => {
  const { server, auth } = await start()
  const create = (userId: string) => auth.sessions.create({ userId, data: { text: 'x'.repeat(300) } })
  const staying = await inPortions((i) => create(`stays-${i}`))
  const leaving = await inPortions((i) => create(`leaves-${i}`))
  for (const [i, { session }] of leaving.entries()) {
    if (i % 2 === 0) await auth.sessions.revoke(session.id ?? '')
    else await auth.sessions.revokeByUser(`leaves-${i}`)
  }
  const used = Number(/used_memory:(\d+)/.exec(await server.cli('info', 'memory'))?.[1])
  await server.cli('config', 'set', 'maxmemory-policy', 'allkeys-lru')
  await server.cli('config', 'set', 'maxmemory', String(used))
  // What another feature keeps in the same Redis.
  await server.cli('eval', "for i = 1, 4000 do redis.call('SET', 'cache:' .. i, string.rep('c', 400)) end", '0')
  let revived = 0
  for (const { ticket } of leaving) if ((await auth.sessions.find(ticket)).session !== null) revived++
  const reasons = new Map<string, number>()
  for (const { ticket } of staying) {
    const found = await auth.sessions.find(ticket)
    const reason = found.session === null ? found.reason : 'alive'
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  }
  expect(revived).toBe(0)
  const lost = reasons.get('lost') ?? 0
  expect(lost).toBeGreaterThan(0)
  expect([...reasons.keys()].filter((reason) => reason !== 'alive' && reason !== 'lost')).toEqual([])
  observed('F13.lru', `0 of ${SESSIONS} signed out let in; ${lost} of ${SESSIONS} evicted, all told as "lost"`)
})
