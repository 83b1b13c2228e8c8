/** Looking at keys and tidying up: what is counted, what counts as left behind, and that nothing else is touched. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type AdminContext,
  explainKey,
  type OrphanKind,
  openAdmin,
  repairKeys,
  statistics,
  surveyKeys,
} from '../../src/entries/admin.ts'
import { coatcheck } from '../../src/app/coatcheck.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import type { RedisStoreOptions } from '../../src/stores/redis/options.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { startClusterGroup } from '../support/redis-topologies.ts'
import { BASE_URL, OLD_KEY, sealWorld } from '../support/sealed-world.ts'
import { PATIENT } from '../lab/limits.ts'

let server: RedisServer
const closing: (() => Promise<unknown>)[] = []
beforeEach(async () => {
  server = await startRedisServer()
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  await server.stop()
})

const { signal } = new AbortController()
async function operator(options: RedisStoreOptions = { url: server.url }): Promise<AdminContext> {
  const context = await openAdmin({ store: redisStore({ ...PATIENT, ...options }), keys: OLD_KEY, baseUrl: BASE_URL })
  closing.push(() => context.close())
  await context.store.ready()
  return context
}
function application() {
  const auth = coatcheck({ store: redisStore({ ...PATIENT, url: server.url }), keys: OLD_KEY, baseUrl: BASE_URL })
  closing.push(() => auth.close())
  return auth
}
const some = (counts: Readonly<Record<OrphanKind, number>>): object =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0))

describe('keys scan', () => {
  test('counts families, sessions by what they are, foreign keys, and keys without a TTL', async () => {
    const world = await sealWorld({ url: server.url }, 30)
    await server.cli('set', 'cache:of:somebody', 'else')
    await server.cli('set', 'user:{too-short}:gen', 'x')
    const context = await operator()
    await server.cli('persist', context.server.keys.tokens(context.keyring.userKey('user-0')))
    const survey = await surveyKeys(context, { signal, orphans: true })
    const counts = Object.fromEntries(survey.families.map(({ family, count }) => [family, count]))
    expect(counts).toEqual({
      sessions: 33,
      generations: 30,
      tokens: 31,
      documents: 3,
      'revocation outboxes': 1,
      'revocation index': 1,
    })
    expect(survey).toMatchObject({ foreign: 2, isWhole: true, isExact: true, users: world.userIds.length })
    expect(survey.sessions).toMatchObject({ records: 33, users: 30, anonymous: 3, ended: 0 })
    expect(survey.sessions.endingWithin).toEqual({ hour: 0, day: 33, week: 33 })
    expect(survey.families.find(({ family }) => family === 'tokens')?.withoutTtl).toBeCloseTo(1 / 31)
    for (const { bytes, count } of survey.families) expect(bytes).toBeGreaterThan(40 * count)
    expect(some(survey.orphans)).toEqual({})
  })

  test('examines a part of many keys, or all of them on request, and stops on abort', async () => {
    const { client, keys } = (await operator()).server
    const names = Array.from({ length: 3000 }, (_, i) => keys.providerGate(`g${i}`.padEnd(22, 'x')))
    await Promise.all(names.map((name) => client.command(name, ['SET', name, 'x', 'PX', '600000'])))
    const context = await operator()
    const part = await surveyKeys(context, { signal, examine: 300 })
    expect(part).toMatchObject({ isWhole: true, isExact: false, families: [{ count: 3000 }] })
    expect(part.families[0]?.sampled).toBeLessThan(500)
    const all = await surveyKeys(context, { signal, examine: Infinity })
    expect(all).toMatchObject({ isExact: true, families: [{ count: 3000, sampled: 3000 }] })
    const estimate = await statistics(context, { signal, sample: 1000 })
    expect(estimate.survey.scanned).toBeLessThan(1500)
    expect(estimate.survey).toMatchObject({ isWhole: false, families: [{ family: 'provider gates', count: 3000 }] })
    const stopped = new AbortController()
    const interrupted = await surveyKeys(context, { signal: stopped.signal, seen: () => stopped.abort() })
    expect(interrupted.isWhole).toBe(false)
    expect(interrupted.scanned).toBeLessThan(3000)
  })

  test('a cluster: keys of all servers, each once', async () => {
    const group = await startClusterGroup({ replicas: 0 })
    closing.push(() => group.stop())
    const options = { url: group.url, cluster: true }
    await sealWorld(options, 60)
    const { survey, servers, devicesPerUser } = await statistics(await operator(options), { signal, exact: true })
    expect(servers.servers).toHaveLength(3)
    expect(survey).toMatchObject({ isExact: true, users: 60, sessions: { users: 60, anonymous: 6 } })
    expect(devicesPerUser).toBe(1)
  }, 300_000)
})

describe('keys repair', () => {
  test('a healthy set-up has nothing to repair, also after endings of every kind', async () => {
    const auth = application()
    const { ticket } = await auth.sessions.create({ userId: 'ada' })
    const { session } = await auth.sessions.create({ userId: 'ada' })
    await auth.sessions.rotate(ticket)
    await auth.sessions.revoke(session.id ?? '')
    for (const userId of ['grace', 'joan']) for (let i = 0; i < 12; i++) await auth.sessions.create({ userId })
    await auth.sessions.revokeByUser('grace')
    const context = await operator()
    const before = await server.cli('dbsize')
    const report = await repairKeys(context, { signal })
    expect(some(report.found)).toEqual({})
    expect(await server.cli('dbsize')).toBe(before)
  })

  test('finds each kind, and removes it on request', async () => {
    const auth = application()
    const ids: string[] = []
    for (const userId of ['lost', 'lost', 'dead', 'marker', 'fine']) {
      ids.push((await auth.sessions.create({ userId })).session.id ?? '')
    }
    for (let i = 0; i < 12; i++) await auth.sessions.create({ userId: 'stray' })
    const context = await operator()
    const { keys } = context.server
    const parts = (id: string): [string, string] => id.split('.') as [string, string]
    const keyOf = (userId: string): string => context.keyring.userKey(userId)
    await server.cli('del', keys.session(...parts(ids[0] ?? '')))
    await server.cli('set', keys.generation(keyOf('dead')), 'anothers')
    await auth.sessions.revoke(ids[3] ?? '')
    await server.cli('persist', keys.ended(...parts(ids[3] ?? '')))
    await server.cli('del', keys.generation(keyOf('stray')))
    await server.cli('hset', keys.revocations(keyOf('fine')), 'login:nonce', 'x')

    const expected = { 'lost-entry': 1, 'dead-record': 13, 'endless-marker': 1, 'stray-index': 1, 'unseen-outbox': 1 }
    const dry = await repairKeys(context, { signal, dryRun: true })
    expect(some(dry.found)).toEqual(expected)
    expect(some(dry.removed)).toEqual({})
    expect(some((await repairKeys(context, { signal, dryRun: true })).found)).toEqual(expected)

    const report = await repairKeys(context, { signal })
    // With the records of the stray user gone before its index, or after it.
    expect(some(report.removed)).toEqual(expected)
    expect(some((await repairKeys(context, { signal })).found)).toEqual({})
    expect(await auth.sessions.listByUser('lost')).toHaveLength(1)
    expect(await auth.sessions.listByUser('fine')).toHaveLength(1)
    expect(Number(await server.cli('pttl', keys.ended(...parts(ids[3] ?? ''))))).toBeGreaterThan(0)
    expect(await server.cli('zscore', keys.revocationIndex(), keyOf('fine'))).not.toBe('')
  })

  test('under load of sign-ins and sign-outs nothing that lives is removed', async () => {
    const auth = application()
    let isOver = false
    let rounds = 0
    const load = Array.from({ length: 16 }, async (_, i) => {
      for (; !isOver; rounds++) {
        const { ticket, session } = await auth.sessions.create({ userId: `user-${i % 4}` })
        expect((await auth.sessions.find(ticket)).session?.id).toBe(session.id)
        if (rounds % 5 === 0) await auth.sessions.revokeByUser(`user-${i % 4}-other`)
        await auth.sessions.revoke(session.id ?? '')
      }
    })
    const context = await operator()
    const removed: object[] = []
    for (let i = 0; i < 3; i++) removed.push(some((await repairKeys(context, { signal })).removed))
    isOver = true
    await Promise.all(load)
    expect(removed).toEqual([{}, {}, {}])
    expect(rounds).toBeGreaterThan(50)
  })
})

describe('keys explain', () => {
  test('says what a key is, whose, and which key sealed it, and nothing of what it holds', async () => {
    await sealWorld({ url: server.url }, 1)
    const context = await operator()
    const userKey = context.keyring.userKey('user-0')
    const tokens = await explainKey(context, context.server.keys.tokens(userKey))
    expect(tokens).toMatchObject({ family: 'tokens', type: 'hash', size: 3, userKey, sealedBy: ['old'], exists: true })
    const [info] = await context.sessions.listByUser('user-0')
    const id = info?.id ?? ''
    const session = await explainKey(context, context.server.keys.session(userKey, id.split('.')[1] ?? ''))
    expect(session).toMatchObject({ family: 'sessions', type: 'string', sessionId: id, orphans: [] })
    expect(session.lifeMs).toBeGreaterThan(0)
    expect(await explainKey(context, 'cache:1')).toMatchObject({ family: null, exists: false, type: 'none' })
    expect(JSON.stringify([tokens, session])).not.toMatch(/grant of|first|orders/)
  })
})
