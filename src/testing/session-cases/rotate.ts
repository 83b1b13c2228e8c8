/** Rotation: after a lost response the user stays signed in, and after a privilege change no old ticket remains valid. */
import assert from 'node:assert/strict'
import type { ConformanceCase, SessionHarness } from '../conformance.ts'
import { equalJson } from '../equal-json.ts'
import { codeOf, fixture, HOUR } from '../session-fixture.ts'

const REVOKED = { session: null, reason: 'revoked' }

export const rotateCases: readonly ConformanceCase<SessionHarness>[] = [
  {
    name: 'the old ticket works until the new one is seen, then for ten seconds',
    async run(harness) {
      const { store } = fixture(harness)
      const { ticket: old, session } = await store.create({ userId: 'ada', data: { a: 1 } })
      const { ticket: fresh, session: rotated } = await store.rotate(old)
      assert.equal(rotated.id, session.id)
      assert.notEqual(fresh, old)
      await harness.advance(HOUR)
      assert.ok((await store.find(old)).session, 'the response was lost: no client has the new ticket')
      assert.equal((await store.find(fresh)).session?.get('a'), 1)
      await harness.advance(9_999)
      assert.ok((await store.find(old)).session, 'within the grace')
      await harness.advance(1)
      assert.deepEqual(await store.find(old), REVOKED)
      assert.ok((await store.find(fresh)).session)
    },
  },
  {
    name: 'several lost rotations in a row sign no user out',
    async run(harness) {
      const { store } = fixture(harness)
      const { ticket } = await store.create({ userId: 'ada' })
      for (let i = 0; i < 10; i++) await store.rotate(ticket)
      assert.ok((await store.find(ticket)).session)
      const { ticket: last } = await store.rotate(ticket)
      assert.ok((await store.find(last)).session)
    },
  },
  {
    name: 'two rotations whose responses arrive in either order leave the visitor signed in',
    async run(harness) {
      const { store } = fixture(harness)
      for (const order of [0, 1]) {
        const { ticket } = await store.create({ userId: 'ada' })
        const both = await Promise.all([store.rotate(ticket), store.rotate(ticket)])
        const [first, second] = order === 0 ? both : [...both].reverse()
        assert.ok((await store.find(first?.ticket ?? '')).session)
        await harness.advance(60_000)
        assert.ok((await store.find(second?.ticket ?? '')).session)
        assert.deepEqual(await store.find(ticket), REVOKED)
      }
    },
  },
  {
    name: 'a rotation keeps data that is written at the same moment',
    async run(harness) {
      const { store } = fixture(harness)
      const { ticket, session } = await store.create({ userId: 'ada' })
      const [rotated] = await Promise.all([
        store.rotate(ticket),
        session.set('a', 1),
        store.update(ticket, (d) => void (d['b'] = 2)),
      ])
      equalJson((await store.find(rotated.ticket)).session?.data, { a: 1, b: 2 })
    },
  },
  {
    name: 'an immediate rotation kills every older ticket at once, pending ones too',
    async run(harness) {
      const { store } = fixture(harness)
      const { ticket: old } = await store.create({ userId: 'ada' })
      const { ticket: pending } = await store.rotate(old)
      const { ticket: fresh } = await store.rotate(old, { immediate: true })
      assert.deepEqual(await store.find(old), REVOKED)
      assert.deepEqual(await store.find(pending), REVOKED)
      assert.ok((await store.find(fresh)).session)
    },
  },
  {
    name: 'a request that came in with the old ticket writes nothing after an immediate rotation',
    async run(harness) {
      const { store } = fixture(harness)
      const { ticket: old } = await store.create({ userId: 'ada' })
      const { session: inFlight } = await store.find(old)
      const { ticket: fresh } = await store.rotate(old, { immediate: true })
      assert.equal(await codeOf(inFlight?.set('a', 1) ?? Promise.resolve()), 'COATCHECK_SESSION_ENDED')
      equalJson((await store.find(fresh)).session?.data, {})
    },
  },
  {
    name: 'rotation moves neither the absolute end nor the creation time',
    async run(harness) {
      const { store } = fixture(harness)
      const { ticket, session } = await store.create({ userId: 'ada' })
      await harness.advance(7 * HOUR)
      const { ticket: fresh, session: rotated } = await store.rotate(ticket)
      assert.equal(rotated.createdAtMs, session.createdAtMs)
      for (let hour = 7; hour < 23; hour++) {
        await harness.advance(HOUR)
        assert.ok((await store.find(fresh)).session)
      }
      await harness.advance(HOUR)
      assert.deepEqual(await store.find(fresh), { session: null, reason: 'expired' })
    },
  },
]
