/**
 * Two builds of Coatcheck on one Redis, as in a rolling deployment: the built package in one process, the sources in another. And
 * what version 0.1.0 has stored, which every later one has to read. F27 of docs/faults.md.
 *
 * `COATCHECK_WRITE_RECORDS=1 npx vitest run test/lab/two-builds.test.ts` writes the records anew: only until they are released.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createClient } from 'redis'
import { afterEach, expect, test } from 'vitest'
import type { Coatcheck } from '../../src/app/coatcheck.ts'
import { coatcheck, oidc } from '../../src/entries/coatcheck.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { startSessionProcess } from '../support/session-process.ts'
import { isLab, observed } from './report.ts'

const SESSIONS = isLab ? 500 : 60
const RECORDS = 'test/lab/records-0.1.0.json'
/** As long as a session may live: in ten years from their making these records are too old to say anything. */
const LIFE_MS = 3650 * 86_400_000

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function startServer(): Promise<RedisServer> {
  const server = await startRedisServer()
  closing.push(() => server.stop())
  return server
}

async function open(server: RedisServer, keys: string): Promise<Coatcheck<Record<string, unknown>>> {
  const auth = coatcheck({
    store: redisStore({ url: server.url }),
    keys,
    baseUrl: 'https://sessions.example',
    // Never asked: its tokens are valid.
    providers: [oidc({ name: 'idp', issuer: 'http://127.0.0.1:9', clientId: 'app', clientSecret: 'secret' })],
    session: { absoluteTimeout: LIFE_MS, idleTimeout: LIFE_MS },
    tokens: { grantLifetime: LIFE_MS },
  })
  closing.push(() => auth.close())
  await auth.ready()
  return auth
}

test('each finds, writes and ends the sessions of the other, and nobody is signed out', async () => {
  const server = await startServer()
  const keys = randomBytes(32).toString('base64')
  const ours = await open(server, keys)
  const theirs = await startSessionProcess(keys, server.url)
  closing.push(() => theirs.end('SIGKILL'))
  const users = Array.from({ length: SESSIONS }, (_, i) => `user-${i}`)
  const made = await theirs.ask('create', { users, data: { by: 'theirs' } })
  let held = 0
  for (const [i, { ticket, id }] of made.entries()) {
    const found = await ours.sessions.find(ticket)
    expect(found.session).toMatchObject({ id, user: { id: users[i] } })
    expect(found.session?.data).toEqual({ by: 'theirs' })
    await ours.sessions.update(ticket, (draft) => void (draft['also'] = 'ours'))
    await theirs.ask('update', { ticket, data: { and: 'theirs' } })
    expect((await ours.sessions.find(ticket)).session?.data).toEqual({ by: 'theirs', also: 'ours', and: 'theirs' })
    // A second device of the same user, from this side.
    const { ticket: second } = await ours.sessions.create({ userId: users[i] ?? '', data: { by: 'ours' } })
    expect(await theirs.ask('find', { tickets: [ticket, second] })).toEqual([
      { user: users[i], data: { by: 'theirs', also: 'ours', and: 'theirs' } },
      { user: users[i], data: { by: 'ours' } },
    ])
    held += 2
  }
  const ids = made.map(({ id }) => id)
  await theirs.ask('end', { ids: ids.slice(0, ids.length / 2) })
  for (const id of ids.slice(ids.length / 2)) expect((await ours.sessions.revoke(id)).count).toBe(1)
  for (const { ticket } of made) expect((await ours.sessions.find(ticket)).session).toBeNull()
  const found = await theirs.ask('find', { tickets: made.map(({ ticket }) => ticket) })
  expect(found.filter(({ reason }) => reason !== 'revoked')).toEqual([])
  observed(
    'F27.builds',
    `${held} of ${held} sessions read and written by both, ${ids.length} of ${ids.length} ended for both`,
  )
})

/** What lies in Redis, and what opens it. */
interface Records {
  readonly keys: string
  readonly ticket: string
  readonly visitorTicket: string
  /** Key to what `DUMP` gives, in base64. */
  readonly dump: Readonly<Record<string, string>>
}

const rawClient = async (server: RedisServer) => {
  const client = await createClient({ url: server.url }).connect()
  closing.push(async () => client.destroy())
  return client
}

async function writeRecords(): Promise<void> {
  const server = await startServer()
  const keys = randomBytes(32).toString('base64')
  const auth = await open(server, keys)
  const device = { browser: 'Firefox' }
  const { ticket } = await auth.sessions.create({ userId: 'ada', data: { cart: [1, 2], note: 'grüß' }, device })
  const { ticket: visitorTicket } = await auth.sessions.create({ data: { language: 'de' } })
  const tokens = {
    accessToken: 'access-ada',
    refreshToken: 'refresh-ada',
    idToken: null,
    expiresAt: Date.now() + LIFE_MS,
  }
  await auth.tokens.setUserTokens('ada', tokens)
  const client = await rawClient(server)
  const dump: Record<string, string> = {}
  for (const key of (await server.cli('keys', '*')).split('\n').sort()) {
    dump[key] = Buffer.from(
      (await client.sendCommand(['DUMP', key], { typeMapping: { 36: Buffer } })) as unknown as Buffer,
    ).toString('base64')
  }
  writeFileSync(RECORDS, `${JSON.stringify({ keys, ticket, visitorTicket, dump }, null, 2)}\n`)
}

test('what 0.1.0 has stored is read, written and ended', async () => {
  if (process.env['COATCHECK_WRITE_RECORDS'] !== undefined) await writeRecords()
  const { keys, ticket, visitorTicket, dump } = JSON.parse(readFileSync(RECORDS, 'utf8')) as Records
  const server = await startServer()
  const client = await rawClient(server)
  for (const [key, bytes] of Object.entries(dump)) {
    await client.sendCommand(['RESTORE', key, String(LIFE_MS), Buffer.from(bytes, 'base64')])
  }
  const auth = await open(server, keys)
  const { session } = await auth.sessions.find(ticket)
  expect(session?.user?.id).toBe('ada')
  expect(session?.data).toEqual({ cart: [1, 2], note: 'grüß' })
  expect((await auth.sessions.find(visitorTicket)).session?.data).toEqual({ language: 'de' })
  expect(await auth.tokens.getUserTokens('ada')).toMatchObject({
    accessToken: 'access-ada',
    refreshToken: 'refresh-ada',
  })
  expect((await auth.tokens.getAccessToken('ada')).accessToken).toBe('access-ada')
  const [device] = await auth.sessions.listByUser('ada')
  expect(device).toMatchObject({ id: session?.id, device: { browser: 'Firefox' } })
  await auth.sessions.update(ticket, (draft) => void (draft['note'] = 'new'))
  expect((await auth.sessions.find(ticket)).session?.data['note']).toBe('new')
  expect((await auth.sessions.revokeByUser('ada')).count).toBe(1)
  expect((await auth.sessions.find(ticket)).session).toBeNull()
  expect(await auth.tokens.getUserTokens('ada')).toBeNull()
  observed('F27.records', `${Object.keys(dump).length} of ${Object.keys(dump).length} keys of 0.1.0 read`)
})
