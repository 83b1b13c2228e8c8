/** What a `DocumentDriver` must do, and the sessions of hosts on top of it. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { EventBus } from '../core/events.ts'
import { systemRandom } from '../core/random.ts'
import type { DocumentDriver, DocumentRef } from '../documents/document-driver.ts'
import { createDocuments } from '../documents/documents.ts'
import { hostSessionCodec } from '../documents/host-session-record.ts'
import { createHostSessions, type HostSessions } from '../documents/host-sessions.ts'
import { createKeyring } from '../keyring/keyring.ts'
import { createSeal } from '../keyring/seal.ts'
import type { ConformanceCase } from './conformance.ts'
import type { FakeClock } from './fake-clock.ts'

/** What the cases of a document driver need. */
export interface DocumentHarness {
  /** The driver under test. */
  readonly driver: DocumentDriver
  /** The clock that the driver and the store share. */
  readonly clock: FakeClock
  /** Moves the clock and the store's own time. */
  advance(ms: number): Promise<void>
}

const ref: DocumentRef = { kind: 'test', name: 'n'.repeat(22) }
const record = (nonce: string): Buffer =>
  Buffer.concat([Buffer.alloc(5, 1), Buffer.from(nonce.padEnd(12)), randomBytes(20)])
const nonceIn = (bytes: Buffer): Buffer => bytes.subarray(5, 17)
const keyring = createKeyring(`test:${Buffer.alloc(32, 7).fill(9, 16).toString('base64')}`)
const seal = createSeal(keyring)

function hostSessions({ driver, clock }: DocumentHarness): HostSessions {
  const events = new EventBus()
  const documents = createDocuments({ driver, keyring, seal, namespace: '', events }, 'host', hostSessionCodec)
  return createHostSessions({ documents, kind: 'host', clock, random: systemRandom, events })
}

const dataOf = (found: { readonly json: string } | null): Record<string, unknown> =>
  JSON.parse(found?.json ?? '{}') as Record<string, unknown>

const driverCases: readonly ConformanceCase<DocumentHarness>[] = [
  {
    name: 'a document is read as it was written, until its time is over',
    async run({ driver, advance }) {
      const first = record('one')
      assert.equal(await driver.read(ref), null)
      assert.deepEqual(await driver.write(ref, first, { ttlMs: 1000 }), { status: 'done' })
      assert.deepEqual(await driver.read(ref), first)
      await advance(1001)
      assert.equal(await driver.read(ref), null)
      await driver.write(ref, first, { ttlMs: null })
      await advance(86_400_000)
      assert.deepEqual(await driver.read(ref), first)
    },
  },
  {
    name: 'compare and set on the nonce; a write that has happened is done again',
    async run({ driver }) {
      const [first, second, third] = [record('one'), record('two'), record('three')]
      assert.deepEqual(await driver.write(ref, second, { ttlMs: 1000, expect: nonceIn(first) }), { status: 'gone' })
      await driver.write(ref, first, { ttlMs: 1000, expect: 'absent' })
      assert.deepEqual(await driver.write(ref, second, { ttlMs: 1000, expect: 'absent' }), {
        status: 'conflict',
        current: first,
      })
      assert.deepEqual(await driver.write(ref, second, { ttlMs: 1000, expect: nonceIn(first) }), { status: 'done' })
      assert.deepEqual(await driver.write(ref, second, { ttlMs: 1000, expect: nonceIn(first) }), { status: 'done' })
      assert.deepEqual(await driver.write(ref, third, { ttlMs: 1000, expect: nonceIn(first) }), {
        status: 'conflict',
        current: second,
      })
    },
  },
  {
    name: 'of many who take a document one gets it',
    async run({ driver }) {
      await driver.write(ref, record('one'), { ttlMs: 1000 })
      const taken = await Promise.all(Array.from({ length: 20 }, () => driver.take(ref)))
      assert.equal(taken.filter((one) => one !== null).length, 1)
      assert.equal(await driver.read(ref), null)
    },
  },
  {
    name: 'what was ended does not come back while that is remembered; what was removed does',
    async run({ driver, advance }) {
      await driver.write(ref, record('one'), { ttlMs: 10_000 })
      assert.equal(await driver.end(ref, 5000), true)
      assert.equal(await driver.end(ref, 5000), false)
      assert.equal(await driver.read(ref), null)
      assert.equal(await driver.take(ref), null)
      assert.deepEqual(await driver.write(ref, record('two'), { ttlMs: 1000 }), { status: 'ended' })
      assert.deepEqual(await driver.write(ref, record('two'), { ttlMs: 1000, expect: 'absent' }), { status: 'ended' })
      await advance(5001)
      assert.deepEqual(await driver.write(ref, record('two'), { ttlMs: 1000 }), { status: 'done' })
      assert.equal(await driver.remove(ref), true)
      assert.equal(await driver.remove(ref), false)
      assert.equal(await driver.end(ref, 5000), false)
      assert.deepEqual(await driver.write(ref, record('three'), { ttlMs: 1000 }), { status: 'done' })
      await driver.remove(ref)
      assert.equal(await driver.end(ref, 5000, true), false)
      assert.deepEqual(await driver.write(ref, record('three'), { ttlMs: 1000 }), { status: 'ended' })
      await driver.remove(ref)
      assert.deepEqual(await driver.write(ref, record('three'), { ttlMs: 1000 }), { status: 'done' })
    },
  },
  {
    name: 'reopen() lets a creator store a new document under an ended name; it keeps a stored one, and a later ending counts',
    async run({ driver }) {
      const first = record('one')
      await driver.reopen(ref)
      await driver.write(ref, first, { ttlMs: 10_000 })
      await driver.reopen(ref)
      assert.deepEqual(await driver.read(ref), first)
      await driver.end(ref, 5000)
      await driver.reopen(ref)
      assert.deepEqual(await driver.write(ref, record('late'), { ttlMs: 1000, expect: nonceIn(first) }), {
        status: 'gone',
      })
      assert.deepEqual(await driver.write(ref, record('new'), { ttlMs: 1000 }), { status: 'done' })
      await driver.end(ref, 5000)
      assert.deepEqual(await driver.write(ref, record('newer'), { ttlMs: 1000 }), { status: 'ended' })
    },
  },
  {
    name: 'a counter counts each one, and its life begins with the first',
    async run({ driver, advance }) {
      assert.equal(await driver.counted(ref), null)
      const counts = await Promise.all(Array.from({ length: 10 }, () => driver.count(ref, 1000)))
      assert.deepEqual(
        counts.sort((a, b) => a - b),
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
      )
      await advance(600)
      assert.equal(await driver.count(ref, 1000), 11)
      assert.equal(await driver.counted(ref), 11)
      await advance(600)
      assert.equal(await driver.count(ref, 1000), 1)
    },
  },
  {
    name: 'a set has the members whose time is not over, the longest-living first',
    async run({ driver, advance }) {
      await driver.enter(ref, 'short', 1000)
      await driver.enter(ref, 'long', 3000)
      await driver.enter(ref, 'for ever', null)
      assert.deepEqual(await driver.members(ref), ['for ever', 'long', 'short'])
      await driver.enter(ref, 'short', 5000)
      assert.deepEqual(await driver.members(ref), ['for ever', 'short', 'long'])
      await advance(3500)
      assert.deepEqual(await driver.members(ref), ['for ever', 'short'])
      await driver.leave(ref, ['for ever', 'nobody'])
      await driver.leave(ref, [])
      assert.deepEqual(await driver.members(ref), ['short'])
      await advance(2000)
      assert.deepEqual(await driver.members(ref), [])
    },
  },
  {
    name: 'a driver refuses a time to live that is no duration, and stores nothing',
    async run({ driver }) {
      const refused = { code: 'COATCHECK_INVALID_ARGUMENT' }
      for (const ttlMs of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1, 2 ** 53]) {
        await assert.rejects(driver.write(ref, record('one'), { ttlMs }), refused)
        await assert.rejects(driver.count(ref, ttlMs), refused)
        await assert.rejects(driver.enter(ref, 'member', ttlMs), refused)
        await assert.rejects(driver.end(ref, ttlMs, true), refused)
      }
      assert.equal(await driver.read(ref), null)
      assert.equal(await driver.counted(ref), null)
      assert.deepEqual(await driver.members(ref), [])
      assert.deepEqual(await driver.write(ref, record('one'), { ttlMs: 1000 }), { status: 'done' })
    },
  },
  {
    name: 'names are those of the kind, and of no other',
    async run({ driver }) {
      const names = Array.from({ length: 30 }, (_, index) => `name${index}`)
      for (const name of names) await driver.write({ kind: 'test', name }, record(name), { ttlMs: 1000 })
      await driver.write({ kind: 'test-other', name: 'x' }, record('x'), { ttlMs: 1000 })
      await driver.enter({ kind: 'test', name: 'set' }, 'member', 1000)
      const found = new Set<string>()
      for await (const name of driver.names('test')) found.add(name)
      assert.deepEqual([...found].sort(), [...names].sort())
    },
  },
]

const hostCases: readonly ConformanceCase<DocumentHarness>[] = [
  {
    name: 'a session of a host: saved, found, touched to the millisecond, ended',
    async run(harness) {
      const sessions = hostSessions(harness)
      assert.equal(await sessions.find('sid'), null)
      await sessions.save('sid', JSON.stringify({ a: 1 }), { ttlMs: 1000 })
      const found = await sessions.find('sid')
      assert.deepEqual(dataOf(found), { a: 1 })
      await harness.advance(800)
      assert.equal(await sessions.touch('sid', 1000, found), true)
      await harness.advance(800)
      assert.deepEqual(dataOf(await sessions.find('sid')), { a: 1 })
      await harness.advance(201)
      assert.equal(await sessions.find('sid'), null)
      assert.equal(await sessions.touch('sid', 1000), false)
    },
  },
  {
    name: 'changes to different fields of one session are all kept',
    async run(harness) {
      const sessions = hostSessions(harness)
      await sessions.save('sid', JSON.stringify({ n: { zero: 0 } }), { ttlMs: 1000 })
      const handed = await Promise.all(Array.from({ length: 8 }, () => sessions.find('sid')))
      await Promise.all(
        handed.map((known, index) =>
          sessions.save(
            'sid',
            JSON.stringify({ ...dataOf(known), [`k${index}`]: 1, n: { zero: 0, [`n${index}`]: 1 } }),
            { ttlMs: 1000, known },
          ),
        ),
      )
      const { n, ...rest } = dataOf(await sessions.find('sid'))
      assert.equal(Object.keys(rest).length, 8)
      assert.equal(Object.keys(n as object).length, 9)
    },
  },
  {
    name: 'a session that was ended, or whose time is over, is brought back by nobody',
    async run(harness) {
      const sessions = hostSessions(harness)
      await sessions.save('sid', JSON.stringify({ a: 1 }), { ttlMs: 1000 })
      const known = await sessions.find('sid')
      assert.equal(await sessions.end('sid'), true)
      assert.equal(await sessions.save('sid', JSON.stringify({ a: 2 }), { ttlMs: 1000, known }), null)
      assert.equal(await sessions.save('sid', JSON.stringify({ a: 2 }), { ttlMs: 1000 }), null)
      assert.equal(await sessions.touch('sid', 1000, known), false)
      assert.equal(await sessions.find('sid'), null)

      await sessions.save('other', JSON.stringify({ a: 1 }), { ttlMs: 1000 })
      const late = await sessions.find('other')
      await harness.advance(1001)
      assert.equal(await sessions.save('other', JSON.stringify({ a: 2 }), { ttlMs: 1000, known: late }), null)
      assert.equal(await sessions.find('other'), null)
    },
  },
  ...[undefined, 'ada'].map((userId): ConformanceCase<DocumentHarness> => {
    const options = { ttlMs: 1000, ...(userId !== undefined && { userId }) }
    return {
      name: `a new session${userId ? ' of a user' : ''} takes the place of an ended one of its id; late writes of the ended one do not reach it`,
      async run(harness) {
        const sessions = hostSessions(harness)
        await sessions.save('sid', JSON.stringify({ old: 1 }), options)
        const late = await sessions.find('sid')
        await sessions.end('sid')
        assert.equal(await sessions.save('sid', JSON.stringify({ zombie: 1 }), options), null)

        const created = await sessions.save('sid', JSON.stringify({ new: 1 }), { ...options, isNew: true })
        assert.notEqual(created, null)
        const lateWrite = { ...options, userId: 'mallory', known: late }
        assert.equal(await sessions.save('sid', JSON.stringify({ old: 1, late: 1 }), lateWrite), null)
        assert.equal(await sessions.touch('sid', 500_000, late), false)
        assert.deepEqual(dataOf(await sessions.find('sid')), { new: 1 })
        assert.deepEqual(await sessions.listByUser('mallory'), [])
        assert.equal((await sessions.listByUser('ada')).length, userId ? 1 : 0)

        await sessions.save('sid', JSON.stringify({ new: 2 }), { ...options, known: created })
        assert.deepEqual(dataOf(await sessions.find('sid')), { new: 2 })
        assert.equal(await sessions.end('sid'), true)
        assert.equal(await sessions.save('sid', JSON.stringify({ new: 3 }), { ...options, known: created }), null)
        assert.equal(await sessions.find('sid'), null)
      },
    }
  }),
  {
    name: 'a session that is created again while all sessions of its user are ended stays ended',
    async run(harness) {
      const driver = { ...harness.driver }
      const [sessions, operator] = [hostSessions({ ...harness, driver }), hostSessions(harness)]
      await sessions.save('sid', JSON.stringify({}), { ttlMs: 1000, userId: 'ada' })
      await sessions.end('sid')
      driver.enter = async (...args) => {
        await harness.driver.enter(...args)
        await operator.revokeByUser('ada')
      }
      const options = { ttlMs: 1000, userId: 'ada', isNew: true }
      assert.equal(await sessions.save('sid', JSON.stringify({}), options), null)
      assert.equal(await sessions.find('sid'), null)
    },
  },
  {
    name: 'the end of all sessions of a user spares an id that another user has by now',
    async run(harness) {
      const sessions = hostSessions(harness)
      await sessions.save('sid', JSON.stringify({}), { ttlMs: 1000, userId: 'ada' })
      await sessions.end('sid')
      await sessions.save('sid', JSON.stringify({ of: 'grace' }), { ttlMs: 1000, userId: 'grace', isNew: true })
      assert.equal(await sessions.revokeByUser('ada'), 0)
      assert.deepEqual(dataOf(await sessions.find('sid')), { of: 'grace' })
      assert.equal(await sessions.revokeByUser('grace'), 1)
    },
  },
  {
    name: 'sessions of a user are listed, and ended exactly',
    async run(harness) {
      const sessions = hostSessions(harness)
      for (let index = 0; index < 5; index++) {
        await sessions.save(`sid${index}`, JSON.stringify({ index }), { ttlMs: 10_000, userId: 'ada' })
      }
      await sessions.save('grace', JSON.stringify({}), { ttlMs: 10_000, userId: 'grace' })
      const listed = await sessions.listByUser('ada')
      assert.deepEqual(listed.map(({ data }) => data['index']).sort(), [0, 1, 2, 3, 4])
      assert.ok(!JSON.stringify(listed).includes('sid'))
      assert.equal(await sessions.revokeByUser('ada', { except: sessions.idOf('sid3') }), 4)
      assert.deepEqual(
        (await sessions.listByUser('ada')).map(({ data }) => data['index']),
        [3],
      )
      for (const hostile of ['', '*', `${sessions.idOf('sid3')}:x`, sessions.idOf('sid3').slice(1)]) {
        assert.equal(await sessions.revoke(hostile), false)
      }
      assert.equal(await sessions.revoke(sessions.idOf('sid3')), true)
      assert.deepEqual(await sessions.listByUser('ada'), [])
      assert.notEqual(await sessions.find('grace'), null)
    },
  },
  {
    name: 'a session that changes hands is listed with its new user only; touched for long, it stays listed',
    async run(harness) {
      const sessions = hostSessions(harness)
      let known = await sessions.save('sid', JSON.stringify({}), { ttlMs: 1000, userId: 'ada' })
      for (let round = 0; round < 6; round++) {
        await harness.advance(700)
        assert.equal(await sessions.touch('sid', 1000, known), true)
      }
      assert.equal((await sessions.listByUser('ada')).length, 1)
      known = await sessions.save('sid', JSON.stringify({}), { ttlMs: 1000, userId: 'grace', known })
      assert.equal((await sessions.listByUser('ada')).length, 0)
      assert.equal((await sessions.listByUser('grace')).length, 1)
      await sessions.save('sid', JSON.stringify({}), { ttlMs: 1000, userId: null, known })
      assert.equal((await sessions.listByUser('grace')).length, 0)
      assert.notEqual(await sessions.find('sid'), null)
    },
  },
  {
    name: 'sign-ins at the same time as the end of all sessions: what is left is what came after',
    async run(harness) {
      const sessions = hostSessions(harness)
      for (let round = 0; round < 50; round++) {
        const user = `user${round}`
        const sids = Array.from({ length: 4 }, (_, index) => `${user}-${index}`)
        const saving = sids.map((sid) => sessions.save(sid, JSON.stringify({}), { ttlMs: 1000, userId: user }))
        await sessions.revokeByUser(user)
        const saved = await Promise.all(saving)
        const left = await sessions.listByUser(user)
        // Whoever was told that it is stored may still have been ended afterwards, and nobody is there who is not listed.
        const found = await Promise.all(sids.map((sid) => sessions.find(sid)))
        assert.equal(found.filter((one) => one !== null).length, left.length)
        assert.ok(left.length <= saved.filter((one) => one !== null).length)
        assert.equal(await sessions.revokeByUser(user), left.length)
        assert.deepEqual(await sessions.listByUser(user), [])
      }
    },
  },
  {
    name: 'all are counted and removed, ended ones are not counted',
    async run(harness) {
      const sessions = hostSessions(harness)
      for (let index = 0; index < 5; index++)
        await sessions.save(`sid${index}`, JSON.stringify({ index }), { ttlMs: 10_000 })
      await sessions.end('sid0')
      const indexes: unknown[] = []
      for await (const { data } of sessions.all()) indexes.push(data['index'])
      assert.deepEqual(indexes.sort(), [1, 2, 3, 4])
      await sessions.clear()
      for await (const one of sessions.all()) assert.fail(one.id)
      assert.notEqual(await sessions.save('sid0', JSON.stringify({}), { ttlMs: 1000 }), null)
    },
  },
]

/** Cases of document drivers and of the sessions of other libraries. */
export const documentCases: readonly ConformanceCase<DocumentHarness>[] = [...driverCases, ...hostCases]
