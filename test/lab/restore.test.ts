/** A Redis that has lost everything, and one that knows only what was an hour ago: F10 and F11 of docs/faults.md. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import type { SessionOptions } from '../../src/config/session-settings.ts'
import type { Coatcheck } from '../../src/app/coatcheck.ts'
import { coatcheck } from '../../src/entries/coatcheck.ts'
import { redisStore, type RedisStoreOptions } from '../../src/stores/redis/redis-store.ts'
import { untilWorks } from '../support/redis-clients.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { startSessionProcess } from '../support/session-process.ts'
import { expectWithin, HANG_MS } from './limits.ts'
import { inMs, observed } from './report.ts'

const PEOPLE = 50
const AGAIN_MS = 1000
const SHORT_MS = 1000

const run = promisify(execFile)
const keys = randomBytes(32).toString('base64')
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function open(
  options: RedisStoreOptions,
  session: SessionOptions<Record<string, unknown>> = {},
): Promise<Coatcheck<Record<string, unknown>>> {
  const auth = coatcheck({ store: redisStore(options), keys, baseUrl: 'https://app.test', session })
  closing.push(() => auth.close())
  await auth.ready()
  return auth
}

async function startServer(): Promise<RedisServer> {
  const server = await startRedisServer()
  closing.push(() => server.stop())
  return server
}

interface Issued {
  readonly ticket: string
  readonly id: string
}

const issue = (auth: Coatcheck<Record<string, unknown>>, name: string): Promise<Issued[]> =>
  Promise.all(
    Array.from({ length: PEOPLE }, async (_, i) => {
      const { ticket, session } = await auth.sessions.create({ userId: `${name}-${i}` })
      return { ticket, id: session.id ?? '' }
    }),
  )
const aliveOf = async (auth: Coatcheck<Record<string, unknown>>, issued: readonly Issued[]): Promise<number> => {
  const found = await Promise.all(issued.map(({ ticket }) => auth.sessions.find(ticket)))
  return found.filter(({ session }) => session !== null).length
}

test('everything is gone, by FLUSHALL and by a restart without data: all end as "lost", and no old cookie is accepted', async () => {
  const server = await startServer()
  const auth = await open({ url: server.url })
  const losses = [
    () => server.cli('flushall'),
    async () => {
      await server.kill()
      await server.restart()
    },
  ]
  for (const lose of losses) {
    const issued = await issue(auth, 'user')
    await lose()
    await untilWorks(() => auth.sessions.listByUser('user-0'))
    for (const { ticket } of issued) expect(await auth.sessions.find(ticket)).toEqual({ session: null, reason: 'lost' })
    const again = await auth.sessions.create({ userId: 'user-0' })
    expect(await aliveOf(auth, issued)).toBe(0)
    expect((await auth.sessions.find(again.ticket)).session?.user?.id).toBe('user-0')
  }
  observed('F10.flushed', `${2 * PEOPLE} of ${2 * PEOPLE} end as "lost", 0 accepted afterwards`)
})

/** As docs/redis.md says it. */
async function dropGenerations(server: RedisServer): Promise<void> {
  const command = /^redis-cli .*--scan --pattern 'user:\{\*\}:gen' .*$/m.exec(
    readFileSync('docs/redis.md', 'utf8'),
  )?.[0]
  expect(command).toBeDefined()
  await run('sh', ['-c', command ?? ''], { env: { ...process.env, REDIS_URL: server.url } })
}

test('an old dump is restored: what a living process has ended is ended again, the rest is not; dropping generations ends all', async () => {
  const server = await startServer()
  const auth = await open({ url: server.url })
  const reader = await open({ url: server.url, commandTimeoutMs: 251 })
  const short = await open(
    { url: server.url, commandTimeoutMs: 252 },
    { absoluteTimeout: `${SHORT_MS}ms`, idleTimeout: `${SHORT_MS}ms` },
  )
  const other = await startSessionProcess(keys, server.url)
  const [mine, byUser, theirs, staying, expiring] = await Promise.all([
    issue(auth, 'mine'),
    issue(auth, 'by-user'),
    issue(auth, 'theirs'),
    issue(auth, 'staying'),
    issue(short, 'expiring'),
  ])
  await server.cli('save')
  const [dump, aside] = [join(server.dir, 'dump.rdb'), join(server.dir, 'an-hour-ago.rdb')]
  copyFileSync(dump, aside)
  await Promise.all(mine.map(({ id }) => auth.sessions.revoke(id)))
  for (let i = 0; i < PEOPLE; i++) expect((await auth.sessions.revokeByUser(`by-user-${i}`)).count).toBe(1)
  await other.ask('end', { ids: theirs.map(({ id }) => id) })
  await other.end('SIGKILL')
  await sleep(SHORT_MS)
  const ended = [...mine, ...byUser, ...theirs]
  expect(await aliveOf(reader, ended)).toBe(0)

  await server.kill()
  copyFileSync(aside, dump)
  await server.restart()
  await untilWorks(() => auth.sessions.listByUser('nobody'))
  const backMs = performance.now()
  // Each of them has a connection of its own, which is back at a time of its own.
  await Promise.all([reader, short].map((one) => untilWorks(() => one.sessions.listByUser('nobody'))))
  while ((await aliveOf(reader, [...mine, ...byUser])) > 0 && performance.now() - backMs < HANG_MS) await sleep(10)
  const againMs = performance.now() - backMs
  expectWithin(againMs, AGAIN_MS)
  expect(await aliveOf(reader, [...mine, ...byUser])).toBe(0)
  expect(await aliveOf(reader, staying)).toBe(PEOPLE)
  expect(await aliveOf(short, expiring)).toBe(0)
  // Nobody is left who knows of these: that is what docs/faults.md says.
  const returned = await aliveOf(reader, theirs)
  expect(returned).toBe(PEOPLE)

  await dropGenerations(server)
  expect(await aliveOf(reader, [...ended, ...staying])).toBe(0)
  const again = await auth.sessions.create({ userId: 'staying-0' })
  expect(await aliveOf(reader, [...ended, ...staying])).toBe(0)
  expect((await reader.sessions.find(again.ticket)).session?.user?.id).toBe('staying-0')
  observed(
    'F11.restored',
    `${2 * PEOPLE} of ${2 * PEOPLE} of a living process are ended again after ${inMs(againMs)}; ${returned} of ${PEOPLE} of one that had gone came back; 0 after dropping the generations`,
  )
})
