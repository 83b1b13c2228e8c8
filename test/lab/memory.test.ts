/** A Redis that is full, that evicts, or that has lost everything: F10, F12 and F13 of docs/faults.md. */
import { randomBytes } from 'node:crypto'
import { afterEach, expect, test } from 'vitest'
import type { Coatcheck } from '../../src/coatcheck.ts'
import { coatcheck } from '../../src/index.ts'
import { redisStore } from '../../src/redis.ts'
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
  return { server, auth }
}

test('F10: everything is gone: all are signed out, told from a sign-out, and nobody comes back with an old cookie', async () => {
  const { server, auth } = await start()
  const sessions = await Promise.all(Array.from({ length: 20 }, (_, i) => auth.sessions.create({ userId: `u${i}` })))
  await server.cli('flushall')
  for (const { ticket } of sessions) expect(await auth.sessions.find(ticket)).toEqual({ session: null, reason: 'lost' })
  const again = await auth.sessions.create({ userId: 'u0' })
  expect((await auth.sessions.find(sessions[0]?.ticket ?? '')).session).toBeNull()
  expect((await auth.sessions.find(again.ticket)).session?.user?.id).toBe('u0')
  observed('F10', '20 of 20 end as "lost", 0 accepted')
})

test('F12: full, and nothing is evicted: everybody stays, signs out and signs others out; a new sign-in is refused with its reason', async () => {
  const { server, auth } = await start()
  const sessions = await Promise.all(
    Array.from({ length: SESSIONS }, (_, i) =>
      auth.sessions.create({ userId: `u${i % 100}`, data: { text: 'x'.repeat(500) } }),
    ),
  )
  await server.cli('config', 'set', 'maxmemory-policy', 'noeviction')
  await server.cli('config', 'set', 'maxmemory', '1mb')
  for (const { ticket } of sessions) expect((await auth.sessions.find(ticket)).session).not.toBeNull()
  await expect(auth.sessions.create({ userId: 'new' })).rejects.toMatchObject({ code: 'COATCHECK_REDIS_OOM' })
  const response = await auth.handler(new Request('https://app.test/auth/session'))
  expect(response.status).toBe(401)
  const [first, ...others] = sessions
  expect((await auth.sessions.revoke(first?.session.id ?? '')).count).toBe(1)
  expect((await auth.sessions.find(first?.ticket ?? '')).session).toBeNull()
  let ended = 1
  for (let i = 0; i < 100; i++) ended += (await auth.sessions.revokeByUser(`u${i}`)).count
  expect(ended).toBe(SESSIONS)
  for (const { ticket } of others) expect((await auth.sessions.find(ticket)).session).toBeNull()
  await server.cli('config', 'set', 'maxmemory', '0')
  for (const { ticket } of sessions) expect((await auth.sessions.find(ticket)).session).toBeNull()
  observed('F12', `${SESSIONS} of ${SESSIONS} readable, ${ended} of ${SESSIONS} ended, new ones refused`)
})

test('F13: allkeys-lru under pressure: nobody who was signed out is let in, and who was evicted is told from a sign-out', async () => {
  const { server, auth } = await start()
  const create = (userId: string) => auth.sessions.create({ userId, data: { text: 'x'.repeat(300) } })
  const staying = await Promise.all(Array.from({ length: SESSIONS }, (_, i) => create(`stays-${i}`)))
  const leaving = await Promise.all(Array.from({ length: SESSIONS }, (_, i) => create(`leaves-${i}`)))
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
  observed('F13', `0 of ${SESSIONS} signed out let in; ${lost} of ${SESSIONS} evicted, all told as "lost"`)
})
