/** The limit of concurrent sessions: exact under parallel sign-ins. */
import assert from 'node:assert/strict'
import type { ConformanceCase, SessionHarness } from '../conformance.ts'
import { codeOf, fixture, MINUTE } from '../session-fixture.ts'

export const limitCases: readonly ConformanceCase<SessionHarness>[] = [
  {
    name: 'end-oldest: the new session lives, the least recently used one is ended',
    async run(harness) {
      const { store, events } = fixture(harness, { policy: { limit: { max: 2, action: 'end-oldest' } } })
      const ended: string[] = []
      events.on('session.ended', ({ sessionId, reason }) => ended.push(`${reason}:${sessionId}`))
      const first = await store.create({ userId: 'ada' })
      await harness.advance(MINUTE)
      const second = await store.create({ userId: 'ada' })
      await harness.advance(60 * MINUTE)
      assert.ok((await store.find(first.ticket)).session, 'a visit makes it the younger one')
      const third = await store.create({ userId: 'ada' })
      assert.deepEqual(await store.find(second.ticket), { session: null, reason: 'revoked' })
      assert.ok((await store.find(first.ticket)).session)
      assert.ok((await store.find(third.ticket)).session)
      assert.deepEqual(ended, [`limit:${second.session.id}`])
    },
  },
  {
    name: 'refuse: no session is made and none is ended',
    async run(harness) {
      const { store } = fixture(harness, { policy: { limit: { max: 1, action: 'refuse' } } })
      const first = await store.create({ userId: 'ada' })
      assert.equal(await codeOf(store.create({ userId: 'ada' })), 'COATCHECK_SESSION_LIMIT')
      assert.ok((await store.find(first.ticket)).session)
      await store.revoke(first.session.id ?? '')
      assert.ok((await store.create({ userId: 'ada' })).ticket)
    },
  },
  {
    name: 'signing in again from the same session does not count against the limit',
    async run(harness) {
      const { store } = fixture(harness, { policy: { limit: { max: 1, action: 'refuse' } } })
      const first = await store.signIn(null, { userId: 'ada' })
      const again = await store.signIn(first.ticket, { userId: 'ada' })
      assert.ok((await store.find(again.ticket)).session)
      assert.equal((await store.listByUser('ada')).length, 1)
    },
  },
  {
    name: 'a hundred parallel sign-ins under a limit of five leave exactly five',
    async run(harness) {
      const { store } = fixture(harness, { policy: { limit: { max: 5, action: 'end-oldest' } } })
      const sessions = await Promise.all(Array.from({ length: 100 }, () => store.create({ userId: 'ada' })))
      const found = await Promise.all(sessions.map(({ ticket }) => store.find(ticket)))
      assert.equal(found.filter(({ session }) => session).length, 5)
      assert.equal((await store.listByUser('ada')).length, 5)
    },
  },
  {
    name: 'anonymous sessions have no limit',
    async run(harness) {
      const { store } = fixture(harness, { policy: { limit: { max: 1, action: 'refuse' } } })
      await store.create()
      assert.ok((await store.create()).ticket)
    },
  },
]
