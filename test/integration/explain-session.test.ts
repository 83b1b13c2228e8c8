/** The summary of a session in each of its states, on a real Redis. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { explainSession, type SessionSummary } from '../../src/admin/explain-session.ts'
import { summaryTextOf } from '../../src/admin/session-summary-text.ts'
import { systemRandom } from '../../src/core/random.ts'
import { createKeyring } from '../../src/keyring/keyring.ts'
import { createSeal } from '../../src/keyring/seal.ts'
import { redisKeys } from '../../src/stores/keys.ts'
import { createRedisSessionDriver } from '../../src/stores/redis/session-driver.ts'
import type { SessionDriver } from '../../src/session/session-driver.ts'
import { createSessionStore } from '../../src/session/session-store.ts'
import { createCore } from '../../src/session/session-core.ts'
import { EventBus } from '../../src/core/events.ts'
import { createTickets, parseSessionId } from '../../src/session/ticket.ts'
import { HOUR, MINUTE, testKey } from '../../src/testing/session-fixture.ts'
import { redisForms, type RedisWorld } from '../support/redis-world.ts'

const keys = redisKeys('')
const policy = {
  idleTimeoutMs: 8 * HOUR,
  absoluteTimeoutMs: 24 * HOUR,
  schema: null,
  schemaVersion: 1,
  upcasts: {},
  onUnavailable: 'fail',
  staleForMs: 0,
  maxBytes: 65_536,
} as const

const forms = redisForms.filter(({ form }) => form === 'one server, redis 6' || form === 'a cluster')

describe.each(forms)('explainSession on $form', ({ start }) => {
  let world: RedisWorld
  beforeAll(async () => {
    world = await start()
  })
  afterAll(() => world.stop())
  beforeEach(() => world.reset())

  /** A store as the application has it, and the summaries that an operator gets of its sessions, with keys and without. */
  function application(key = 'first', max = 2) {
    const keyring = createKeyring(testKey(key))
    const seal = createSeal(keyring)
    const driver: SessionDriver = createRedisSessionDriver(world.client, keys, {
      random: systemRandom,
      timeOffsetMs: () => world.timeOffsetMs(),
    })
    const { clock } = world
    const deps = {
      driver,
      keyring,
      seal,
      clock,
      config: { ...policy, limit: { max, action: 'end-oldest' as const } },
      namespace: '',
      random: systemRandom,
      events: new EventBus(),
    }
    const sessions = createSessionStore(deps)
    const context = { store: { sessions: driver } as never }
    const withKeys = { seal, prefix: '', clock, config: { session: policy } as never }
    const summaryOf = async (id: string): Promise<SessionSummary> => {
      const summary = await explainSession(context, withKeys, id)
      const { state, because, kind, reason } = summary
      const without = await explainSession(context, null, id)
      // Keys add what the record says, and change nothing else.
      if (state !== 'unreadable') expect(without).toMatchObject({ state, because, kind, reason, times: null })
      for (const text of Object.values(summaryTextOf(summary))) expect(text).toMatch(/\S.{5,}\.$/)
      return summary
    }
    return { sessions, summaryOf, core: createCore(deps), keyring, context, withKeys }
  }
  const nameOf = (id: string): string => {
    const { userKey, id: random } = parseSessionId(id) ?? { userKey: '', id: '' }
    return keys.session(userKey, random)
  }
  const idOf = ({ session }: { session: { id: string | null } }): string => session.id ?? ''
  const userKeyOf = (id: string): string => id.slice(0, id.indexOf('.'))

  it('live, with its times', async () => {
    const { sessions, summaryOf } = application()
    const id = idOf(await sessions.create({ userId: 'ada' }))
    const nowMs = world.clock.now()
    expect(await summaryOf(id)).toEqual({
      sessionId: id,
      state: 'live',
      because: 'live',
      reason: null,
      kind: 'user',
      reasonsKeptForMs: HOUR,
      times: {
        createdAtMs: nowMs,
        lastSeenAtMs: nowMs,
        idleExpiresAtMs: nowMs + 8 * HOUR,
        absoluteExpiresAtMs: nowMs + 24 * HOUR,
        expiresAtMs: nowMs + 8 * HOUR,
      },
    })
  })

  it.each([
    ['revoked', undefined, /revoked it/],
    ['provider-logout', 'provider-logout', /identity provider/],
    ['laptop\nlost', 'laptop\nlost', /"laptop\\u000alost"/],
  ])('ended, with the reason: %j', async (reason, given, words) => {
    const { sessions, summaryOf } = application()
    const id = idOf(await sessions.create({ userId: 'ada' }))
    await sessions.revoke(id, given)
    const summary = await summaryOf(id)
    expect(summary).toMatchObject({ state: 'ended', because: 'reason', reason, times: null })
    expect(summaryTextOf(summary).what).toMatch(words)
  })

  it('ended by the limit; ended with all others of the user', async () => {
    const { sessions, summaryOf } = application()
    const ids: string[] = []
    for (let i = 0; i < 3; i++) {
      ids.push(idOf(await sessions.create({ userId: 'ada' })))
      await world.advance(MINUTE)
    }
    const [first = '', second = ''] = ids
    expect(await summaryOf(first)).toMatchObject({ state: 'ended', reason: 'limit' })
    await sessions.revokeByUser('ada', { reason: 'left the company' })
    expect(await summaryOf(second)).toMatchObject({ state: 'ended', reason: 'left the company' })
  })

  it('ended with all others, when the reason could not be written any more', async () => {
    const { sessions, summaryOf } = application()
    const id = idOf(await sessions.create({ userId: 'ada' }))
    // A new generation, and the records not yet cleared away: what a crash in between leaves.
    await world.cli('setrange', keys.generation(userKeyOf(id)), '0', 'another!')
    expect(await summaryOf(id)).toMatchObject({ state: 'ended', because: 'all-ended', reason: null })
  })

  it('ended longer ago than reasons are kept: says what that can mean', async () => {
    const { sessions, summaryOf } = application()
    const id = idOf(await sessions.create({ userId: 'ada' }))
    await sessions.create({ userId: 'ada' })
    await sessions.revoke(id)
    await world.advance(HOUR + MINUTE)
    expect(await summaryOf(id)).toMatchObject({ state: 'unknown', because: 'no-trace', kind: 'user' })
  })

  it('expired, while the record is still there and after', async () => {
    const { sessions, summaryOf } = application()
    const id = idOf(await sessions.create({ userId: 'ada' }))
    await world.advance(8 * HOUR + MINUTE)
    expect(await summaryOf(id)).toMatchObject({
      state: 'expired',
      because: 'deadline',
      times: { expiresAtMs: expect.any(Number) as number },
    })
    await world.advance(HOUR)
    expect(await summaryOf(id)).toMatchObject({ state: 'expired', because: 'deadline', times: null })
  })

  it('lost: record or generation evicted', async () => {
    const { sessions, summaryOf } = application()
    const id = idOf(await sessions.create({ userId: 'ada' }))
    await world.cli('del', nameOf(id))
    expect(await summaryOf(id)).toMatchObject({ state: 'lost', because: 'record-missing', kind: 'user' })

    const second = idOf(await sessions.create({ userId: 'grace' }))
    await world.cli('del', keys.generation(userKeyOf(second)))
    expect(await summaryOf(second)).toMatchObject({ state: 'lost', because: 'generation-missing', kind: 'user' })
    await world.cli('del', nameOf(second))
    // The last that summaryOf of it.
    expect(await summaryOf(second)).toMatchObject({ state: 'unknown', because: 'nothing', kind: null })
  })

  it('lost: the index of a user with so many sessions that it is a key of its own', async () => {
    const { sessions, summaryOf } = application('first', 20)
    const created: string[] = []
    for (let i = 0; i < 10; i++) created.push(idOf(await sessions.create({ userId: 'linus' })))
    const [third = ''] = created
    await world.cli('del', nameOf(third))
    expect(await summaryOf(third)).toMatchObject({ state: 'lost', because: 'record-missing' })
    await world.cli('del', keys.sessions(userKeyOf(third)))
    expect(await summaryOf(third)).toMatchObject({ state: 'lost', because: 'index-missing' })
  })

  it('unreadable: a key that is not given; a record that was changed', async () => {
    const { sessions, summaryOf } = application()
    const id = idOf(await sessions.create({ userId: 'ada' }))
    expect(await application('second').summaryOf(id)).toMatchObject({
      state: 'unreadable',
      because: 'key-unknown',
      times: null,
    })
    await world.cli('setrange', nameOf(id), '40', 'changed')
    expect(await summaryOf(id)).toMatchObject({ state: 'unreadable', because: 'damaged' })
  })

  it('never existed, as far as can be known; no session id at all', async () => {
    const { sessions, summaryOf, keyring, context } = application()
    const tickets = createTickets(keyring, systemRandom, world.clock)
    const { userKey, id } = tickets.newRef()
    expect(await summaryOf(`${userKey}.${id}`)).toMatchObject({ state: 'unknown', because: 'nothing', kind: null })
    const known = idOf(await sessions.create({ userId: 'ada' }))
    expect(await summaryOf(`${userKeyOf(known)}.${id}`)).toMatchObject({ state: 'unknown', because: 'no-trace' })
    await expect(explainSession(context, null, 'OOM')).rejects.toThrow(/no session id/)
  })

  describe('an anonymous session', () => {
    it('live, expired while its record is there, then without a trace', async () => {
      const { sessions, summaryOf, context, withKeys } = application()
      const id = idOf(await sessions.create({ data: { cart: 1 } }))
      expect(await summaryOf(id)).toMatchObject({
        state: 'live',
        kind: 'anonymous',
        times: { createdAtMs: world.clock.now() },
      })
      await world.advance(8 * HOUR + MINUTE)
      const inSlack = await explainSession(context, withKeys, id)
      expect(inSlack).toMatchObject({ state: 'expired', because: 'deadline', kind: 'anonymous' })
      // Its deadline stands in the record only, which stays closed without keys.
      expect(await explainSession(context, null, id)).toMatchObject({ state: 'live', kind: 'anonymous', times: null })
      await world.advance(HOUR)
      expect(await summaryOf(id)).toMatchObject({ state: 'unknown', because: 'nothing', kind: null })
    })

    it('ended by its own sign-out, and by signing in', async () => {
      const { sessions, summaryOf, core } = application()
      const out = await sessions.create({})
      await core.end(
        { kind: 'anonymous', ...(parseSessionId(idOf(out)) ?? { userKey: '', id: '' }) },
        'signed-out',
        true,
      )
      expect(await summaryOf(idOf(out))).toMatchObject({ state: 'ended', reason: 'signed-out' })
      const before = await sessions.create({})
      await sessions.signIn(before.ticket, { userId: 'ada' })
      const summary = await summaryOf(idOf(before))
      expect(summary).toMatchObject({ state: 'ended', reason: 'signed-in' })
      expect(summaryTextOf(summary).what).toContain('another id')
    })

    it('evicted: leaves no trace, and that is what is said', async () => {
      const { sessions, summaryOf } = application()
      const id = idOf(await sessions.create({}))
      await world.cli('del', nameOf(id))
      const summary = await summaryOf(id)
      expect(summary).toMatchObject({ state: 'unknown', because: 'nothing' })
      expect(summaryTextOf(summary).next).toContain('leave no trace')
    })
  })
})
