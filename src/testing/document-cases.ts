/** What a `DocumentDriver` must do, and the sessions of hosts on top of it. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { RedisError } from '../core/errors.ts'
import { EventBus } from '../core/events.ts'
import { systemRandom } from '../core/random.ts'
import type { DocumentDriver, DocumentRef } from '../documents/document-driver.ts'
import { createDocuments, type Documents } from '../documents/documents.ts'
import { type HostSession, hostSessionCodec } from '../documents/host-session-record.ts'
import { createHostSessions, type HostSessions } from '../documents/host-sessions.ts'
import type { JsonObject } from '../documents/json-merge.ts'
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

function hostDocuments({ driver }: Pick<DocumentHarness, 'driver'>): Documents<HostSession> {
  return createDocuments({ driver, keyring, seal, namespace: '', events: new EventBus() }, 'host', hostSessionCodec)
}

function hostSessions(harness: DocumentHarness, events = new EventBus()): HostSessions {
  return createHostSessions({
    documents: hostDocuments(harness),
    kind: 'host',
    clock: harness.clock,
    random: systemRandom,
    events,
    userIdOf: ({ user }) => user as string | undefined,
  })
}

const hostUserSet = (harness: DocumentHarness, userId: string): string =>
  hostDocuments(harness).refOf(`user ${userId}`).name

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
  ...[undefined, 'ada'].map((user): ConformanceCase<DocumentHarness> => {
    const options = { ttlMs: 1000 }
    const json = (data: object): string => JSON.stringify({ ...data, user })
    return {
      name: `a new session${user ? ' of a user' : ''} takes the place of an ended one of its id; late writes of the ended one do not reach it`,
      async run(harness) {
        const sessions = hostSessions(harness)
        await sessions.save('sid', json({ old: 1 }), options)
        const late = await sessions.find('sid')
        await sessions.end('sid')
        assert.equal(await sessions.save('sid', json({ zombie: 1 }), options), null)

        const created = await sessions.save('sid', json({ new: 1 }), { ...options, isNew: true })
        assert.notEqual(created, null)
        const lateWrite = { ...options, known: late }
        assert.equal(await sessions.save('sid', JSON.stringify({ late: 1, user: 'mallory' }), lateWrite), null)
        assert.equal(await sessions.touch('sid', 500_000, late), false)
        assert.equal(dataOf(await sessions.find('sid'))['new'], 1)
        assert.deepEqual(await sessions.listByUser('mallory'), [])
        assert.equal((await sessions.listByUser('ada')).length, user ? 1 : 0)

        await sessions.save('sid', json({ new: 2 }), { ...options, known: created })
        assert.equal(dataOf(await sessions.find('sid'))['new'], 2)
        assert.equal(await sessions.end('sid'), true)
        assert.equal(await sessions.save('sid', json({ new: 3 }), { ...options, known: created }), null)
        assert.equal(await sessions.find('sid'), null)
      },
    }
  }),
  {
    name: 'a session that is created again while all sessions of its user are ended stays ended',
    async run(harness) {
      const driver = { ...harness.driver }
      const [sessions, operator] = [hostSessions({ ...harness, driver }), hostSessions(harness)]
      await sessions.save('sid', JSON.stringify({ user: 'ada' }), { ttlMs: 1000 })
      await sessions.end('sid')
      driver.enter = async (...args) => {
        await harness.driver.enter(...args)
        await operator.revokeByUser('ada')
      }
      const options = { ttlMs: 1000, isNew: true }
      assert.equal(await sessions.save('sid', JSON.stringify({ user: 'ada' }), options), null)
      assert.equal(await sessions.find('sid'), null)
    },
  },
  {
    name: 'the end of all sessions of a user spares an id that another user has by now',
    async run(harness) {
      const sessions = hostSessions(harness)
      await sessions.save('sid', JSON.stringify({ user: 'ada' }), { ttlMs: 1000 })
      await sessions.end('sid')
      await sessions.save('sid', JSON.stringify({ user: 'grace' }), { ttlMs: 1000, isNew: true })
      assert.equal(await sessions.revokeByUser('ada'), 0)
      assert.deepEqual(dataOf(await sessions.find('sid')), { user: 'grace' })
      assert.equal(await sessions.revokeByUser('grace'), 1)
    },
  },
  {
    name: 'sessions of a user are listed, and ended exactly',
    async run(harness) {
      const sessions = hostSessions(harness)
      for (let index = 0; index < 5; index++) {
        await sessions.save(`sid${index}`, JSON.stringify({ index, user: 'ada' }), { ttlMs: 10_000 })
      }
      await sessions.save('grace', JSON.stringify({ user: 'grace' }), { ttlMs: 10_000 })
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
      let known = await sessions.save('sid', JSON.stringify({ user: 'ada' }), { ttlMs: 1000 })
      for (let round = 0; round < 6; round++) {
        await harness.advance(700)
        assert.equal(await sessions.touch('sid', 1000, known), true)
      }
      assert.equal((await sessions.listByUser('ada')).length, 1)
      known = await sessions.save('sid', JSON.stringify({ user: 'grace' }), { ttlMs: 1000, known })
      assert.equal((await sessions.listByUser('ada')).length, 0)
      assert.equal((await sessions.listByUser('grace')).length, 1)
      await sessions.save('sid', JSON.stringify({}), { ttlMs: 1000, known })
      assert.equal((await sessions.listByUser('grace')).length, 0)
      assert.notEqual(await sessions.find('sid'), null)
    },
  },
  ...[undefined, 'mallory'].map((previous): ConformanceCase<DocumentHarness> => {
    const from = previous ? 'a session of another user' : 'an anonymous session'
    return {
      name: `a user who signs in to ${from} keeps it when a slower request of it ends: listed, touched for long, and ended with all others`,
      async run(harness) {
        const sessions = hostSessions(harness)
        const options = { ttlMs: 10_000 }
        const data = { n: 0, ...(previous !== undefined && { user: previous }) }
        const known = await sessions.save('sid', JSON.stringify(data), options)
        const [slow, signIn] = [await sessions.find('sid'), await sessions.find('sid')]
        await sessions.save('sid', JSON.stringify({ ...data, user: 'ada' }), { ...options, known: signIn })
        await sessions.save('sid', JSON.stringify({ ...data, n: 1 }), { ...options, known: slow })
        assert.deepEqual(dataOf(await sessions.find('sid')), { n: 1, user: 'ada' })
        assert.equal((await sessions.listByUser('ada')).length, 1)
        assert.deepEqual(await sessions.listByUser('mallory'), [])
        assert.equal(await sessions.revokeByUser('mallory'), 0)
        for (let round = 0; round < 6; round++) {
          await harness.advance(7000)
          // The copy of an old request, and none.
          assert.equal(await sessions.touch('sid', 10_000, round === 0 ? known : null), true)
        }
        assert.equal((await sessions.listByUser('ada')).length, 1)
        assert.equal(await sessions.revokeByUser('ada'), 1)
        assert.equal(await sessions.find('sid'), null)
      },
    }
  }),
  {
    name: 'a slower request that outlives the entry of a sign-in moves the entry as it moves the session',
    async run(harness) {
      const sessions = hostSessions(harness)
      await sessions.save('sid', JSON.stringify({}), { ttlMs: 1000 })
      const [touched, written, signIn] = [
        await sessions.find('sid'),
        await sessions.find('sid'),
        await sessions.find('sid'),
      ]
      await sessions.save('sid', JSON.stringify({ user: 'ada' }), { ttlMs: 1000, known: signIn })
      assert.equal(await sessions.touch('sid', 10_000, touched), true)
      await harness.advance(5000)
      assert.equal((await sessions.listByUser('ada')).length, 1)
      await sessions.save('sid', JSON.stringify({ n: 1 }), { ttlMs: 50_000, known: written })
      await harness.advance(40_000)
      assert.equal(await sessions.revokeByUser('ada'), 1)
    },
  },
  {
    name: 'a session is entered in the set of the user of the merged data before it is stored',
    async run(harness) {
      const driver = { ...harness.driver }
      const [sessions, parallel] = [hostSessions({ ...harness, driver }), hostSessions(harness)]
      await sessions.save('sid', JSON.stringify({}), { ttlMs: 1000 })
      const [slow, signIn] = [await sessions.find('sid'), await sessions.find('sid')]
      const steps: string[] = []
      driver.enter = async (...args) => {
        await harness.driver.enter(...args)
        steps.push('enter')
      }
      driver.write = async (...args) => {
        if (steps.length === 0)
          await parallel.save('sid', JSON.stringify({ user: 'ada' }), { ttlMs: 1000, known: signIn })
        const written = await harness.driver.write(...args)
        steps.push(written.status)
        return written
      }
      // Longer than the entry that the sign-in made.
      await sessions.save('sid', JSON.stringify({ n: 1 }), { ttlMs: 10_000, known: slow })
      assert.deepEqual(steps, ['conflict', 'enter', 'done'])
      assert.equal((await sessions.listByUser('ada')).length, 1)
    },
  },
  {
    name: 'the end of all sessions of a user keeps the entry of a session that is about to change hands to that user',
    async run(harness) {
      const driver = { ...harness.driver }
      const [sessions, operator] = [hostSessions({ ...harness, driver }), hostSessions(harness)]
      const known = await sessions.save('sid', JSON.stringify({ user: 'mallory' }), { ttlMs: 1000 })
      driver.enter = async (...args) => {
        await harness.driver.enter(...args)
        assert.equal(await operator.revokeByUser('ada'), 0)
      }
      assert.notEqual(await sessions.save('sid', JSON.stringify({ user: 'ada' }), { ttlMs: 1000, known }), null)
      assert.equal((await operator.listByUser('ada')).length, 1)
      assert.equal(await operator.revokeByUser('ada'), 1)
      assert.equal(await operator.find('sid'), null)
    },
  },
  ...(['before the write', 'after the write'] as const).map((when): ConformanceCase<DocumentHarness> => ({
    name: `a session that returns to a user stays in the set of the user, when the request that gave it away leaves the set ${when}`,
    async run(harness) {
      const [away, back] = [{ ...harness.driver }, { ...harness.driver }]
      const [sessions, parallel] = [
        hostSessions({ ...harness, driver: away }),
        hostSessions({ ...harness, driver: back }),
      ]
      const known = await sessions.save('sid', JSON.stringify({ user: 'ada' }), { ttlMs: 1000 })
      let [arrived, goOn] = [(): void => undefined, (): void => undefined]
      const isThere = new Promise<void>((resolve) => (arrived = resolve))
      const gate = new Promise<void>((resolve) => (goOn = resolve))
      let returned: Promise<unknown> | undefined
      const giveBack = async (): Promise<void> => {
        const found = await parallel.find('sid')
        returned = parallel.save('sid', JSON.stringify({ user: 'ada' }), { ttlMs: 1000, known: found })
      }
      if (when === 'before the write')
        back.write = async (...args) => {
          arrived()
          await gate
          return harness.driver.write(...args)
        }
      away.leave = async (...args) => {
        if (!returned) {
          await giveBack()
          await (when === 'before the write' ? isThere : returned)
        }
        await harness.driver.leave(...args)
      }
      await sessions.save('sid', JSON.stringify({ user: 'grace' }), { ttlMs: 1000, known })
      goOn()
      await returned
      assert.deepEqual(dataOf(await sessions.find('sid')), { user: 'ada' })
      assert.equal((await sessions.listByUser('ada')).length, 1)
      assert.equal(await sessions.revokeByUser('ada'), 1)
    },
  })),
  ...(['the set', 'the last write'] as const).map((what): ConformanceCase<DocumentHarness> => ({
    name: `a change that is stored does not fail when the set of the previous user cannot be left: ${what} fails`,
    async run(harness) {
      const driver = { ...harness.driver }
      const events = new EventBus()
      const reported: unknown[] = []
      events.on('error', (event) => reported.push(event))
      const sessions = hostSessions({ ...harness, driver }, events)
      const known = await sessions.save('sid', JSON.stringify({ user: 'ada' }), { ttlMs: 1000 })
      const fails = (): Promise<never> => Promise.reject(new RedisError('COATCHECK_REDIS_TIMEOUT'))
      driver.leave = async (...args) => {
        if (what === 'the set') return fails()
        await harness.driver.leave(...args)
        driver.write = fails
      }
      const saved = await sessions.save('sid', JSON.stringify({ user: 'grace' }), { ttlMs: 1000, known })
      assert.deepEqual(dataOf(saved), { user: 'grace' })
      assert.deepEqual(reported, [{ code: 'COATCHECK_REDIS_TIMEOUT', operation: 'document.leave' }])
      // The set of the previous user keeps the entry, which counts for nothing as long as the session has another user.
      assert.equal((await harness.driver.members({ kind: 'host', name: hostUserSet(harness, 'ada') })).length, 1)
      const operator = hostSessions(harness)
      assert.deepEqual(await operator.listByUser('ada'), [])
      assert.equal(await operator.revokeByUser('ada'), 0)
      assert.equal(await operator.revokeByUser('grace'), 1)
    },
  })),
  {
    name: 'data that the function of the application does not read, or reads as another user, hides no session of the user',
    async run(harness) {
      const documents = hostDocuments(harness)
      const { clock } = harness
      const shared = { documents, kind: 'host', clock, random: systemRandom, events: new EventBus() }
      const sessionsWith = (userIdOf: (data: JsonObject) => string): HostSessions =>
        createHostSessions({ ...shared, userIdOf })
      const before = sessionsWith(({ user }) => user as string)
      const after = sessionsWith(({ account }) => (account as { id: string }).id)
      const renamed = sessionsWith(({ user }) => `id of ${String(user)}`)
      await before.save('old', JSON.stringify({ user: 'ada' }), { ttlMs: 60_000 })
      await after.save('new', JSON.stringify({ account: { id: 'ada' } }), { ttlMs: 60_000 })
      assert.equal((await after.listByUser('ada')).length, 2)
      assert.equal((await renamed.listByUser('ada')).length, 2)
      assert.equal(await after.revokeByUser('ada'), 2)
      assert.deepEqual([await before.find('old'), await after.find('new')], [null, null])
      await before.save('again', JSON.stringify({ user: 'ada' }), { ttlMs: 60_000 })
      assert.equal(await renamed.revokeByUser('ada'), 1)
    },
  },
  {
    name: 'a record of an older build whose user is not that of its data: ended with the user of the data, and repaired by a touch',
    async run(harness) {
      const sessions = hostSessions(harness)
      const documents = hostDocuments(harness)
      for (const user of [undefined, 'mallory']) {
        const sid = `sid of ${user ?? 'no user'}`
        await sessions.save(sid, JSON.stringify({ user: 'ada' }), { ttlMs: 1000 })
        const stale = user && { set: documents.refOf(`user ${user}`).name, untilMs: harness.clock.now() + 60_000 }
        const older = ({ user: _user, ...value }: HostSession): HostSession => ({
          ...value,
          ...(stale && { user: stale }),
        })
        await documents.change(documents.refOf(sid), older, () => 1000)
      }
      assert.equal((await sessions.listByUser('ada')).length, 2)
      for (let round = 0; round < 4; round++) {
        await harness.advance(700)
        for (const sid of ['sid of no user', 'sid of mallory']) assert.equal(await sessions.touch(sid, 1000), true)
      }
      assert.deepEqual(await sessions.listByUser('mallory'), [])
      assert.equal(await sessions.revokeByUser('ada'), 2)
    },
  },
  {
    name: 'a session of a user is written in one command while its entry lasts, also by a request that another one overtook',
    async run(harness) {
      const driver = { ...harness.driver }
      const sessions = hostSessions({ ...harness, driver })
      let known = await sessions.save('sid', JSON.stringify({ user: 'ada' }), { ttlMs: 1000 })
      const late = await sessions.find('sid')
      const commands: string[] = []
      for (const name of ['read', 'write', 'enter', 'leave', 'reopen'] as const) {
        driver[name] = ((...args: Parameters<DocumentDriver[typeof name]>) => {
          commands.push(name)
          return (harness.driver[name] as (...args: unknown[]) => unknown)(...args)
        }) as never
      }
      known = await sessions.save('sid', JSON.stringify({ user: 'ada', n: 1 }), { ttlMs: 1000, known })
      assert.equal(await sessions.touch('sid', 1000, known), true)
      assert.deepEqual(commands.splice(0), ['write', 'write'])
      await sessions.save('sid', JSON.stringify({ user: 'ada', m: 1 }), { ttlMs: 1000, known: late })
      assert.deepEqual(commands, ['write', 'write'])
    },
  },
  {
    name: 'without a function that names the user, a session keeps the user of its record',
    async run(harness) {
      const sessions = hostSessions(harness)
      const unaware = createHostSessions({
        documents: hostDocuments(harness),
        kind: 'host',
        clock: harness.clock,
        random: systemRandom,
        events: new EventBus(),
      })
      await sessions.save('sid', JSON.stringify({ user: 'ada' }), { ttlMs: 1000 })
      const known = await unaware.find('sid')
      await unaware.save('sid', JSON.stringify({ user: 'grace' }), { ttlMs: 5000, known })
      await harness.advance(4000)
      assert.equal((await unaware.listByUser('ada')).length, 1)
      assert.equal(await unaware.revokeByUser('ada'), 1)
    },
  },
  {
    name: 'sign-ins at the same time as the end of all sessions: what is left is what came after',
    async run(harness) {
      const sessions = hostSessions(harness)
      for (let round = 0; round < 50; round++) {
        const user = `user${round}`
        const sids = Array.from({ length: 4 }, (_, index) => `${user}-${index}`)
        const saving = sids.map((sid) => sessions.save(sid, JSON.stringify({ user }), { ttlMs: 1000 }))
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
