/**
 * Credentials from `@redis/entraid`: the package itself, on a token endpoint and servers whose password is the token, as Azure
 * Managed Redis has it. A token that is renewed reaches every connection that stands, and none is made anew for it.
 */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { EntraIdCredentialsProviderFactory } from '@redis/entraid'
import { afterEach, describe, expect, test } from 'vitest'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import { systemClock } from '../../src/core/clock.ts'
import { EventBus } from '../../src/core/events.ts'
import { redisStore, type RedisStoreOptions } from '../../src/stores/redis/redis-store.ts'
import { PATIENT } from '../lab/limits.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { startClusterGroup, until } from '../support/redis-topologies.ts'

const OID = '6b0f0b4e-0000-4000-8000-00000000c0a7'
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/**
 * Client credentials of RFC 6749; each token becomes a password of the user on all servers, and the only one unless those before
 * stay good.
 */
async function startTokenService(
  servers: readonly RedisServer[],
  lifeSeconds: number,
  before: 'reset' | 'resetkeys' = 'reset',
) {
  let issued = 0
  const answering = new Set<Promise<void>>()
  const server = createServer((request, response) => {
    const answer = (async () => {
      let form = ''
      for await (const chunk of request) form += String(chunk)
      if (!form.includes('grant_type=client_credentials')) {
        response.writeHead(400).end()
        return
      }
      const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
      const token = `${part({ alg: 'none' })}.${part({ oid: OID, number: ++issued })}.${randomBytes(32).toString('base64url')}`
      for (const redis of servers)
        await redis.cli('acl', 'setuser', OID, before, 'on', `>${token}`, '~*', '&*', '+@all')
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ access_token: token, expires_in: lifeSeconds, token_type: 'Bearer' }))
    })()
    answering.add(answer)
    const done = (): void => void answering.delete(answer)
    answer.then(done, done)
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  // The servers of Redis stop after this: no request may still be changing a password then.
  closing.push(async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    await Promise.all(answering)
    server.closeAllConnections()
    await closed
  })
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`
  const token = async (): Promise<{ token: string; expiresOnTimestamp: number }> => {
    const body = new URLSearchParams({ grant_type: 'client_credentials', scope: 'https://redis.azure.com/.default' })
    const answer = (await (await fetch(endpoint, { method: 'POST', body })).json()) as {
      access_token: string
      expires_in: number
    }
    return { token: answer.access_token, expiresOnTimestamp: Date.now() + answer.expires_in * 1000 }
  }
  return {
    token,
    get issued() {
      return issued
    },
  }
}

function open(options: RedisStoreOptions): Coatcheck<Record<string, unknown>> {
  const keys = randomBytes(32).toString('base64')
  const auth = coatcheck({ store: redisStore({ ...PATIENT, ...options }), keys, baseUrl: 'http://localhost:3000' })
  closing.push(() => auth.close())
  return auth
}

/** Ids of the user's connections. */
const connections = async (server: RedisServer): Promise<string[]> =>
  (await server.cli('client', 'list'))
    .split('\n')
    .filter((line) => line.includes(`user=${OID}`))
    .map((line) => /^id=(\d+)/.exec(line)?.[1] ?? '')
    .sort()
const authCalls = async (server: RedisServer): Promise<number> =>
  Number(/cmdstat_auth:calls=(\d+)/.exec(await server.cli('info', 'commandstats'))?.[1] ?? 0)

const entra = (service: { token: () => Promise<{ token: string; expiresOnTimestamp: number }> }) =>
  EntraIdCredentialsProviderFactory.createForDefaultAzureCredential({
    credential: { getToken: service.token },
    scopes: 'https://redis.azure.com/.default',
    tokenManagerConfig: { expirationRefreshRatio: 0.5 },
    onReAuthenticationError: (error) => failures.push(error.message),
  })
const failures: string[] = []
afterEach(() => expect(failures.splice(0)).toEqual([]))

describe('@redis/entraid', () => {
  test('one server: data, durable writes, near cache and waiting are authenticated again, on the connections that stand', async () => {
    const server = await startRedisServer()
    closing.push(() => server.stop())
    const service = await startTokenService([server], 4)
    const credentialsProvider = entra(service)
    const options = { url: server.url, credentialsProvider, durability: { replicas: 1, timeoutMs: 50 }, nearCache: {} }
    const context = { prefix: '', clock: systemClock, events: new EventBus(), loopback: true }
    const store = redisStore({ ...PATIENT, ...options }).open(context)
    closing.push(() => store.close())
    await store.ready()
    const userKey = 'AAAAAAAAAAAAAAAA'
    const lease = { field: 'lease:p', holder: randomBytes(16), ttlMs: 60_000 }
    let wasHeard = false
    const watch = store.tokens.watchLeases(userKey, () => (wasHeard = true))
    const use = async (): Promise<void> => {
      const set = new Map([['grant:p', { record: randomBytes(64), ttlMs: 60_000 }]])
      expect(await store.tokens.write(userKey, { set, lasting: true })).toEqual({ status: 'done', durable: false })
      wasHeard = false
      await until(() => store.tokens.takeLease(userKey, lease))
      await store.tokens.releaseLease(userKey, lease)
      await until(() => Promise.resolve(wasHeard))
    }
    expect(await watch.confirmed).toBe(true)
    await use()
    await until(async () => (await connections(server)).length === 4)
    const before = await connections(server)
    const issued = service.issued
    await server.cli('config', 'resetstat')
    await until(async () => service.issued > issued && (await authCalls(server)) >= 4)
    await use()
    expect(await connections(server)).toEqual(before)
    expect(credentialsProvider.getSubscriptionsCount()).toBe(4)
    watch.close()
  })

  test('connections that break take the token that holds then, and leave no subscription behind', async () => {
    const server = await startRedisServer()
    closing.push(() => server.stop())
    const service = await startTokenService([server], 60)
    const credentialsProvider = entra(service)
    const auth = open({ url: server.url, credentialsProvider, nearCache: {} })
    await auth.ready()
    const { ticket } = await auth.sessions.create({ userId: 'ada' })
    for (let i = 0; i < 3; i++) {
      await until(async () => (await connections(server)).length === 2)
      await server.cli('client', 'kill', 'user', OID)
      await until(async () => (await auth.sessions.find(ticket)).session !== null)
    }
    await until(async () => (await connections(server)).length === 2)
    expect(credentialsProvider.getSubscriptionsCount()).toBe(2)
    expect(service.issued).toBe(1)
    await auth.close()
    // Or its timer would keep the process alive.
    expect(credentialsProvider.hasActiveSubscriptions()).toBe(false)
  })

  test('a cluster: every node, and nobody waits for it', async () => {
    const group = await startClusterGroup({ replicas: 0 })
    closing.push(() => group.stop())
    const service = await startTokenService(group.servers, 4)
    const credentialsProvider = entra(service)
    const auth = open({ url: group.url, cluster: true, credentialsProvider })
    await auth.ready()
    const created = await Promise.all(Array.from({ length: 20 }, (_, i) => auth.sessions.create({ userId: `u${i}` })))
    const all = async (): Promise<string[][]> => Promise.all(group.servers.map((one) => connections(one)))
    const before = await all()
    expect(before.map((ids) => ids.length)).toEqual([1, 1, 1])
    const issued = service.issued
    for (const server of group.servers) await server.cli('config', 'resetstat')
    await until(async () => {
      const calls = await Promise.all(group.servers.map((one) => authCalls(one)))
      return service.issued > issued && calls.every((count) => count > 0)
    })
    expect(await all()).toEqual(before)
    const found = await Promise.all(created.map(({ ticket }) => auth.sessions.find(ticket)))
    expect(found.every(({ session }) => session !== null)).toBe(true)
  })
})

test('IAM tokens: a function that is asked at each connect, in a cluster too', async () => {
  const group = await startClusterGroup({ replicas: 0 })
  closing.push(() => group.stop())
  const service = await startTokenService(group.servers, 900, 'resetkeys')
  const credentialsProvider = {
    type: 'async-credentials-provider' as const,
    credentials: async () => ({ username: OID, password: (await service.token()).token }),
  }
  const auth = open({ url: group.url, cluster: true, credentialsProvider })
  await auth.ready()
  const { ticket } = await auth.sessions.create({ userId: 'ada' })
  const issued = service.issued
  for (const server of group.servers) await server.cli('client', 'kill', 'user', OID)
  await until(async () => (await auth.sessions.find(ticket)).session !== null)
  expect(service.issued).toBeGreaterThan(issued)
})
