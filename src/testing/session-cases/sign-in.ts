/** Sign-in: a new id and ticket, the old ticket invalid at once, only named fields carried over. */
import assert from 'node:assert/strict'
import { type Random, systemRandom } from '../../core/random.ts'
import type { ConformanceCase, SessionHarness } from '../conformance.ts'
import { equalJson } from '../equal-json.ts'
import { codeOf, fixture } from '../session-fixture.ts'
import type { TicketSink } from '../../session/types.ts'

const REVOKED = { session: null, reason: 'revoked' }

function recordingSink(): TicketSink & { readonly tickets: string[]; cleared: number } {
  const tickets: string[] = []
  return {
    tickets,
    cleared: 0,
    assertWritable: () => undefined,
    issue: (ticket) => void tickets.push(ticket),
    clear() {
      this.cleared++
    },
  }
}

/** Works for the given number of draws, and fails from then on. */
function failingRandom(working: number): { random: Random; draws: () => number } {
  let count = 0
  const bytes = (length: number): Buffer => {
    if (count >= working) throw new Error('no entropy')
    count++
    return systemRandom.bytes(length)
  }
  return { random: { bytes }, draws: () => count }
}

export const signInCases: readonly ConformanceCase<SessionHarness>[] = [
  {
    name: 'sign-in gives a new id and ticket; the anonymous ticket is dead at once',
    async run(harness) {
      const { store } = fixture(harness)
      const anonymous = await store.create({ data: { cart: ['a'], planted: 'by an attacker' } })
      const { ticket, session } = await store.signIn(anonymous.ticket, {
        userId: 'ada',
        profile: { name: 'Ada' },
        carry: ['cart'],
        authentication: { provider: 'entra', issuer: 'https://i', subject: 's', authenticatedAtMs: 1 },
      })
      assert.notEqual(session.id, anonymous.session.id)
      assert.deepEqual(await store.find(anonymous.ticket), REVOKED)
      const found = await store.find(ticket)
      equalJson(found.session?.user, { id: 'ada', name: 'Ada' })
      equalJson(found.session?.data, { cart: ['a'] })
      assert.equal(found.session?.authentication?.subject, 's')
    },
  },
  {
    name: 'when the system has no random bytes, at whatever draw, no user is signed in and nothing is stored',
    async run(harness) {
      const { random, draws } = failingRandom(Infinity)
      await fixture(harness, { random }).store.signIn(null, { userId: 'counted' })
      assert.ok(draws() > 1)
      for (let failing = 0; failing < draws(); failing++) {
        const { store } = fixture(harness, { random: failingRandom(failing).random })
        await assert.rejects(store.signIn(null, { userId: 'ada' }), /no entropy/)
        assert.deepEqual(await store.listByUser('ada'), [])
      }
    },
  },
  {
    name: 'a request of the anonymous session that is still running can neither write nor bring it back',
    async run(harness) {
      const { store } = fixture(harness)
      const anonymous = await store.create()
      const { session: inFlight } = await store.find(anonymous.ticket)
      await store.signIn(anonymous.ticket, { userId: 'ada' })
      assert.equal(await codeOf(inFlight?.set('a', 1) ?? Promise.resolve()), 'COATCHECK_SESSION_ENDED')
      assert.deepEqual(await store.find(anonymous.ticket), REVOKED)
    },
  },
  {
    name: 'what is written to a carried field while sign-in is under way moves along',
    async run(harness) {
      const racing = { ...harness.driver }
      let raced = false
      const { store: other } = fixture(harness)
      const { store } = fixture(harness, { driver: racing })
      const anonymous = await store.create({ data: { cart: ['a'] } })
      racing.endUnchanged = async (...args) => {
        // The moment between the creation of the user's session and the end of the anonymous one.
        if (!raced) await other.update(anonymous.ticket, (draft) => void (draft['cart'] = ['a', 'b']))
        raced = true
        return harness.driver.endUnchanged(...args)
      }
      const { ticket, session } = await store.signIn(anonymous.ticket, { userId: 'ada', carry: ['cart'] })
      assert.deepEqual(session.get('cart'), ['a', 'b'])
      assert.deepEqual((await store.find(ticket)).session?.get('cart'), ['a', 'b'])
    },
  },
  {
    name: 'nothing is carried over from the session of another user',
    async run(harness) {
      const { store } = fixture(harness)
      const ada = await store.signIn(null, { userId: 'ada', data: { cart: ['hers'] } })
      const grace = await store.signIn(ada.ticket, { userId: 'grace', carry: ['cart'] })
      equalJson(grace.session.data, {})
      assert.deepEqual(await store.find(ada.ticket), REVOKED)
    },
  },
  {
    name: 'a dead or foreign ticket is no obstacle to signing in',
    async run(harness) {
      const { store } = fixture(harness)
      for (const ticket of [null, 'nonsense']) assert.ok((await store.signIn(ticket, { userId: 'ada' })).ticket)
      assert.equal((await store.listByUser('ada')).length, 2)
    },
  },
  {
    name: 'a visitor without a session costs nothing until something is stored',
    async run(harness) {
      const { store } = fixture(harness)
      const sink = recordingSink()
      const visit = await store.visit(null, sink)
      assert.equal(visit.session.id, null)
      equalJson(visit.session.data, {})
      assert.equal(visit.reason, 'none')
      assert.equal(sink.tickets.length, 0)
      await visit.session.set('a', 1)
      assert.equal(sink.tickets.length, 1)
      equalJson((await store.find(sink.tickets[0] ?? '')).session?.data, { a: 1 })
    },
  },
  {
    name: 'parallel first writes of one request make one session with all of them',
    async run(harness) {
      const { store } = fixture(harness)
      const sink = recordingSink()
      const { session } = await store.visit(null, sink)
      await Promise.all(['a', 'b', 'c', 'd'].map((field, i) => session.set(field, i)))
      assert.equal(sink.tickets.length, 1)
      equalJson((await store.find(sink.tickets[0] ?? '')).session?.data, { a: 0, b: 1, c: 2, d: 3 })
    },
  },
  {
    name: 'a visit signs in, rotates and signs out; each new ticket goes to the sink',
    async run(harness) {
      const { store } = fixture(harness)
      const sink = recordingSink()
      const visit = await store.visit(null, sink, () => ({ browser: 'Chromium' }))
      await visit.session.set('cart', ['a'])
      await visit.signIn({ userId: 'ada', carry: ['cart'] })
      await visit.rotate({ immediate: true })
      assert.equal(new Set(sink.tickets).size, 3)
      assert.deepEqual(await store.find(sink.tickets[0] ?? ''), REVOKED)
      assert.deepEqual(await store.find(sink.tickets[1] ?? ''), REVOKED)
      assert.equal((await store.listByUser('ada'))[0]?.device.browser, 'Chromium')
      assert.deepEqual(await visit.signOut(), { count: 1, durable: false })
      assert.equal(sink.cleared, 1)
      assert.equal(visit.session.user, null)
      assert.deepEqual(await store.find(sink.tickets[2] ?? ''), REVOKED)
    },
  },
  {
    name: 'when the headers have left, nothing is stored that would need a new ticket',
    async run(harness) {
      const { store } = fixture(harness)
      const sink = recordingSink()
      sink.assertWritable = () => {
        throw Object.assign(new Error('sent'), { code: 'COATCHECK_HEADERS_SENT' })
      }
      const visit = await store.visit(null, sink)
      assert.equal(await codeOf(visit.session.set('a', 1)), 'COATCHECK_HEADERS_SENT')
      assert.equal(await codeOf(visit.signIn({ userId: 'ada' })), 'COATCHECK_HEADERS_SENT')
      assert.equal((await store.listByUser('ada')).length, 0)
    },
  },
]
