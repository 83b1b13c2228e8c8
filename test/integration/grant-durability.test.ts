/**
 * Grants that a failover would take back: refreshed while the primary is cut off from its replicas, one of which is promoted
 * with the refresh token of before, which the provider takes for stolen when it is used again.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import { isCoatcheckError } from '../../src/core/errors.ts'
import { startDevProvider } from '../../src/dev/dev-provider.ts'
import { oidc } from '../../src/oidc/provider.ts'
import { redisStore, type RedisStoreOptions } from '../../src/stores/redis/redis-store.ts'
import { startClusterGroup, startSentinelGroup, until } from '../support/redis-topologies.ts'
import { Browser } from '../support/test-app.ts'
import { startTokenEndpoint } from '../support/token-endpoint.ts'
import { HANG_MS } from '../lab/limits.ts'

const keys = randomBytes(32).toString('base64')
const durability = { replicas: 1, timeoutMs: 200 }
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

type Auth = Coatcheck<Record<string, unknown>>

async function startProviders(): Promise<{
  open: (options: RedisStoreOptions) => Auth
  grant: (user: string) => string
}> {
  const dev = await startDevProvider({ rotation: 'strict', redirectUris: ['http://localhost:3000/auth/callback'] })
  closing.push(() => dev.close())
  const small = await startTokenEndpoint('strict')
  closing.push(() => small.close())
  const providers = [
    oidc({ name: 'dev', issuer: dev.issuer, clientId: dev.clientId, clientSecret: dev.clientSecret }),
    oidc({ name: 'small', issuer: small.issuer, clientId: 'app', clientSecret: 'secret' }),
  ]
  return {
    grant: (user) => small.grant(user),
    open(options) {
      const signIn = { userId: () => 'ada' }
      const store = redisStore(options)
      const auth = coatcheck({ store, keys, baseUrl: 'http://localhost:3000', providers, signIn })
      closing.push(() => auth.close())
      return auth
    },
  }
}

/** While the connection moves, and moves again, operations fail with an error that says to come back; nothing else may. */
async function onceBack<T>(action: () => Promise<T>): Promise<T> {
  const end = performance.now() + HANG_MS
  for (;;) {
    try {
      return await action()
    } catch (error) {
      if (!isCoatcheckError(error) || !error.code.startsWith('COATCHECK_REDIS') || performance.now() > end) throw error
      await sleep(50)
    }
  }
}

const expiresAt = (): number => Date.now() - 1000
const users = Array.from({ length: 20 }, (_, i) => `user-${i}`)
const ended = users.slice(0, 5)
const refreshed = users.slice(5)

test.each(['killed', 'paused'])(
  'cut, refresh, promote, heal, the primary %s: every grant is alive afterwards',
  async (fate) => {
    const group = await startSentinelGroup()
    closing.push(() => group.stop())
    const { open, grant } = await startProviders()
    const sentinels = group.sentinels.map(({ port }) => `127.0.0.1:${port}`)
    const auth = open({ url: 'redis://mymaster', sentinels, durability })
    const other = open({ url: 'redis://mymaster', sentinels, commandTimeoutMs: 251 })
    let otherIsAt = ''
    other.events.on('redis.status', ({ status, server }) => {
      if (status === 'ready') otherIsAt = server
    })
    const browser = new Browser({ config: { baseUrl: new URL('http://localhost:3000') }, routes: auth.handler })
    // Both know the primary of before: a process that starts after the failover would know of no outage.
    await Promise.all([auth.ready(), other.ready()])
    expect((await browser.signIn('provider=dev&login_hint=ada@example.test')).status).toBe(303)
    const first = await auth.tokens.getUserTokens('ada', { provider: 'dev' })
    const refreshToken = first?.refreshToken ?? null
    await auth.tokens.setUserTokens(
      'ada',
      { accessToken: 'old', refreshToken, expiresAt: expiresAt() },
      { provider: 'dev' },
    )
    for (const user of users) {
      const tokens = { accessToken: 'old', refreshToken: grant(user), expiresAt: expiresAt() }
      await auth.tokens.setUserTokens(user, tokens, { provider: 'small' })
    }
    const primary = await group.primary()
    await primary.cli('wait', '2', '1000')

    for (const replica of await group.replicas()) await replica.cli('replicaof', 'no', 'one')
    const token = await auth.tokens.getAccessToken('ada', { provider: 'dev' })
    const tokens = await Promise.all(refreshed.map((user) => auth.tokens.getAccessToken(user, { provider: 'small' })))
    await Promise.all(ended.map((user) => auth.tokens.deleteUserTokens(user)))
    if (fate === 'killed') await primary.kill()
    else primary.pause()
    await until(async () => (await group.primary()) !== primary)
    if (fate === 'paused') primary.resume()
    // What the old primary takes after that is lost, and without durability no caller gets an error.
    const { port } = await group.primary()
    await until(async () => Promise.resolve(otherIsAt.includes(`127.0.0.1:${port}`)))

    // Whoever needs a token now waits until it is known who had the grants last.
    const { tokens: theirs } = other
    const found = await Promise.all(
      refreshed.map((user) => onceBack(() => theirs.getAccessToken(user, { provider: 'small' }))),
    )
    expect(found).toEqual(tokens)
    expect(await onceBack(() => theirs.getAccessToken('ada', { provider: 'dev' }))).toEqual(token)
    for (const user of ended) {
      expect(await onceBack(() => theirs.getUserTokens(user, { provider: 'small' }))).toBeNull()
    }
    // And the grants are good for more.
    const again = async (user: string, provider: string): Promise<string> => {
      const { refreshToken = null } = (await onceBack(() => theirs.getUserTokens(user, { provider }))) ?? {}
      const old = { accessToken: 'old', refreshToken, expiresAt: expiresAt() }
      await onceBack(() => theirs.setUserTokens(user, old, { provider }))
      return (await onceBack(() => theirs.getAccessToken(user, { provider }))).accessToken
    }
    expect(await again('ada', 'dev')).not.toBe(token.accessToken)
    const used = tokens.map(({ accessToken }) => accessToken)
    for (const user of refreshed) expect(used).not.toContain(await again(user, 'small'))
  },
  60_000,
)

test('an acknowledged grant needs nobody: its replica has it, also in a cluster', async () => {
  const group = await startClusterGroup()
  closing.push(() => group.stop())
  const { open, grant } = await startProviders()
  const auth = open({ url: group.url, cluster: true, durability })
  const restored: string[] = []
  auth.events.on('token.grant-restored', ({ userKey }) => restored.push(userKey))
  for (const user of users) {
    const tokens = { accessToken: 'old', refreshToken: grant(user), expiresAt: expiresAt() }
    await auth.tokens.setUserTokens(user, tokens, { provider: 'small' })
  }
  const tokens = await Promise.all(users.map((user) => auth.tokens.getAccessToken(user, { provider: 'small' })))
  const [primary] = await group.primaries()
  await primary?.kill()
  await until(async () => {
    const found = await Promise.all(users.map((user) => auth.tokens.getAccessToken(user, { provider: 'small' })))
    expect(found).toEqual(tokens)
    return true
  })
  expect(restored).toEqual([])
}, 300_000)

test('without durability no command is sent more than before', async () => {
  const group = await startSentinelGroup({ replicas: 1 })
  closing.push(() => group.stop())
  const { open, grant } = await startProviders()
  const primary = await group.primary()
  const auth = open({ url: primary.url })
  await auth.ready()
  await primary.cli('config', 'resetstat')
  const tokens = { accessToken: 'old', refreshToken: grant('ada'), expiresAt: expiresAt() }
  await auth.tokens.setUserTokens('ada', tokens, { provider: 'small' })
  await auth.tokens.deleteUserTokens('ada')
  const stats = await primary.cli('info', 'commandstats')
  expect(stats).not.toMatch(/cmdstat_wait:|cmdstat_hmget:/)
  // Setting, announcing the end of the grant, deleting.
  expect(stats).toMatch(/cmdstat_evalsha:calls=3,/)
})
