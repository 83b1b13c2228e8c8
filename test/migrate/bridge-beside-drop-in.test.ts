/**
 * A bridge and a drop-in store with `migrateFrom` on the same old keys: what docs/adopt.md promises for each pair of modes. The old session
 * is one of express-session with connect-redis.
 */
import { randomBytes } from 'node:crypto'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import { CoatcheckStore } from '../../src/app/drop-ins/express-session.ts'
import { createHeadersSink } from '../../src/http/headers-sink.ts'
import { fromExpressSession, type ExpressSessionBridgeOptions } from '../../src/migrate/bridges/from-express-session.ts'
import { connectRedis } from '../../src/migrate/origins/connect-redis.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { PATIENT } from '../lab/limits.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { OLD_SECRET, type OldPackage } from './old-apps.ts'
import { expressSessionApp } from './old-sid-apps.ts'

type Mode = 'read' | 'move'
const PREFIX = 'old-express:'
const keys = randomBytes(32).toString('base64')

let redis: RedisServer
let client: ReturnType<typeof createClient>
let old: OldPackage
let auth: Coatcheck<object>
let dropIn: CoatcheckStore
let cookie: string

beforeAll(async () => {
  redis = await startRedisServer()
  client = createClient({ url: redis.url })
  await client.connect()
  old = await expressSessionApp(client)
  auth = coatcheck({ baseUrl: 'https://app.example', keys, store: redisStore({ url: redis.url, ...PATIENT }) })
})
beforeEach(async () => {
  cookie = await old.signIn('ada')
})
afterEach(async () => {
  await dropIn.close()
  await redis.cli('flushall')
})
afterAll(async () => {
  await Promise.all([auth.close(), old.close?.(), client.close()])
  await redis.stop()
})

function openDropIn(mode: Mode): void {
  dropIn = new CoatcheckStore({
    ...{ store: redisStore({ url: redis.url, ...PATIENT }), keys },
    userId: (data) => data['userId'] as string | undefined,
    migrateFrom: connectRedis({ prefix: PREFIX, mode }),
  })
}

const sid = (): string => /s:([^.]+)\./.exec(decodeURIComponent(cookie))?.[1] ?? ''
const inDropIn = async (): Promise<unknown> =>
  ((await dropIn.get(sid())) as { userId?: string } | null | undefined)?.userId
const visit = (mode: Mode, store: ExpressSessionBridgeOptions['store'] = connectRedis({ prefix: PREFIX })) => {
  const user = ({ userId }: Readonly<Record<string, unknown>>) => (typeof userId === 'string' ? { userId } : null)
  const adopt = fromExpressSession({ secret: OLD_SECRET, store, mode, user })
  return auth.http.requestSession({ cookieHeader: cookie, sink: createHeadersSink(), adopt }).getVisit()
}
const inBridge = async (...given: Parameters<typeof visit>): Promise<string | undefined> =>
  (await visit(...given)).session.user?.id

describe('both in mode read', () => {
  beforeEach(() => openDropIn('read'))

  it('both find the session, and a sign-out of the new application ends it for both', async () => {
    expect([await inDropIn(), await inBridge('read'), await inDropIn()]).toEqual(['ada', 'ada', 'ada'])
    await (await visit('read')).signOut()
    expect([await inDropIn(), await inBridge('read')]).toEqual([undefined, undefined])
  })

  it('a sign-out in the drop-in leaves the session that the bridge has adopted', async () => {
    expect([await inDropIn(), await inBridge('read')]).toEqual(['ada', 'ada'])
    await dropIn.destroy(sid())
    expect([await inDropIn(), await inBridge('read')]).toEqual([undefined, 'ada'])
  })

  it('the bridge adopts no session that the drop-in has ended', async () => {
    expect(await inDropIn()).toBe('ada')
    expect(await dropIn.revokeByUser('ada')).toBe(1)
    expect(await inBridge('read')).toBeUndefined()
  })
})

it('a drop-in in mode move takes the session away from a bridge on the old keys', async () => {
  openDropIn('move')
  expect([await inDropIn(), await inBridge('read'), await inDropIn()]).toEqual(['ada', undefined, 'ada'])
})

it('a bridge in mode move ends the session of a drop-in in mode read', async () => {
  openDropIn('read')
  expect([await inDropIn(), await inBridge('move'), await inDropIn()]).toEqual(['ada', 'ada', undefined])
})

describe.each<Mode>(['read', 'move'])('a bridge whose store is the drop-in, which is in mode %s', (mode) => {
  it('finds the session, and its sign-out ends the session of the drop-in', async () => {
    openDropIn(mode)
    const store = dropIn as ExpressSessionBridgeOptions['store']
    expect([await inDropIn(), await inBridge('read', store), await inDropIn()]).toEqual(['ada', 'ada', 'ada'])
    await (await visit('read', store)).signOut()
    expect([await inDropIn(), await inBridge('read', store)]).toEqual([undefined, undefined])
  })
})
