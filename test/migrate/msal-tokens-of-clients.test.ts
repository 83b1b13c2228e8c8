/** A cache of MSAL that two applications share: only the tokens of one are adopted, and those of the other one stay. */
import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import { fromMsal } from '../../src/entries/migrate.ts'
import { oidc } from '../../src/oidc/provider.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const KEY = 'msal:ada'

let redis: RedisServer
let auth: Coatcheck<Record<string, unknown>>

beforeAll(async () => {
  vi.stubEnv('COATCHECK_LOG', 'silent')
  redis = await startRedisServer()
})
afterAll(async () => {
  await redis.stop()
  vi.unstubAllEnvs()
})
beforeEach(async () => {
  await redis.cli('flushall')
  auth = coatcheck({
    ...{ baseUrl: 'https://app.example', keys: randomBytes(32).toString('base64') },
    store: redisStore({ url: redis.url }),
    providers: [oidc({ name: 'login', issuer: 'https://login.example', clientId: 'app', clientSecret: 'secret' })],
  })
})
afterEach(() => auth.close())

/** As MSAL Node stores it: one account, and the tokens of each client. */
function cacheOf(...clients: readonly string[]): string {
  const home = { home_account_id: 'ada.tenant', environment: 'idp', realm: 'tenant' }
  const expires = String(Math.floor(Date.now() / 1000) + 3600)
  const entries = (type: string, more: object): object =>
    Object.fromEntries(
      clients.map((client) => [
        `${client}-${type}`,
        { ...home, client_id: client, credential_type: type, secret: `${type} of ${client}`, ...more },
      ]),
    )
  return JSON.stringify({
    Account: { account: { ...home, local_account_id: 'ada', username: 'ada@example.test' } },
    AccessToken: entries('AccessToken', { target: 'openid', expires_on: expires }),
    RefreshToken: entries('RefreshToken', {}),
  })
}
const adopt = async (clientId?: string): Promise<string | null | undefined> => {
  const userOf = ({ localAccountId }: { readonly localAccountId: string }): string => localAccountId
  auth.tokens.adopt(fromMsal({ key: () => KEY, userOf, mode: 'move', ...(clientId !== undefined && { clientId }) }))
  return (await auth.tokens.getUserTokens('ada'))?.refreshToken
}

it('the tokens of another client stay under the old key', async () => {
  const cache = cacheOf('app', 'other')
  await redis.cli('set', KEY, cache)
  expect(await adopt('app')).toBe('RefreshToken of app')
  expect(await redis.cli('get', KEY)).toBe(cache)
})

it('without the option clientId, a cache of two clients stays too', async () => {
  const cache = cacheOf('app', 'other')
  await redis.cli('set', KEY, cache)
  expect(await adopt()).toBe('RefreshToken of app')
  expect(await redis.cli('get', KEY)).toBe(cache)
})

it.each(['app', undefined])('a cache of one client goes (clientId: %s)', async (clientId) => {
  await redis.cli('set', KEY, cacheOf('app'))
  expect(await adopt(clientId)).toBe('RefreshToken of app')
  expect(await redis.cli('exists', KEY)).toBe('0')
})
