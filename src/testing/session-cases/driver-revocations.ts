/** Cases for the driver alone: how it ends sessions, and what an ending leaves, which the session store does not expose. */
import assert from 'node:assert/strict'
import type { ConformanceCase, SessionHarness } from '../conformance.ts'
import { HOUR, MINUTE } from '../session-fixture.ts'
import type { SessionRef } from '../../session/session-driver.ts'
import { ENDING, LIFE, newRecord, newRef, nonceOf } from './driver-records.ts'

export const driverRevocationCases: readonly ConformanceCase<SessionHarness>[] = [
  {
    name: 'driver: ending with the nonce of an older record is a conflict and ends nothing',
    async run({ driver }) {
      const ref = newRef()
      const [first, second] = [newRecord(), newRecord()]
      await driver.create(ref, first, LIFE)
      await driver.replace(ref, nonceOf(first), second, LIFE)
      const reply = await driver.endUnchanged(ref, nonceOf(first), ENDING)
      assert.ok(reply.status === 'conflict')
      const ended = await driver.endUnchanged(ref, nonceOf(second), ENDING)
      assert.deepEqual(ended, { status: 'done', count: 1, lastOfUser: true, durable: false })
      const again = await driver.end(ref, ENDING)
      assert.deepEqual(again, { status: 'done', count: 0, lastOfUser: false, durable: false })
    },
  },
  {
    name: 'driver: ending an id that never existed writes nothing, whether or not the user has sessions',
    async run({ driver }) {
      for (const hasSessions of [false, true]) {
        if (hasSessions) await driver.create(newRef(), newRecord(), LIFE)
        const ref = newRef()
        const ended = await driver.end(ref, ENDING)
        assert.deepEqual(ended, { status: 'done', count: 0, lastOfUser: false, durable: false })
        assert.equal((await driver.explain(ref)).ended, null)
        assert.equal((await driver.create(ref, newRecord(), LIFE)).status, 'created', 'nothing refuses the id')
        await driver.end(ref, ENDING)
        await driver.end(ref, { ...ENDING, reason: 'again' })
        assert.notEqual((await driver.explain(ref)).ended, null)
        assert.equal((await driver.create(ref, newRecord(), LIFE)).status, 'ended')
      }
    },
  },
  {
    name: 'driver: ending an expired session leaves a marker; ending a lost one does if the caller has read it',
    async run({ driver, advance, loseEverything }) {
      const refs = Array.from({ length: 12 }, () => newRef())
      for (const ref of refs) await driver.create(ref, newRecord(), LIFE)
      await advance(HOUR + MINUTE)
      for (const ref of refs) {
        assert.equal((await driver.end(ref, ENDING)).status, 'done')
        assert.equal((await driver.explain(ref)).ended, 'revoked')
      }
      const [lost, seen] = [newRef(), newRef()]
      for (const ref of [lost, seen]) await driver.create(ref, newRecord(), LIFE)
      await loseEverything()
      await driver.end(lost, ENDING)
      await driver.end(seen, { ...ENDING, existed: true })
      assert.equal((await driver.explain(lost)).ended, null)
      assert.equal((await driver.explain(seen)).ended, 'revoked')
      assert.equal((await driver.create(seen, newRecord(), LIFE)).status, 'ended')
    },
  },
  {
    name: 'driver: many sessions of one user are listed, counted and ended like few',
    async run({ driver, hasTokens, putTokens }) {
      const refs = Array.from({ length: 12 }, () => newRef())
      const [{ userKey }] = refs as [SessionRef]
      const idsOf = (some: readonly SessionRef[]): string[] => some.map(({ id }) => id).reverse()
      const listed = async (): Promise<string[]> => (await driver.list(userKey, 100)).map(({ id }) => id)
      await putTokens(userKey)
      for (const [i, ref] of refs.entries()) {
        await driver.create(ref, newRecord(), { ...LIFE, ttlMs: HOUR + i * MINUTE })
        assert.deepEqual(await listed(), idsOf(refs.slice(0, i + 1)))
      }
      for (const [i, ref] of refs.entries()) {
        assert.equal((await driver.explain(ref)).index, 'live')
        const ended = await driver.end(ref, ENDING)
        assert.deepEqual(ended, { status: 'done', count: 1, lastOfUser: i === refs.length - 1, durable: false })
        assert.equal(await hasTokens(userKey), i < refs.length - 1)
        assert.deepEqual(await listed(), idsOf(refs.slice(i + 1)))
        assert.deepEqual(await driver.explain(ref), { ended: 'revoked', generation: 'present', index: 'missing' })
      }
      const later = newRef()
      await driver.create(later, newRecord(), LIFE)
      assert.deepEqual(await listed(), [later.id])
    },
  },
  {
    name: 'driver: a repeated ending of one session changes nothing of a later sign-in',
    async run({ driver, hasTokens, putTokens }) {
      const [ended, later] = [newRef(), newRef()]
      await driver.create(ended, newRecord(), LIFE)
      assert.equal((await driver.end(ended, ENDING)).status, 'done')
      await driver.create(later, newRecord(), LIFE)
      await putTokens(later.userKey)
      for (const existed of [false, true]) {
        const again = await driver.end(ended, { ...ENDING, existed })
        assert.deepEqual(again, { status: 'done', count: 0, lastOfUser: false, durable: false })
      }
      assert.ok(await hasTokens(later.userKey))
      assert.deepEqual(
        (await driver.list(later.userKey, 10)).map(({ id }) => id),
        [later.id],
      )
    },
  },
  {
    name: 'driver: ending a session that has ended takes the tokens only if the caller says so and none is left',
    async run({ driver, hasTokens, putTokens }) {
      const [ended, other] = [newRef(), newRef()]
      await driver.create(ended, newRecord(), LIFE)
      await driver.create(other, newRecord(), LIFE)
      await driver.end(ended, ENDING)
      await putTokens(ended.userKey)
      const taking = { ...ENDING, existed: true, takesTokens: true }
      assert.deepEqual(await driver.end(ended, taking), { status: 'done', count: 0, lastOfUser: false, durable: false })
      assert.ok(await hasTokens(ended.userKey))
      await driver.end(other, ENDING)
      await putTokens(ended.userKey)
      await driver.end(ended, { ...ENDING, existed: true })
      assert.ok(await hasTokens(ended.userKey))
      assert.deepEqual(await driver.end(ended, taking), { status: 'done', count: 0, lastOfUser: true, durable: false })
      assert.equal(await hasTokens(ended.userKey), false)
    },
  },
  {
    name: 'driver: of many sessions one stays, keeps its deadline, and others come again',
    async run({ driver, advance }) {
      const refs = Array.from({ length: 12 }, () => newRef())
      for (const [i, ref] of refs.entries())
        await driver.create(ref, newRecord(), { ...LIFE, ttlMs: HOUR + i * MINUTE })
      const stays = refs[3] ?? newRef()
      assert.equal((await driver.endByUser(stays.userKey, ENDING, stays.id)).count, 11)
      assert.equal((await driver.explain(stays)).index, 'live')
      const others = Array.from({ length: 9 }, () => newRef())
      for (const ref of others) await driver.create(ref, newRecord(), { ...LIFE, ttlMs: 2 * HOUR })
      assert.equal((await driver.list(stays.userKey, 100)).length, 10)
      await advance(HOUR + 3 * MINUTE)
      assert.equal((await driver.explain(stays)).index, 'expired')
      assert.equal((await driver.list(stays.userKey, 100)).length, 9)
      assert.equal((await driver.endByUser(stays.userKey, ENDING)).count, 9)
      assert.equal((await driver.list(stays.userKey, 100)).length, 0)
    },
  },
  {
    name: 'driver: the limit ends the earliest of many, and a replacement makes a session the latest',
    async run({ driver }) {
      const refs = Array.from({ length: 11 }, () => newRef())
      const limit = { max: 10, action: 'end-oldest' } as const
      const first = newRecord()
      for (const [i, ref] of refs.slice(0, 10).entries())
        await driver.create(ref, i === 0 ? first : newRecord(), { ...LIFE, ttlMs: HOUR + i * MINUTE }, limit)
      const [earliest, second] = refs as [SessionRef, SessionRef]
      const moved = { ...LIFE, ttlMs: 2 * HOUR }
      assert.equal((await driver.replace(earliest, nonceOf(first), newRecord(), moved)).status, 'done')
      const created = await driver.create(refs[10] ?? newRef(), newRecord(), LIFE, limit)
      assert.deepEqual(created, { status: 'created', endedIds: [second.id] })
      assert.equal((await driver.list(earliest.userKey, 1))[0]?.id, earliest.id)
      const refused = await driver.create(newRef(), newRecord(), LIFE, { max: 10, action: 'refuse' })
      assert.deepEqual(refused, { status: 'refused' })
    },
  },
  {
    name: 'driver: a limit of one keeps the tokens of the user, who has a session before and after',
    async run({ driver, hasTokens, putTokens }) {
      const [before, after] = [newRef(), newRef()]
      await driver.create(before, newRecord(), LIFE)
      await putTokens(before.userKey)
      const created = await driver.create(after, newRecord(), LIFE, { max: 1, action: 'end-oldest' })
      assert.deepEqual(created, { status: 'created', endedIds: [before.id] })
      assert.ok(await hasTokens(before.userKey))
      assert.equal((await driver.end(before, ENDING)).lastOfUser, false)
      await driver.end(after, ENDING)
      assert.equal(await hasTokens(before.userKey), false)
    },
  },
]
