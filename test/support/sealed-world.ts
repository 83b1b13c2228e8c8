/** Users with everything that is sealed for them, sealed with one key: for what puts it under another one. */
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import type { SessionData } from 'express-session'
import { openAdmin } from '../../src/entries/admin.ts'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import { CoatcheckStore } from '../../src/app/drop-ins/express-session.ts'
import { namesEntryOf } from '../../src/keyring/keyring.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { createTokenCodec } from '../../src/token/token-codec.ts'
import { grantField, msalField } from '../../src/token/token-fields.ts'
import type { RedisStoreOptions } from '../../src/stores/redis/options.ts'
import { PATIENT } from '../lab/limits.ts'

export interface Counting {
  count: number
}

export interface SealedWorld {
  readonly userIds: readonly string[]
  /** Of users and, behind them, of visitors without one. */
  readonly tickets: readonly string[]
  readonly hostSessionIds: readonly string[]
  /** How many values were sealed. */
  readonly sealed: number
}

export const OLD_KEY = `old:${randomBytes(32).toString('base64')}`
const NEW_KEY = `new:${randomBytes(32).toString('base64')}`
const NAMES = namesEntryOf(OLD_KEY)
export const BOTH_KEYS: readonly string[] = [NEW_KEY, OLD_KEY, NAMES]
export const NEW_KEY_ALONE: readonly string[] = [NEW_KEY, NAMES]
export const BASE_URL = 'http://localhost:3000'

/** As the token processes of the tests call it. */
export const PROVIDER = 'idp'
const HOUR_MS = 3_600_000
/** Sealed for each user besides the session: grant and two access tokens. */
const TOKENS_PER_USER = 3

/** @param grant the refresh token of a user */
export async function sealWorld(
  options: RedisStoreOptions,
  users: number,
  grant: (user: string) => string = (user) => `grant of ${user}`,
): Promise<SealedWorld> {
  const auth: Coatcheck<Counting> = coatcheck<Counting>({
    store: redisStore({ ...PATIENT, ...options }),
    keys: OLD_KEY,
    baseUrl: BASE_URL,
  })
  const userIds = Array.from({ length: users }, (_, i) => `user-${i}`)
  const tickets: string[] = []
  for (const userId of userIds) {
    tickets.push((await auth.sessions.create({ userId, data: { count: 0 } })).ticket)
    const expiresAt = Date.now() + HOUR_MS
    await auth.tokens.setUserTokens(
      userId,
      { accessToken: 'first', refreshToken: grant(userId), expiresAt },
      { provider: PROVIDER },
    )
    await auth.tokens.setUserTokens(
      userId,
      { accessToken: 'orders', expiresAt },
      { provider: PROVIDER, resource: 'api://orders' },
    )
  }
  const visitors = Math.ceil(users / 10)
  for (let i = 0; i < visitors; i++) tickets.push((await auth.sessions.create({ data: { count: 0 } })).ticket)
  await auth.close()
  const hostSessionIds = Array.from({ length: visitors }, (_, i) => `host-session-${i}`)
  const dropIn = new CoatcheckStore({ store: redisStore({ ...PATIENT, ...options }), keys: OLD_KEY })
  const set = promisify((sid: string, data: SessionData, done: (error?: unknown) => void) =>
    dropIn.set(sid, data, done),
  )
  for (const sid of hostSessionIds) await set(sid, { cookie: { originalMaxAge: HOUR_MS }, note: sid } as never)
  await dropIn.close()
  return {
    userIds,
    tickets,
    hostSessionIds,
    sealed: users * (1 + TOKENS_PER_USER) + 2 * visitors + (await sealRare(options)),
  }
}

/** What is there seldom: an outbox, the cache of an application on MSAL. @returns how many values */
async function sealRare(options: RedisStoreOptions): Promise<number> {
  const admin = await openAdmin({ store: redisStore({ ...PATIENT, ...options }), keys: OLD_KEY, baseUrl: BASE_URL })
  await admin.store.ready()
  const codec = createTokenCodec(admin.seal, admin.prefix)
  const userKey = admin.keyring.userKey('gone')
  const field = grantField(PROVIDER)
  const nowMs = Date.now()
  const grant = {
    family: 'l',
    refreshCount: 0,
    refreshToken: 'gone',
    idToken: null,
    obtainedAtMs: nowMs,
    expiresAtMs: nowMs,
  }
  const record = codec.sealGrant(userKey, field, grant)
  await admin.store.revocations.announce(userKey, HOUR_MS)
  await admin.store.revocations.add(userKey, { provider: PROVIDER, nonce: codec.nonceOf(record), record }, HOUR_MS)
  const msalKey = admin.keyring.userKey('msal partition')
  const cache = codec.sealMsal(msalKey, msalField, { cache: '{}' })
  await admin.store.tokens.write(msalKey, { set: new Map([[msalField, { record: cache, ttlMs: HOUR_MS }]]) })
  await admin.close()
  return 2
}
