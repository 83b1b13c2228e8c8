/** What `explain` reports of a session in each state that it can be in, on a real Redis. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { explainSession, type SessionAccount } from '../../src/admin/explain-session.ts'
import { wordsOf } from '../../src/admin/session-account-words.ts'
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

  /** A store as the application has it, and what an operator reads about its sessions, with keys and without. */
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
    const explained = async (id: string): Promise<SessionAccount> => {
      const account = await explainSession(context, withKeys, id)
      const { state, because, kind, reason } = account
      const without = await explainSession(context, null, id)
      // Keys add what the record says, and change nothing else.
      if (state !== 'unreadable') expect(without).toMatchObject({ state, because, kind, reason, times: null })
      for (const text of Object.values(wordsOf(account))) expect(text).toMatch(/\S.{5,}\.$/)
      return account
    }
    return { sessions, explained, core: createCore(deps), keyring, context, withKeys }
  }
  const nameOf = (id: string): string => {
    const { userKey, id: random } = parseSessionId(id) ?? { userKey: '', id: '' }
    return keys.session(userKey, random)
  }
  const idOf = ({ session }: { session: { id: string | null } }): string => session.id ?? ''
  const userKeyOf = (id: string): string => id.slice(0, id.indexOf('.'))

  it('live, with its times', async () => {
    const { sessions, explained } = application()
    const id = idOf(await sessions.create({ userId: 'ada' }))
    const nowMs = world.clock.now()
    expect(await explained(id)).toEqual({
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
    const { sessions, explained } = application()
    const id = idOf(await sessions.create({ userId: 'ada' }))
    await sessions.revoke(id, given)
    const account = await explained(id)
    expect(account).toMatchObject({ state: 'ended', because: 'reason', reason, times: null })
    expect(wordsOf(account).what).toMatch(words)
  })

  it('ended by the limit; ended with all others of the user', async () => {
    const { sessions, explained } = application()
    const ids: string[] = []
    for (let i = 0; i < 3; i++) {
      ids.push(idOf(await sessions.create({ userId: 'ada' })))
      await world.advance(MINUTE)
    }
    const [first = '', second = ''] = ids
    expect(await explained(first)).toMatchObject({ state: 'ended', reason: 'limit' })
    await sessions.revokeByUser('ada', { reason: 'left the company' })
    expect(await explained(second)).toMatchObject({ state: 'ended', reason: 'left the company' })
  })

  it('ended with all others, when the reason could not be written any more', async () => {
    const { sessions, explained } = application()
    const id = idOf(await sessions.create({ userId: 'ada' }))
    // A new generation, and the records not yet cleared away: what a crash in between leaves.
    await world.cli('setrange', keys.generation(userKeyOf(id)), '0', 'another!')
    expect(await explained(id)).toMatchObject({ state: 'ended', because: 'all-ended', reason: null })
  })

  it('ended longer ago than reasons are kept: says what that can mean', async () => {
    const { sessions, explained } = application()
    const id = idOf(await sessions.create({ userId: 'ada' }))
    await sessions.create({ userId: 'ada' })
    await sessions.revoke(id)
    await world.advance(HOUR + MINUTE)
    expect(await explained(id)).toMatchObject({ state: 'unknown', because: 'no-trace', kind: 'user' })
  })

  it('expired, while the record is still there and after', async () => {
    const { sessions, explained } = application()
    const id = idOf(await sessions.create({ userId: 'ada' }))
    await world.advance(8 * HOUR + MINUTE)
    expect(await explained(id)).toMatchObject({
      state: 'expired',
      because: 'deadline',
      times: { expiresAtMs: expect.any(Number) as number },
    })
    await world.advance(HOUR)
    expect(await explained(id)).toMatchObject({ state: 'expired', because: 'deadline', times: null })
  })

  it('lost: record or generation evicted', async () => {
    const { sessions, explained } = application()
    const id = idOf(await sessions.create({ userId: 'ada' }))
    await world.cli('del', nameOf(id))
    expect(await explained(id)).toMatchObject({ state: 'lost', because: 'record-missing', kind: 'user' })

    const second = idOf(await sessions.create({ userId: 'grace' }))
    await world.cli('del', keys.generation(userKeyOf(second)))
    expect(await explained(second)).toMatchObject({ state: 'lost', because: 'generation-missing', kind: 'user' })
    await world.cli('del', nameOf(second))
    // The last trace of it.
    expect(await explained(second)).toMatchObject({ state: 'unknown', because: 'nothing', kind: null })
  })

  it('lost: the index of a user with so many sessions that it is a key of its own', async () => {
    const { sessions, explained } = application('first', 20)
    const created: string[] = []
    for (let i = 0; i < 10; i++) created.push(idOf(await sessions.create({ userId: 'linus' })))
    const [third = ''] = created
    await world.cli('del', nameOf(third))
    expect(await explained(third)).toMatchObject({ state: 'lost', because: 'record-missing' })
    await world.cli('del', keys.sessions(userKeyOf(third)))
    expect(await explained(third)).toMatchObject({ state: 'lost', because: 'index-missing' })
  })

  it('unreadable: a key that is not given; a record that was changed', async () => {
    const { sessions, explained } = application()
    const id = idOf(await sessions.create({ userId: 'ada' }))
    expect(await application('second').explained(id)).toMatchObject({
      state: 'unreadable',
      because: 'key-unknown',
      times: null,
    })
    await world.cli('setrange', nameOf(id), '40', 'changed')
    expect(await explained(id)).toMatchObject({ state: 'unreadable', because: 'damaged' })
  })

  it('never existed, as far as can be known; no session id at all', async () => {
    const { sessions, explained, keyring, context } = application()
    const tickets = createTickets(keyring, systemRandom, world.clock)
    const { userKey, id } = tickets.newRef()
    expect(await explained(`${userKey}.${id}`)).toMatchObject({ state: 'unknown', because: 'nothing', kind: null })
    const known = idOf(await sessions.create({ userId: 'ada' }))
    expect(await explained(`${userKeyOf(known)}.${id}`)).toMatchObject({ state: 'unknown', because: 'no-trace' })
    await expect(explainSession(context, null, 'OOM')).rejects.toThrow(/no session id/)
  })

  describe('an anonymous session', () => {
    it('live, expired while its record is there, then without a trace', async () => {
      const { sessions, explained, context, withKeys } = application()
      const id = idOf(await sessions.create({ data: { cart: 1 } }))
      expect(await explained(id)).toMatchObject({
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
      expect(await explained(id)).toMatchObject({ state: 'unknown', because: 'nothing', kind: null })
    })

    it('ended by its own sign-out, and by signing in', async () => {
      const { sessions, explained, core } = application()
      const out = await sessions.create({})
      await core.end(
        { kind: 'anonymous', ...(parseSessionId(idOf(out)) ?? { userKey: '', id: '' }) },
        'signed-out',
        true,
      )
      expect(await explained(idOf(out))).toMatchObject({ state: 'ended', reason: 'signed-out' })
      const before = await sessions.create({})
      await sessions.signIn(before.ticket, { userId: 'ada' })
      const account = await explained(idOf(before))
      expect(account).toMatchObject({ state: 'ended', reason: 'signed-in' })
      expect(wordsOf(account).what).toContain('another id')
    })

    it('evicted: leaves no trace, and that is what is said', async () => {
      const { sessions, explained } = application()
      const id = idOf(await sessions.create({}))
      await world.cli('del', nameOf(id))
      const account = await explained(id)
      expect(account).toMatchObject({ state: 'unknown', because: 'nothing' })
      expect(wordsOf(account).next).toContain('leave no trace')
    })
  })
})
