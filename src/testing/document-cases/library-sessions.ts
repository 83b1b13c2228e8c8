/** Sessions of other libraries: saved, merged, ended, created again, and ended by user. */
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance.ts'
import { dataOf, type DocumentHarness, librarySessions } from '../document-fixture.ts'

export const librarySessionCases: readonly ConformanceCase<DocumentHarness>[] = [
  {
    name: 'a session of a library: saved, found, touched to the millisecond, ended',
    async run(harness) {
      const sessions = librarySessions(harness)
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
      const sessions = librarySessions(harness)
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
    name: 'a session that was ended or has expired never comes back',
    async run(harness) {
      const sessions = librarySessions(harness)
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
        const sessions = librarySessions(harness)
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
      const [sessions, operator] = [librarySessions({ ...harness, driver }), librarySessions(harness)]
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
      const sessions = librarySessions(harness)
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
      const sessions = librarySessions(harness)
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
    name: 'sign-ins at the same time as the end of all sessions: what is left is what came after',
    async run(harness) {
      const sessions = librarySessions(harness)
      for (let round = 0; round < 50; round++) {
        const user = `user${round}`
        const sids = Array.from({ length: 4 }, (_, index) => `${user}-${index}`)
        const saving = sids.map((sid) => sessions.save(sid, JSON.stringify({ user }), { ttlMs: 1000 }))
        await sessions.revokeByUser(user)
        const saved = await Promise.all(saving)
        const left = await sessions.listByUser(user)
        // A session may still end after its save was confirmed. Every session that exists is listed.
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
      const sessions = librarySessions(harness)
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
