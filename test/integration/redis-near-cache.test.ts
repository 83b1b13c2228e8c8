/** The near cache against real servers: nothing asked on a hit, nothing old after a change, whoever made it and whatever fails. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { coatcheck, oidc } from '../../src/entries/coatcheck.ts'
import type { Coatcheck } from '../../src/app/coatcheck.ts'
import { redisStore, type RedisStoreOptions } from '../../src/stores/redis/redis-store.ts'
import { startFaultProxy } from '../../src/testing/fault-proxy.ts'
import { libraryMajors } from '../support/redis-clients.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { startClusterGroup, startSentinelGroup, until } from '../support/redis-topologies.ts'
import { startSessionProcess } from '../support/session-process.ts'
import { expectWithin, withinMs } from '../lab/limits.ts'

type ProviderFactory = ReturnType<typeof oidc>
type Auth = Coatcheck<{ count: number }>

const keys = randomBytes(32).toString('base64')
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

function open(options: RedisStoreOptions, providers: readonly ProviderFactory[] = []): Auth {
  const auth = coatcheck<{ count: number }>({
    store: redisStore(options),
    providers,
    keys,
    baseUrl: 'http://localhost:3000',
  })
  closing.push(() => auth.close())
  return auth
}

async function near(
  options: RedisStoreOptions,
  maxStaleMs = 2000,
  providers?: readonly ProviderFactory[],
): Promise<Auth> {
  const auth = open({ ...options, nearCache: { maxEntries: 1000, maxStaleMs } }, providers)
  let isOn = false
  auth.events.on('redis.tracking', (event) => (isOn = event.isOn))
  await auth.ready()
  await until(async () => Promise.resolve(isOn))
  return auth
}

async function start(): Promise<RedisServer> {
  const server = await startRedisServer()
  closing.push(() => server.stop())
  return server
}

/** Scripts write; one of them searches refresh tokens to revoke, 1 s after the start. */
const READS = /cmdstat_(?:mget|get|hget|hmget):calls=(\d+)/g

const reads = async (server: RedisServer): Promise<number> =>
  [...(await server.cli('info', 'commandstats')).matchAll(READS)]
    .map(([, calls]) => Number(calls))
    .reduce((sum, calls) => sum + calls, 0)

/** Resolves when reading sends no read command. What the writes before it announce has arrived by then. */
async function kept(server: RedisServer, read: () => Promise<unknown>): Promise<void> {
  await until(async () => {
    await read()
    await server.cli('config', 'resetstat')
    await read()
    return (await reads(server)) === 0
  })
}

/** Resolves when the change is seen: within 50 ms in the lab, and long before `LONG_STALE_MS` anywhere. */
async function seen(isSeen: () => Promise<boolean>): Promise<void> {
  const at = performance.now()
  while (!(await isSeen())) {
    expectWithin(performance.now() - at, 50)
    await sleep(1)
  }
}

/** Only an announcement of the server explains that a change is seen before this has passed. */
const LONG_STALE_MS = 60_000

describe('one server', () => {
  test('a hit asks nothing of the server; what is handed out cannot be changed', async () => {
    const server = await start()
    const auth = await near({ url: server.url })
    const { ticket } = await auth.sessions.create({ userId: 'ada', data: { count: 1 } })
    await kept(server, () => auth.sessions.find(ticket))
    for (let i = 0; i < 100; i++) expect((await auth.sessions.find(ticket)).session?.data.count).toBe(1)
    expect(await reads(server)).toBe(0)
    const { session } = await auth.sessions.find(ticket)
    expect(() => {
      ;(session?.data as { count: number }).count = 9
    }).toThrow(TypeError)
    expect((await auth.sessions.find(ticket)).session?.data.count).toBe(1)
  })

  test('a token that is kept asks nothing of the server, until somebody changes the tokens of that user', async () => {
    const server = await start()
    const providers = [oidc({ name: 'x', issuer: 'https://idp.test', clientId: 'c' })]
    const auth = await near({ url: server.url }, LONG_STALE_MS, providers)
    const other = open({ url: server.url }, providers)
    const tokens = { accessToken: 'first', refreshToken: 'r', expiresAt: Date.now() + 3_600_000 }
    await other.tokens.setUserTokens('ada', tokens)
    await kept(server, () => auth.tokens.getAccessToken('ada'))
    for (let i = 0; i < 100; i++) expect((await auth.tokens.getAccessToken('ada')).accessToken).toBe('first')
    expect(await reads(server)).toBe(0)
    const { scopes } = await auth.tokens.getAccessToken('ada')
    expect(() => (scopes as string[]).push('x')).toThrow(TypeError)
    await other.tokens.setUserTokens('ada', { ...tokens, accessToken: 'second' })
    await seen(async () => (await auth.tokens.getAccessToken('ada')).accessToken === 'second')
    await auth.tokens.deleteUserTokens('ada')
    await expect(auth.tokens.getAccessToken('ada')).rejects.toMatchObject({ code: 'COATCHECK_TOKEN_NONE' })
  })

  test('this process reads its own writes; a rotated ticket and an ended session are dead at once', async () => {
    const server = await start()
    const auth = await near({ url: server.url })
    const { ticket, session } = await auth.sessions.create({ userId: 'ada', data: { count: 0 } })
    for (let i = 1; i <= 200; i++) {
      await auth.sessions.update(ticket, (draft) => {
        draft.count = i
      })
      expect((await auth.sessions.find(ticket)).session?.data.count).toBe(i)
    }
    const rotated = await auth.sessions.rotate(ticket, { immediate: true })
    expect((await auth.sessions.find(ticket)).session).toBeNull()
    expect((await auth.sessions.find(rotated.ticket)).session?.id).toBe(session.id)
    await auth.sessions.revoke(session.id ?? '')
    expect(await auth.sessions.find(rotated.ticket)).toEqual({ session: null, reason: 'revoked' })
    const others = await Promise.all([1, 2, 3].map(() => auth.sessions.create({ userId: 'grace' })))
    for (const other of others) await auth.sessions.find(other.ticket)
    await auth.sessions.revokeByUser('grace', { except: others[0]?.session.id ?? '' })
    const left = await Promise.all(others.map((other) => auth.sessions.find(other.ticket)))
    expect(left.map(({ session: found }) => found !== null)).toEqual([true, false, false])
  })

  test('3,000 racing writes of another process: nothing old 50 ms after the acknowledgement', async () => {
    const server = await start()
    const reader = await near({ url: server.url }, LONG_STALE_MS)
    const writer = open({ url: server.url, commandTimeoutMs: 251 })
    const { ticket } = await writer.sessions.create({ userId: 'ada', data: { count: 0 } })
    let acknowledged = 0
    let isOver = false
    let old = 0
    let reads = 0
    const history: { count: number; at: number }[] = [{ count: 0, at: performance.now() }]
    const reading = Array.from({ length: 8 }, async () => {
      while (!isOver) {
        const asked = performance.now()
        const count = (await reader.sessions.find(ticket)).session?.data.count ?? -1
        const sure = history.findLast(({ at }) => at < asked - withinMs(50))?.count ?? 0
        if (count < sure) old++
        if (++reads % 16 === 0) await sleep(0)
      }
    })
    for (let i = 1; i <= 3000; i++) {
      await writer.sessions.update(ticket, (draft) => {
        draft.count = i
      })
      acknowledged = i
      history.push({ count: i, at: performance.now() })
      if (i % 50 === 0) await sleep(2)
    }
    isOver = true
    await Promise.all(reading)
    expect(acknowledged).toBe(3000)
    expect(old).toBe(0)
    expect(reads).toBeGreaterThan(3000)
    await seen(async () => (await reader.sessions.find(ticket)).session?.data.count === 3000)
  }, 300_000)

  test('a revocation by another process is seen within 50 ms', async () => {
    const server = await start()
    const reader = await near({ url: server.url })
    const other = await startSessionProcess(keys, server.url)
    closing.push(() => other.end('SIGKILL'))
    const users = Array.from({ length: 200 }, (_, i) => `u${i}`)
    const sessions = await other.ask('create', { users })
    const delays: number[] = []
    for (const { id, ticket } of sessions) {
      expect((await reader.sessions.find(ticket)).session).not.toBeNull()
      const ending = other.ask('end', { ids: [id] })
      while ((await reader.sessions.find(ticket)).session !== null) await sleep(0)
      const seenMs = performance.timeOrigin + performance.now()
      await ending
      // Usually it is seen before the other process has heard that it is done.
      delays.push(Math.max(0, seenMs - (other.events.at(-1)?.atMs ?? Number.NaN)))
    }
    delays.sort((a, b) => a - b)
    expectWithin(delays[Math.floor(delays.length * 0.99)] ?? Infinity, 50)
  })

  test('the connection for changes is swallowed: no record is trusted for longer than maxStaleMs', async () => {
    const server = await start()
    const proxy = await startFaultProxy({ target: { port: server.port } })
    closing.push(() => proxy.close())
    const reader = await near({ url: proxy.url }, 400)
    const other = open({ url: server.url })
    const { ticket, session } = await other.sessions.create({ userId: 'ada' })
    expect((await reader.sessions.find(ticket)).session).not.toBeNull()
    proxy.set({ kind: 'swallow' })
    await other.sessions.revoke(session.id ?? '')
    const at = performance.now()
    for (;;) {
      const found = await reader.sessions.find(ticket).then(
        ({ session: one }) => one !== null,
        () => false,
      )
      if (!found) break
      expectWithin(performance.now() - at, 400)
      await sleep(5)
    }
    proxy.set({ kind: 'pass' })
    await until(async () => (await reader.sessions.find(ticket)).session === null)
  })

  test('a server that forbids it: off, with the reason, and everything else works', async () => {
    const server = await start()
    await server.cli('acl', 'setuser', 'app', 'on', '>x', '~*', '&*', '+@all', '-client|tracking')
    const auth = open({ url: server.url.replace('redis://', 'redis://app:x@'), nearCache: {} })
    const statuses: (string | undefined)[] = []
    auth.events.on('redis.tracking', ({ isOn, code }) => statuses.push(isOn ? 'on' : code))
    const { ticket } = await auth.sessions.create({ userId: 'ada' })
    expect((await auth.sessions.find(ticket)).session).not.toBeNull()
    await sleep(300)
    expect(statuses).not.toContain('on')
  })

  test('a restart of the server: on again, and empty', async () => {
    const server = await start()
    const auth = await near({ url: server.url })
    const { ticket } = await auth.sessions.create({ userId: 'ada' })
    await auth.sessions.find(ticket)
    await server.restart()
    await until(async () => (await auth.sessions.find(ticket)).session === null)
    expect(await auth.sessions.find(ticket)).toEqual({ session: null, reason: 'lost' })
  })

  test.each(libraryMajors.filter(({ major }) => major !== '4'))(
    'with a user-supplied client of redis $major',
    async (library) => {
      const server = await start()
      const client = library.create(server.url)
      client.on('error', () => undefined)
      closing.push(async () => client.destroy?.())
      const auth = await near({ client })
      const { ticket } = await auth.sessions.create({ userId: 'ada' })
      await kept(server, () => auth.sessions.find(ticket))
    },
  )
})

test('in a cluster changes are heard of from every node, also after a slot has moved', async () => {
  const group = await startClusterGroup({ replicas: 0 })
  closing.push(() => group.stop())
  const reader = open({ url: group.url, cluster: true, nearCache: { maxStaleMs: LONG_STALE_MS } })
  const other = open({ url: group.url, cluster: true, commandTimeoutMs: 251 })
  const sessions = await Promise.all(Array.from({ length: 30 }, (_, i) => other.sessions.create({ userId: `u${i}` })))
  const total = async (): Promise<number> =>
    (await Promise.all(group.servers.map((server) => reads(server)))).reduce((sum, one) => sum + one, 0)
  const readAll = async (): Promise<number> => {
    const found = await Promise.all(sessions.map(({ ticket }) => reader.sessions.find(ticket)))
    return found.filter(({ session }) => session !== null).length
  }
  await until(async () => {
    await readAll()
    const before = await total()
    await readAll()
    return (await total()) === before
  })
  await Promise.all(sessions.map(({ session }) => other.sessions.revoke(session.id ?? '')))
  await seen(async () => (await readAll()) === 0)
})

test('with Sentinel the new primary is listened to', async () => {
  const group = await startSentinelGroup()
  closing.push(() => group.stop())
  const sentinels = group.sentinels.map(({ port }) => `127.0.0.1:${port}`)
  const reader = await near({ url: 'redis://mymaster', sentinels }, LONG_STALE_MS)
  const other = open({ url: 'redis://mymaster', sentinels, commandTimeoutMs: 251 })
  const { ticket, session } = await other.sessions.create({ userId: 'ada' })
  await reader.sessions.find(ticket)
  const primary = await group.primary()
  await primary.cli('wait', '2', '1000')
  await primary.kill()
  await until(async () => (await group.primary()) !== primary)
  await until(async () => (await reader.sessions.find(ticket)).session !== null)
  const now = await group.primary()
  await kept(now, () => reader.sessions.find(ticket))
  await until(async () => (await other.sessions.revoke(session.id ?? '')).count >= 0)
  await seen(async () => (await reader.sessions.find(ticket)).session === null)
})
