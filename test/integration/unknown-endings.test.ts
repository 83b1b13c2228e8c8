/** Ids that never were: a signed-in user who makes them up leaves nothing in Redis and pushes nothing out of a process. */
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { PATIENT } from '../lab/limits.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const BASE_URL = 'https://app.example'
const MADE_UP = 1000
/** More than a process remembers. */
const ENDED_BY_ONE_USER = 5200

let server: RedisServer
let auth: Coatcheck<Record<string, unknown>>
beforeEach(async () => {
  server = await startRedisServer()
  const keys = randomBytes(32).toString('base64')
  auth = coatcheck({ baseUrl: BASE_URL, keys, store: redisStore({ url: server.url, ...PATIENT }) })
  await auth.ready()
})
afterEach(async () => {
  await auth.close()
  await server.stop()
})

const madeUpIds = (userKey: string): string[] =>
  Array.from({ length: MADE_UP }, () => `${userKey}.${randomBytes(16).toString('base64url')}`)
const keysInRedis = (): Promise<string> => server.cli('dbsize')

test('DELETE devices/:id with ids that never were leaves no key, and ends none of another user', async () => {
  const ada = await auth.sessions.create({ userId: 'ada' })
  const [other, grace] = [
    await auth.sessions.create({ userId: 'ada' }),
    await auth.sessions.create({ userId: 'grace' }),
  ]
  const userKey = (ada.session.id ?? '').split('.')[0] ?? ''
  const remove = (id: string): Promise<Response> =>
    auth.handler(
      new Request(`${BASE_URL}/auth/devices/${id}`, {
        method: 'DELETE',
        headers: { cookie: `__Host-coatcheck=${ada.ticket}`, origin: BASE_URL, accept: 'application/json' },
      }),
    )
  const before = await keysInRedis()
  for (const id of madeUpIds(userKey)) {
    const response = await remove(id)
    expect([response.status, await response.json()]).toEqual([200, { count: 0, durable: false }])
  }
  expect((await remove(grace.session.id ?? '')).status).toBe(404)
  expect(await keysInRedis()).toBe(before)
  expect((await auth.sessions.find(grace.ticket)).session).not.toBeNull()

  expect(await (await remove(other.session.id ?? '')).json()).toEqual({ count: 1, durable: false })
  expect(await auth.sessions.find(other.ticket)).toEqual({ session: null, reason: 'revoked' })
  expect(await (await remove(other.session.id ?? '')).json()).toEqual({ count: 0, durable: false })
})

test('sessions.revoke() of ids that never were writes nothing, for users with and without sessions', async () => {
  const { session } = await auth.sessions.create({ userId: 'ada' })
  const userKey = (session.id ?? '').split('.')[0] ?? ''
  const before = await keysInRedis()
  const ids = [...madeUpIds(userKey), ...madeUpIds('AAAAAAAAAAAAAAAA')]
  const revoked = await Promise.all(ids.map((id) => auth.sessions.revoke(id)))
  expect(new Set(revoked.map(({ count }) => count))).toEqual(new Set([0]))
  expect(await keysInRedis()).toBe(before)
})

test('a revoked session that is put back stays refused, however many sessions another user ends', async () => {
  const grace = await auth.sessions.create({ userId: 'grace' })
  const [userKey = '', id = ''] = (grace.session.id ?? '').split('.')
  const key = `user:session:{${userKey}}:${id}`
  await server.cli('copy', key, 'aside')
  await auth.sessions.revoke(grace.session.id ?? '')
  const putBack = async (): Promise<void> => {
    expect((await server.cli('copy', 'aside', key, 'replace')).trim()).toBe('1')
  }
  await putBack()
  expect((await auth.sessions.find(grace.ticket)).session).toBeNull()

  for (let ended = 0; ended < ENDED_BY_ONE_USER; ended += 100) {
    const sessions = await Promise.all(Array.from({ length: 100 }, () => auth.sessions.create({ userId: 'ada' })))
    await Promise.all(sessions.map(({ session }) => auth.sessions.revoke(session.id ?? '')))
  }
  await putBack()
  expect((await auth.sessions.find(grace.ticket)).session).toBeNull()
})
