/** The log as applications see it: a pino as it is, through a session's life, an outage and what clients can send. */
import { randomBytes } from 'node:crypto'
import pino from 'pino'
import { afterEach, expect, test } from 'vitest'
import { coatcheck, type Logger } from '../../src/entries/coatcheck.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { until } from '../support/redis-topologies.ts'

interface Line {
  readonly level: number
  readonly event: string
  readonly msg: string
  readonly [field: string]: unknown
}

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function start(level: string) {
  const text: string[] = []
  // No adapter and no cast: what pino returns is a Logger.
  const logger: Logger = pino({ level }, { write: (line: string) => text.push(line) })
  const server = await startRedisServer()
  closing.push(() => server.stop())
  const store = redisStore({ url: server.url })
  const auth = coatcheck({ store, keys: randomBytes(32).toString('base64'), baseUrl: 'http://localhost:3000', logger })
  closing.push(() => auth.close())
  await auth.ready()
  const lines = (): readonly Line[] => text.map((line) => JSON.parse(line) as Line)
  return { server, auth, lines, text }
}

const summary = (lines: readonly Line[]) =>
  lines.map(({ level, event, status, reason }) => [level, event, status ?? reason].filter(Boolean).join(' '))

test('at info: one line per change of state, none for what every request does', async () => {
  const { auth, lines } = await start('info')
  const { ticket, session } = await auth.sessions.create({ userId: 'ada' })
  const { ticket: anonymous } = await auth.sessions.create()
  for (let i = 0; i < 20; i++) await auth.sessions.find(i % 2 ? ticket : anonymous)
  await auth.sessions.update(ticket, (data) => void (data['a'] = 1))
  await auth.sessions.revoke(session.id ?? '', 'laptop lost\r\n\u001b[31mall is well')
  expect((await auth.sessions.find(ticket)).session).toBeNull()
  expect(summary(lines())).toEqual([
    '30 redis.status ready',
    '30 session.created',
    '30 session.ended laptop lost\\u000d\\u000a\\u001b[31mall is well',
  ])
  expect(lines()[1]).toMatchObject({ sessionId: session.id, kind: 'user', msg: 'session created' })
})

test('at debug: hits, misses, operations of Redis with their time, and still no ticket', async () => {
  const { auth, lines, text } = await start('debug')
  const { ticket } = await auth.sessions.create({ userId: 'ada' })
  await auth.sessions.find(ticket)
  await auth.tokens.setUserTokens('ada', { accessToken: 'secret-token-1', expiresAt: Date.now() + 3_600_000 })
  await auth.tokens.getAccessToken('ada')
  await auth.tokens.getAccessToken('ada', { resource: 'https://other.example' }).catch(() => undefined)
  const events = new Set(lines().map(({ event }) => event))
  expect([...events]).toEqual(expect.arrayContaining(['session.found', 'token.hit', 'token.miss', 'redis.operation']))
  const read = lines().find(({ operation }) => operation === 'MGET')
  expect(read).toMatchObject({ level: 20, outcome: 'ok', durationMs: expect.any(Number) as number })
  for (const secret of [ticket, 'secret-token-1', 'ada"']) expect(text.join('')).not.toContain(secret)
})

test('an outage is a few lines, however many requests meet it', async () => {
  const { auth, lines, server } = await start('info')
  const { ticket } = await auth.sessions.create({ userId: 'ada' })
  const before = lines().length
  await server.kill()
  for (let i = 0; i < 200; i++) await auth.sessions.find(ticket).catch(() => undefined)
  await server.restart()
  await until(async () => (await auth.sessions.find(ticket).catch(() => null)) !== null)
  const during = summary(lines().slice(before))
  expect(during).toEqual(expect.arrayContaining(['40 redis.status reconnecting', '30 redis.status ready']))
  expect(during).toContain('40 session.find-failed')
  expect(during.length).toBeLessThan(20)
})

test('a level that is off is not listened to', async () => {
  const { server, auth } = (await start('warn')) satisfies { server: RedisServer }
  expect(await server.cli('ping')).toBe('PONG')
  const bus = auth.events as unknown as { hasListeners(name: string): boolean }
  expect(['session.found', 'redis.operation', 'token.hit'].map((name) => bus.hasListeners(name))).toEqual([
    false,
    false,
    false,
  ])
})
