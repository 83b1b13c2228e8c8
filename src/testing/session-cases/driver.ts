/** Cases for the driver alone: parts of its contract that the session store does not expose. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { ConformanceCase, SessionHarness } from '../conformance.ts'
import { HOUR, MINUTE } from '../session-fixture.ts'
import type { SessionLife, SessionRef } from '../../session/session-driver.ts'

const LIFE: SessionLife = { ttlMs: HOUR, slackMs: MINUTE, absoluteMs: 3 * HOUR }
const ENDING = { reason: 'revoked', ttlMs: HOUR }

function newRef(userKey = 'user-key-is-0016'): SessionRef {
  return { kind: 'user', userKey, id: randomBytes(16).toString('base64url') }
}

const newRecord = (): Buffer => Buffer.concat([Buffer.alloc(8), randomBytes(60)])
const nonceOf = (record: Buffer): Buffer => record.subarray(13, 25)

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
]
