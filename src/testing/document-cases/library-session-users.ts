/** Sessions of other libraries whose user changes: the sets of users, and the data and records that name a user. */
import assert from 'node:assert/strict'
import { RedisError } from '../../core/errors.ts'
import { EventBus } from '../../core/events.ts'
import { systemRandom } from '../../core/random.ts'
import type { DocumentDriver } from '../../documents/document-driver.ts'
import type { LibrarySession } from '../../documents/library-session-record.ts'
import { createLibrarySessions, type LibrarySessions } from '../../documents/library-sessions.ts'
import type { JsonObject } from '../../documents/json-merge.ts'
import type { ConformanceCase } from '../conformance.ts'
import { dataOf, type DocumentHarness, libraryDocuments, librarySessions, libraryUserSet } from '../document-fixture.ts'

export const librarySessionUserCases: readonly ConformanceCase<DocumentHarness>[] = [
  {
    name: 'a session that changes hands is listed with its new user only; touched for long, it stays listed',
    async run(harness) {
      const sessions = librarySessions(harness)
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
        const sessions = librarySessions(harness)
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
          // First with the copy of an old request, then without one.
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
      const sessions = librarySessions(harness)
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
      const [sessions, parallel] = [librarySessions({ ...harness, driver }), librarySessions(harness)]
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
      // Longer than the life of the entry that the sign-in created.
      await sessions.save('sid', JSON.stringify({ n: 1 }), { ttlMs: 10_000, known: slow })
      assert.deepEqual(steps, ['conflict', 'enter', 'done'])
      assert.equal((await sessions.listByUser('ada')).length, 1)
    },
  },
  {
    name: 'the end of all sessions of a user keeps the entry of a session that is about to change hands to that user',
    async run(harness) {
      const driver = { ...harness.driver }
      const [sessions, operator] = [librarySessions({ ...harness, driver }), librarySessions(harness)]
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
        librarySessions({ ...harness, driver: away }),
        librarySessions({ ...harness, driver: back }),
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
      const sessions = librarySessions({ ...harness, driver }, events)
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
      // The set of the previous user keeps the entry, which does not count while the session has another user.
      assert.equal((await harness.driver.members({ kind: 'host', name: libraryUserSet(harness, 'ada') })).length, 1)
      const operator = librarySessions(harness)
      assert.deepEqual(await operator.listByUser('ada'), [])
      assert.equal(await operator.revokeByUser('ada'), 0)
      assert.equal(await operator.revokeByUser('grace'), 1)
    },
  })),
  {
    name: 'data that the function of the application does not read, or reads as another user, hides no session of the user',
    async run(harness) {
      const documents = libraryDocuments(harness)
      const { clock } = harness
      const shared = { documents, kind: 'host', clock, random: systemRandom, events: new EventBus() }
      const sessionsWith = (userIdOf: (data: JsonObject) => string): LibrarySessions =>
        createLibrarySessions({ ...shared, userIdOf })
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
      const sessions = librarySessions(harness)
      const documents = libraryDocuments(harness)
      for (const user of [undefined, 'mallory']) {
        const sid = `sid of ${user ?? 'no user'}`
        await sessions.save(sid, JSON.stringify({ user: 'ada' }), { ttlMs: 1000 })
        const stale = user && { set: documents.refOf(`user ${user}`).name, untilMs: harness.clock.now() + 60_000 }
        const older = ({ user: _user, ...value }: LibrarySession): LibrarySession => ({
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
      const sessions = librarySessions({ ...harness, driver })
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
      const sessions = librarySessions(harness)
      const unaware = createLibrarySessions({
        documents: libraryDocuments(harness),
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
]
