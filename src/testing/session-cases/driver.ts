/** Cases for the driver alone: how it stores, replaces, lists and expires records, which the session store does not expose. */
import assert from 'node:assert/strict'
import type { ConformanceCase, SessionHarness } from '../conformance.ts'
import { HOUR, MINUTE } from '../session-fixture.ts'
import { ENDING, LIFE, newRecord, newRef, nonceOf } from './driver-records.ts'

export const driverCases: readonly ConformanceCase<SessionHarness>[] = [
  {
    name: 'driver: a record comes back with the stored generation in front, as a Buffer of its own',
    async run({ driver }) {
      const ref = newRef()
      const record = newRecord()
      assert.deepEqual(await driver.create(ref, record, LIFE), { status: 'created', endedIds: [] })
      const read = await driver.read(ref)
      assert.ok(read.record && read.generation)
      assert.deepEqual(read.record.subarray(0, 8), read.generation)
      assert.deepEqual(read.record.subarray(8), record.subarray(8))
      record.fill(1)
      read.record.fill(2)
      assert.notDeepEqual((await driver.read(ref)).record?.subarray(8), record.subarray(8))
    },
  },
  {
    name: 'driver: absent names the sessions without a record, and no session that lives',
    async run({ driver, advance }) {
      const [lives, ended, idle, never] = [newRef(), newRef(), newRef(), newRef()]
      await driver.create(lives, newRecord(), { ...LIFE, ttlMs: 2 * HOUR })
      for (const ref of [ended, idle]) await driver.create(ref, newRecord(), LIFE)
      await driver.end(ended, ENDING)
      await advance(HOUR + 2 * MINUTE)
      const ids = [lives, ended, idle, never].map(({ id }) => id)
      assert.deepEqual([...(await driver.absent(lives.userKey, ids))].sort(), ids.slice(1).sort())
      assert.deepEqual(await driver.absent(lives.userKey, [lives.id]), [])
      assert.deepEqual(await driver.absent(lives.userKey, []), [])
    },
  },
  {
    name: 'driver: sessions of one user share a generation, users do not',
    async run({ driver }) {
      const [one, two, other] = [newRef(), newRef(), newRef('another-user-016')]
      for (const ref of [one, two, other]) await driver.create(ref, newRecord(), LIFE)
      const generations = await Promise.all(
        [one, two, other].map(async (ref) => (await driver.read(ref)).generation?.toString('hex')),
      )
      assert.equal(generations[0], generations[1])
      assert.notEqual(generations[0], generations[2])
    },
  },
  {
    name: 'driver: compare and set on the nonce; the current record comes with the conflict',
    async run({ driver }) {
      const ref = newRef()
      const [first, second, third] = [newRecord(), newRecord(), newRecord()]
      await driver.create(ref, first, LIFE)
      assert.equal((await driver.replace(ref, nonceOf(first), second, LIFE)).status, 'done')
      assert.equal((await driver.replace(ref, nonceOf(first), second, LIFE)).status, 'done', 'sent again')
      const reply = await driver.replace(ref, nonceOf(first), third, LIFE)
      assert.ok(reply.status === 'conflict')
      assert.deepEqual(reply.record.subarray(8), second.subarray(8))
      assert.deepEqual((await driver.read(ref)).record?.subarray(8), second.subarray(8))
    },
  },
  {
    name: 'driver: nothing is replaced that is not there, and nothing ended is created again',
    async run({ driver }) {
      const ref = newRef()
      const record = newRecord()
      assert.equal((await driver.replace(ref, nonceOf(record), newRecord(), LIFE)).status, 'gone')
      assert.equal((await driver.read(ref)).record, null)
      await driver.create(ref, record, LIFE)
      await driver.end(ref, ENDING)
      assert.equal((await driver.replace(ref, nonceOf(record), newRecord(), LIFE)).status, 'gone')
      assert.equal((await driver.create(ref, record, LIFE)).status, 'ended')
      assert.equal((await driver.create({ ...ref, kind: 'anonymous' }, record, LIFE)).status, 'ended')
      assert.equal((await driver.read(ref)).record, null)
    },
  },
  {
    name: 'driver: a record lives for its ttl and slack, the generation until the absolute end',
    async run({ driver, advance }) {
      const ref = newRef()
      await driver.create(ref, newRecord(), LIFE)
      await advance(HOUR + MINUTE - 1000)
      assert.ok((await driver.read(ref)).record)
      assert.equal((await driver.explain(ref)).index, 'expired')
      await advance(1000)
      assert.equal((await driver.read(ref)).record, null)
      assert.deepEqual(await driver.explain(ref), { ended: null, generation: 'present', index: 'expired' })
      await advance(2 * HOUR)
      assert.equal((await driver.explain(ref)).generation, 'missing')
    },
  },
  {
    name: 'driver: a replacement moves the deadline and keeps the generation alive',
    async run({ driver, advance }) {
      const ref = newRef()
      let record = newRecord()
      await driver.create(ref, record, LIFE)
      for (let hour = 0; hour < 3; hour++) {
        await advance(HOUR - MINUTE)
        const next = newRecord()
        assert.equal((await driver.replace(ref, nonceOf(record), next, LIFE)).status, 'done')
        record = next
      }
      await advance(HOUR - MINUTE)
      assert.equal((await driver.list(ref.userKey, 10)).length, 1)
    },
  },
  {
    name: 'driver: explain reports what happened',
    async run({ driver, loseEverything }) {
      const [live, ended] = [newRef(), newRef()]
      assert.deepEqual(await driver.explain(live), { ended: null, generation: 'missing', index: 'missing' })
      await driver.create(live, newRecord(), LIFE)
      await driver.create(ended, newRecord(), LIFE)
      await driver.end(ended, { reason: 'laptop lost', ttlMs: HOUR })
      assert.deepEqual(await driver.explain(live), { ended: null, generation: 'present', index: 'live' })
      assert.deepEqual(await driver.explain(ended), { ended: 'laptop lost', generation: 'present', index: 'missing' })
      await loseEverything()
      assert.deepEqual(await driver.explain(ended), { ended: null, generation: 'missing', index: 'missing' })
    },
  },
  {
    name: 'driver: list is bounded and ordered by deadline, latest first',
    async run({ driver }) {
      const refs = Array.from({ length: 5 }, () => newRef())
      for (const [i, ref] of refs.entries())
        await driver.create(ref, newRecord(), { ...LIFE, ttlMs: HOUR + i * MINUTE })
      const listed = await driver.list(refs[0]?.userKey ?? '', 3)
      assert.deepEqual(
        listed.map(({ id }) => id),
        [refs[4], refs[3], refs[2]].map((ref) => ref?.id),
      )
    },
  },
  {
    name: 'driver: ids of sessions that ran out are remembered until their absolute end, however many',
    async run({ driver, advance }) {
      const early = Array.from({ length: 12 }, () => newRef())
      for (const ref of early) await driver.create(ref, newRecord(), LIFE)
      await advance(HOUR + MINUTE)
      const late = Array.from({ length: 3 }, () => newRef())
      for (const ref of late) await driver.create(ref, newRecord(), LIFE)
      for (const ref of early) assert.equal((await driver.explain(ref)).index, 'expired')
      for (const ref of late) assert.equal((await driver.explain(ref)).index, 'live')
      await advance(3 * HOUR)
      const last = newRef()
      await driver.create(last, newRecord(), LIFE)
      for (const ref of early) assert.equal((await driver.explain(ref)).index, 'missing')
      for (const ref of late) assert.equal((await driver.explain(ref)).index, 'expired')
      assert.deepEqual(
        (await driver.list(last.userKey, 100)).map(({ id }) => id),
        [last.id],
      )
    },
  },
]
