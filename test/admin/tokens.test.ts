/** Refreshing, deleting and finding tokens as an operator, with a provider that rotates strictly. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  type AdminContext,
  deleteTokens,
  endSessions,
  findUser,
  openAdmin,
  planRevocation,
  refreshTokens,
  tokensOf,
  userIdOf,
} from '../../src/entries/admin.ts'
import { oidc } from '../../src/oidc/provider.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { BASE_URL, OLD_KEY, PROVIDER } from '../support/sealed-world.ts'
import { startTokenEndpoint, type TokenEndpoint } from '../support/token-endpoint.ts'
import { PATIENT } from '../lab/limits.ts'

const HOUR_MS = 3_600_000
let server: RedisServer
let provider: TokenEndpoint
let context: AdminContext
beforeEach(async () => {
  server = await startRedisServer()
  provider = await startTokenEndpoint('strict')
  context = await openAdmin({
    store: redisStore({ ...PATIENT, url: server.url }),
    keys: OLD_KEY,
    baseUrl: BASE_URL,
    providers: [oidc({ name: PROVIDER, issuer: provider.issuer, clientId: 'app', clientSecret: 'secret' })],
  })
  await context.store.ready()
})
afterEach(async () => {
  await context.close()
  await provider.close()
  await server.stop()
})

const store = async (userId: string): Promise<string> => {
  const tokens = { accessToken: 'first', refreshToken: provider.grant(userId), expiresAt: Date.now() + HOUR_MS }
  await context.tokens.setUserTokens(userId, tokens)
  return context.keyring.userKey(userId)
}

test('a token that is good for an hour is refreshed all the same, for each target by itself', async () => {
  const userKey = await store('ada')
  const first = await refreshTokens(context, userKey, 'ada', {})
  expect(first).toMatchObject({ isNew: true, status: { refreshCount: 1, lastRefresh: { outcome: 'refreshed' } } })
  expect(await refreshTokens(context, userKey, 'ada', { resource: 'api://orders' })).toMatchObject({ isNew: true })
  expect(await refreshTokens(context, userKey, 'ada', { resource: 'api://orders' })).toMatchObject({ isNew: true })
  expect(provider.requests.map(({ resource }) => resource)).toEqual(['', 'api://orders', 'api://orders'])
  expect(provider.isAlive('ada')).toBe(true)
})

test('while the provider has a bad day the stored token goes on, and that is said', async () => {
  const userKey = await store('ada')
  provider.faults.push({ status: 503 }, { status: 503 })
  expect(await refreshTokens(context, userKey, 'ada', {})).toMatchObject({ isNew: false })
  expect((await tokensOf(context, userKey))[0]?.resources).toHaveLength(1)
})

test('a user is found by id, key, or subject; the id behind a key comes from a session', async () => {
  const byId = findUser(context, { user: `${provider.issuer} subject-1` })
  expect(findUser(context, { subject: 'subject-1' }).userKey).toBe(byId.userKey)
  const byKey = findUser(context, { userKey: byId.userKey })
  expect(await userIdOf(context, byKey)).toBeNull()
  await context.sessions.create({ userId: `${provider.issuer} subject-1` })
  expect(await userIdOf(context, byKey)).toBe(`${provider.issuer} subject-1`)
  for (const query of [{}, { user: 'a', userKey: 'b' }, { userKey: 'short' }]) {
    expect(() => findUser(context, query)).toThrow(expect.objectContaining({ code: 'COATCHECK_INVALID_ARGUMENT' }))
  }
  expect(() => findUser(context, { subject: 's', provider: 'nobody' })).toThrow(/none of this name/)
})

test('the plan of an ending is what the ending does', async () => {
  const userKey = await store('ada')
  for (let i = 0; i < 3; i++) await context.sessions.create({ userId: 'ada' })
  const plan = await planRevocation(context, { userKey })
  expect(plan).toMatchObject({ sessions: 3, remaining: 0, tokenRecords: 2 })
  expect(plan.accessTokensUntilMs).toBeGreaterThan(Date.now())
  const [kept] = await context.sessions.listByUser('ada')
  const but = { userKey, exceptSessionId: kept?.id ?? '' }
  const report = await endSessions(context, but, await planRevocation(context, but), 'laptop-lost')
  expect(report).toMatchObject({ ended: 2, remaining: 1, tokenRecords: 0, isDurabilityAsked: false })
  expect(await tokensOf(context, userKey)).toHaveLength(1)
  expect(await endSessions(context, { userKey }, await planRevocation(context, { userKey }), 'x')).toMatchObject({
    ended: 1,
  })
  expect(await tokensOf(context, userKey)).toHaveLength(0)
  await expect(planRevocation(context, { userKey, exceptSessionId: 'x' })).rejects.toMatchObject({
    code: 'COATCHECK_INVALID_ARGUMENT',
  })
})

test('deleting tokens of one provider leaves those of others', async () => {
  const userKey = await store('ada')
  expect(await deleteTokens(context, userKey, 'another')).toMatchObject({ count: 0 })
  expect(await deleteTokens(context, userKey, PROVIDER)).toMatchObject({ count: 2 })
  expect(await tokensOf(context, userKey)).toHaveLength(0)
})
