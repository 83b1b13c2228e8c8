/** Ending and listing: exactly the requested sessions, at once, with their tokens. */
import assert from 'node:assert/strict'
import type { ConformanceCase, SessionHarness } from '../conformance.ts'
import { equalJson } from '../equal-json.ts'
import { codeOf, fixture, HOUR } from '../session-fixture.ts'

const REVOKED = { session: null, reason: 'revoked' }

export const endCases: readonly ConformanceCase<SessionHarness>[] = [
  {
    name: 'a revoked session is gone at once, revoking again ends nothing, the others stay',
    async run(harness) {
      const { store } = fixture(harness)
      const one = await store.create({ userId: 'ada' })
      const two = await store.create({ userId: 'ada' })
      assert.deepEqual(await store.revoke(one.session.id ?? '', 'laptop lost'), { count: 1, durable: false })
      assert.deepEqual(await store.revoke(one.session.id ?? ''), { count: 0, durable: false })
      assert.deepEqual(await store.find(one.ticket), REVOKED)
      assert.ok((await store.find(two.ticket)).session)
      assert.deepEqual(await store.revoke('no session id'), { count: 0, durable: false })
    },
  },
  {
    name: 'revoked stays revoked for as long as the ticket lives',
    async run(harness) {
      const { store } = fixture(harness)
      const { ticket, session } = await store.create({ userId: 'ada' })
      await store.create({ userId: 'ada' })
      await store.revoke(session.id ?? '')
      for (let hour = 0; hour < 23; hour++) {
        await harness.advance(HOUR)
        assert.deepEqual(await store.find(ticket), REVOKED, `hour ${hour + 1}`)
      }
    },
  },
  {
    name: 'list shows the live sessions of one user, latest deadline first, with their devices',
    async run(harness) {
      const { store } = fixture(harness)
      const old = await store.create({ userId: 'ada', device: { browser: 'Edge', system: 'Windows' } })
      await harness.advance(HOUR)
      const fresh = await store.create({ userId: 'ada' })
      await store.create({ userId: 'grace' })
      const list = await store.listByUser('ada')
      assert.deepEqual(
        list.map((info) => info.id),
        [fresh.session.id, old.session.id],
      )
      equalJson(list[1]?.device, { browser: 'Edge', system: 'Windows' })
      assert.equal(list[0]?.createdAtMs, harness.clock.now())
      await harness.advance(7 * HOUR)
      assert.deepEqual(
        (await store.listByUser('ada')).map((info) => info.id),
        [fresh.session.id],
      )
      assert.deepEqual(await store.listByUser('nobody'), [])
    },
  },
  {
    name: 'revokeByUser ends all but the excepted one, exactly',
    async run(harness) {
      const { store } = fixture(harness)
      const sessions = await Promise.all(
        Array.from({ length: 20 }, () => store.create({ userId: 'ada', data: { a: 1 } })),
      )
      const grace = await store.create({ userId: 'grace' })
      const kept = sessions[7]
      assert.deepEqual(await store.revokeByUser('ada', { except: kept?.session.id ?? '' }), {
        count: 19,
        durable: false,
      })
      for (const { ticket } of sessions) {
        const found = await store.find(ticket)
        if (ticket === kept?.ticket) assert.equal(found.session?.get('a'), 1)
        else assert.deepEqual(found, REVOKED)
      }
      await kept?.session.set('b', 2)
      assert.deepEqual(
        (await store.listByUser('ada')).map((info) => info.id),
        [kept?.session.id],
      )
      assert.ok((await store.find(grace.ticket)).session)
    },
  },
  {
    name: 'revokeByUser without except ends all; in-flight requests write nothing; a later sign-in lives',
    async run(harness) {
      const { store } = fixture(harness)
      const { ticket, session } = await store.create({ userId: 'ada' })
      const second = await store.create({ userId: 'ada' })
      assert.deepEqual(await store.revokeByUser('ada', { reason: 'disabled' }), { count: 2, durable: false })
      assert.equal(await codeOf(session.set('a', 1)), 'COATCHECK_SESSION_ENDED')
      assert.deepEqual(await store.find(ticket), REVOKED)
      assert.deepEqual(await store.find(second.ticket), REVOKED)
      assert.deepEqual(await store.listByUser('ada'), [])
      assert.deepEqual(await store.revokeByUser('ada'), { count: 0, durable: false })
      const later = await store.create({ userId: 'ada' })
      assert.ok((await store.find(later.ticket)).session)
      assert.deepEqual(await store.find(ticket), REVOKED)
    },
  },
  {
    name: 'an except that is not alive keeps nothing; one of another user is a misuse',
    async run(harness) {
      const { store } = fixture(harness)
      const dead = await store.create({ userId: 'ada' })
      const live = await store.create({ userId: 'ada' })
      const grace = await store.create({ userId: 'grace' })
      await store.revoke(dead.session.id ?? '')
      assert.equal(
        await codeOf(store.revokeByUser('ada', { except: grace.session.id ?? '' })),
        'COATCHECK_INVALID_ARGUMENT',
      )
      assert.equal((await store.revokeByUser('ada', { except: dead.session.id ?? '' })).count, 1)
      assert.deepEqual(await store.find(live.ticket), REVOKED)
    },
  },
  {
    name: 'twenty sign-ins racing revokeByUser: what was created before is dead, what came after lives and is listed',
    async run(harness) {
      const { store } = fixture(harness)
      const creating = Array.from({ length: 20 }, () => store.create({ userId: 'ada' }))
      const revoked = store.revokeByUser('ada')
      const created = await Promise.all(creating)
      const { count } = await revoked
      const alive = (await Promise.all(created.map(({ ticket }) => store.find(ticket)))).filter(
        ({ session }) => session,
      )
      assert.equal(alive.length + count, 20)
      assert.equal((await store.listByUser('ada')).length, alive.length)
    },
  },
  {
    name: 'a user of 1,000 sessions is ended in one call',
    async run(harness) {
      const { store } = fixture(harness)
      const sessions = await Promise.all(Array.from({ length: 1000 }, () => store.create({ userId: 'ada' })))
      assert.equal((await store.listByUser('ada')).length, 1000)
      assert.equal((await store.revokeByUser('ada')).count, 1000)
      for (const { ticket } of [sessions[0], sessions[500], sessions[999]].flatMap((s) => s ?? [])) {
        assert.deepEqual(await store.find(ticket), REVOKED)
      }
    },
  },
  {
    name: 'the tokens go with the last session and stay with one of several',
    async run(harness) {
      const { store, keyring } = fixture(harness)
      const userKey = keyring.userKey('ada')
      const one = await store.create({ userId: 'ada' })
      const two = await store.create({ userId: 'ada' })
      await harness.putTokens(userKey)
      await store.revoke(one.session.id ?? '')
      assert.ok(await harness.hasTokens(userKey))
      await store.revoke(two.session.id ?? '')
      assert.equal(await harness.hasTokens(userKey), false)
      const three = await store.create({ userId: 'ada' })
      await store.create({ userId: 'ada' })
      await harness.putTokens(userKey)
      await store.revokeByUser('ada', { except: three.session.id ?? '' })
      assert.ok(await harness.hasTokens(userKey))
      await store.revokeByUser('ada')
      assert.equal(await harness.hasTokens(userKey), false)
    },
  },
  {
    name: 'ending a session that never was ends nothing and deletes no tokens',
    async run(harness) {
      const { store, keyring } = fixture(harness)
      const userKey = keyring.userKey('ada')
      await harness.putTokens(userKey)
      assert.equal((await store.revoke(`${userKey}.${'A'.repeat(22)}`)).count, 0)
      assert.ok(await harness.hasTokens(userKey))
    },
  },
]
