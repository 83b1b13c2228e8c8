/** A sign-in that fails or stops at any of its steps: the visitor keeps the previous session. */
import assert from 'node:assert/strict'
import { RedisError } from '../../core/errors.ts'
import type { Json } from '../../core/json.ts'
import type { SessionStore, TicketSink, Visit } from '../../session/types.ts'
import type { SignInInput } from '../../session/sign-in-input.ts'
import type { ConformanceCase, SessionHarness } from '../conformance.ts'
import { codeOf, fixture } from '../session-fixture.ts'

type Data = Record<string, unknown>

interface SigningIn {
  readonly old: { readonly ticket: string; readonly id: string }
  readonly visit: Visit<Data>
  readonly driver: SessionHarness['driver']
  readonly store: SessionStore<Data>
  /** The ticket in the browser. */
  ticket(): string
  refuseTickets(): void
  /** Ids of the live sessions of a user. */
  idsOf(userId: string): Promise<string[]>
}

/** A visitor whose sign-in uses a driver that the case may change. `data` is the data of the old session. */
async function signingIn(harness: SessionHarness, userId?: string, data: Data = {}): Promise<SigningIn> {
  const driver = { ...harness.driver }
  const { store } = fixture(harness)
  const created = await store.create({ ...(userId !== undefined && { userId }), data })
  let ticket = created.ticket
  let refuses = false
  const sink: TicketSink = {
    assertWritable: () => undefined,
    issue(next) {
      if (refuses) throw Object.assign(new Error('sent'), { code: 'COATCHECK_HEADERS_SENT' })
      ticket = next
    },
    clear: () => undefined,
  }
  return {
    old: { ticket: created.ticket, id: created.session.id ?? '' },
    visit: await fixture(harness, { driver }).store.visit(created.ticket, sink),
    driver,
    store,
    ticket: () => ticket,
    refuseTickets() {
      refuses = true
    },
    idsOf: async (id) => (await store.listByUser(id)).map((info) => info.id),
  }
}

async function assertUnchanged(signing: SigningIn, user: string | null): Promise<void> {
  const { old, store, visit, ticket, idsOf } = signing
  assert.equal(ticket(), old.ticket, 'the browser keeps its ticket')
  assert.equal((await store.find(old.ticket)).session?.id, old.id, 'the previous session stays')
  assert.equal(visit.session.id, old.id)
  assert.equal(visit.session.user?.id ?? null, user)
  assert.deepEqual(await idsOf('ada'), user === 'ada' ? [old.id] : [], 'the new session has ended')
  await visit.session.set('later', 1)
  assert.equal((await store.find(old.ticket)).session?.get('later'), 1)
}

const failing = (): Promise<never> => Promise.reject(Object.assign(new Error('fault'), { code: 'FAULT' }))
const input = (more: Partial<SignInInput<Data>> = {}): SignInInput<Data> => ({ userId: 'ada', ...more })

const VISITORS = [
  ['an anonymous visitor', undefined],
  ['the same user', 'ada'],
  ['another user', 'grace'],
] as const

export const signInFaultCases: readonly ConformanceCase<SessionHarness>[] = [
  ...VISITORS.flatMap(([who, userId]): ConformanceCase<SessionHarness>[] => [
    {
      name: `sign-in over the session of ${who}: it stays when the new session cannot be stored`,
      async run(harness) {
        const signing = await signingIn(harness, userId)
        signing.driver.create = failing
        assert.equal(await codeOf(signing.visit.signIn(input())), 'FAULT')
        await assertUnchanged(signing, userId ?? null)
      },
    },
    {
      name: `sign-in over the session of ${who}: it stays when a step before completion fails`,
      async run(harness) {
        const signing = await signingIn(harness, userId)
        assert.equal(await codeOf(signing.visit.signIn(input({ beforeComplete: failing }))), 'FAULT')
        await assertUnchanged(signing, userId ?? null)
        assert.equal(
          await codeOf(signing.store.signIn(signing.old.ticket, input({ beforeComplete: failing }))),
          'FAULT',
        )
        await assertUnchanged(signing, userId ?? null)
      },
    },
    {
      name: `sign-in over the session of ${who}: it stays when the ticket cannot be handed out`,
      async run(harness) {
        const signing = await signingIn(harness, userId)
        signing.refuseTickets()
        assert.equal(await codeOf(signing.visit.signIn(input())), 'COATCHECK_HEADERS_SENT')
        await assertUnchanged(signing, userId ?? null)
      },
    },
    {
      name: `sign-in over the session of ${who}: it stays when what was written to it meanwhile cannot move along`,
      async run(harness) {
        const signing = await signingIn(harness, userId)
        signing.driver.endUnchanged = async (...args) => {
          await signing.store.update(signing.old.ticket, (draft) => void (draft['cart'] = ['b']))
          return harness.driver.endUnchanged(...args)
        }
        signing.driver.replace = failing
        const code = await codeOf(signing.visit.signIn(input({ carry: ['cart'] })))
        assert.equal(code, 'FAULT')
        signing.driver.replace = harness.driver.replace
        await assertUnchanged(signing, userId ?? null)
      },
    },
    {
      name: `sign-in over the session of ${who}: a process that stops before completion leaves only that session within reach`,
      async run(harness) {
        const signing = await signingIn(harness, userId)
        let goOn: (value?: unknown) => void = () => undefined
        const stopped = new Promise((resolve) => {
          goOn = resolve
        })
        let signed: Promise<{ readonly id: string | null }> | undefined
        const newId = await new Promise<string>((resolve) => {
          const beforeComplete = (sessionId: string): Promise<unknown> => {
            resolve(sessionId)
            return stopped
          }
          signed = signing.visit.signIn(input({ beforeComplete }))
        })
        assert.ok((await signing.idsOf('ada')).includes(newId), 'the new session is stored')
        assert.equal(signing.ticket(), signing.old.ticket, 'its ticket has not left')
        assert.equal((await signing.store.find(signing.old.ticket)).session?.id, signing.old.id)
        goOn()
        assert.equal((await signed)?.id, newId)
        assert.deepEqual(await signing.idsOf('ada'), [newId])
      },
    },
    {
      name: `sign-in over the session of ${who}: when the store fails at the last step, only the new session works`,
      async run(harness) {
        const signing = await signingIn(harness, userId)
        let isFirst = true
        signing.driver.endUnchanged = (...args) => {
          if (!isFirst) return harness.driver.endUnchanged(...args)
          isFirst = false
          return failing()
        }
        const { id } = await signing.visit.signIn(input())
        assert.deepEqual(await signing.store.find(signing.old.ticket), { session: null, reason: 'revoked' })
        assert.equal((await signing.store.find(signing.ticket())).session?.id, id)
        assert.deepEqual(await signing.idsOf('ada'), [id])
      },
    },
  ]),
  {
    name: 'a planted session that an attacker never stops writing to does not keep the visitor from signing in',
    async run(harness) {
      const signing = await signingIn(harness)
      let writes = 0
      signing.driver.endUnchanged = async (...args) => {
        if (args[0].kind === 'anonymous' && writes < 100) {
          await signing.store.update(signing.old.ticket, (draft) => void (draft['cart'] = [++writes]))
        }
        return harness.driver.endUnchanged(...args)
      }
      const { id } = await signing.visit.signIn(input({ carry: ['cart'] }))
      assert.equal((await signing.store.find(signing.ticket())).session?.id, id)
      assert.deepEqual((await signing.store.find(signing.ticket())).session?.get('cart'), [writes])
      assert.deepEqual(await signing.store.find(signing.old.ticket), { session: null, reason: 'revoked' })
      assert.ok(writes < 100, 'the sign-in stops waiting for a pause of the attacker')
      assert.deepEqual(await signing.idsOf('ada'), [id])
    },
  },
  {
    name: 'a sign-in whose session has ended meanwhile leaves its tokens only to a user with another session',
    async run(harness) {
      const { store, keyring } = fixture(harness)
      const userKey = keyring.userKey('ada')
      const overtakenBy = (end: (sessionId: string) => Promise<unknown>): Promise<string> => {
        const beforeComplete = async (sessionId: string): Promise<void> => {
          await end(sessionId)
          await harness.putTokens(userKey)
        }
        return codeOf(store.signIn(null, { userId: 'ada', beforeComplete }))
      }
      for (const end of [() => store.revokeByUser('ada'), (sessionId: string) => store.revoke(sessionId)]) {
        assert.equal(await overtakenBy(end), 'COATCHECK_SESSION_ENDED')
        assert.equal(await harness.hasTokens(userKey), false)
      }
      await store.create({ userId: 'ada' })
      assert.equal(await overtakenBy((sessionId) => store.revoke(sessionId)), 'COATCHECK_SESSION_ENDED')
      assert.ok(await harness.hasTokens(userKey))
    },
  },
  {
    name: 'a sign-in that cannot clear away after itself says why it failed, and reports the rest',
    async run(harness) {
      const { driver } = harness
      const broken = { ...driver, end: () => Promise.reject(new RedisError('COATCHECK_REDIS_TIMEOUT')) }
      const { store, events } = fixture(harness, { driver: broken })
      const reported: unknown[] = []
      events.on('error', (event) => reported.push(event))
      const beforeComplete = (): Promise<unknown> => store.revokeByUser('ada')
      assert.equal(await codeOf(store.signIn(null, { userId: 'ada', beforeComplete })), 'COATCHECK_SESSION_ENDED')
      assert.deepEqual(reported, [{ code: 'COATCHECK_REDIS_TIMEOUT', operation: 'session.sign-in' }])
    },
  },
  {
    name: 'what is written to a carried field before completion moves along, and the old ticket never finds the user',
    async run(harness) {
      const signing = await signingIn(harness, undefined, { cart: ['a'] })
      const cart = ['a', 'b'] as readonly Json[]
      const { session } = signing.visit
      await signing.visit.signIn(
        input({
          carry: ['cart'],
          async beforeComplete() {
            await session.set('cart', cart)
            assert.equal((await signing.store.find(signing.old.ticket)).session?.user, null)
          },
        }),
      )
      assert.deepEqual((await signing.store.find(signing.ticket())).session?.get('cart'), cart)
      assert.deepEqual(await signing.store.find(signing.old.ticket), { session: null, reason: 'revoked' })
    },
  },
]
