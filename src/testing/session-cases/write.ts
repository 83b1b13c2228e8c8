/** Writing: committed when it resolves, no lost write, no restored session, only JSON values stored. */
import assert from 'node:assert/strict'
import { compileFunction } from 'node:vm'
import type { EventMap } from '../../core/event-map.ts'
import type { ConformanceCase, SessionHarness } from '../conformance.ts'
import { equalJson } from '../equal-json.ts'
import { codeOf, fixture, HOUR } from '../session-fixture.ts'

interface Counter extends Record<string, unknown> {
  n?: number
}

export const writeCases: readonly ConformanceCase<SessionHarness>[] = [
  {
    name: 'set, delete and update are committed when they resolve, and seen by the snapshot and by others',
    async run(harness) {
      const { store } = fixture(harness)
      const { ticket, session } = await store.create({ userId: 'ada' })
      await session.set('theme', 'dark')
      await session.update((draft) => {
        draft['cart'] = [{ sku: 'a' }]
      })
      equalJson(session.data, { theme: 'dark', cart: [{ sku: 'a' }] })
      await session.delete('theme')
      equalJson((await store.find(ticket)).session?.data, { cart: [{ sku: 'a' }] })
      await session.set('cart', undefined)
      equalJson((await store.find(ticket)).session?.data, {})
    },
  },
  {
    name: 'a write that was sent twice happens once',
    async run(harness) {
      const doubled = { ...harness.driver }
      doubled.replace = async (...args) => {
        await harness.driver.replace(...args)
        return harness.driver.replace(...args)
      }
      doubled.create = async (...args) => {
        await harness.driver.create(...args)
        return harness.driver.create(...args)
      }
      const { store } = fixture<Counter>(harness, { driver: doubled })
      const { session, ticket } = await store.create({ userId: 'ada', data: { n: 0 } })
      for (let i = 0; i < 5; i++) await session.update((draft) => void (draft.n = (draft.n ?? 0) + 1))
      assert.equal((await store.find(ticket)).session?.get('n'), 5)
    },
  },
  {
    name: 'data is deeply read-only, and a value handed in is a snapshot',
    async run(harness) {
      const { store } = fixture(harness)
      const { session } = await store.create({ userId: 'ada', data: { a: { b: [1] } } })
      const data = session.data as { a: { b: number[] } }
      const all = session as unknown as { data: unknown; views: number; user: { id: string } }
      const slips = [
        () => (data.a = { b: [] }),
        () => data.a.b.push(2),
        () => delete (data as Partial<typeof data>).a,
        () => (all.user.id = 'eve'),
        () => (all.data = {}),
        () => (all.views = 1),
        // Sloppy-mode code, in which an assignment to a frozen object fails silently.
        () => (compileFunction('data.a.b[0] = data.c = 2', ['data']) as (data: unknown) => void)(data),
      ]
      for (const slip of slips) assert.throws(slip, { name: 'TypeError', code: 'COATCHECK_SESSION_READ_ONLY' })
      equalJson([session.user, session.data], [{ id: 'ada' }, { a: { b: [1] } }])
      const copy = session.toJSON()
      copy.data['a'] = 'mine'
      assert.deepEqual(structuredClone(copy.data), { a: 'mine' })
      assert.deepEqual((JSON.parse(JSON.stringify(session)) as typeof copy).data, { a: { b: [1] } })
      const mine = { list: [1] }
      const write = session.set('mine', mine)
      mine.list.push(2)
      await write
      equalJson(session.get('mine'), { list: [1] })
    },
  },
  {
    name: 'eight requests that each set another field at once: eight fields',
    async run(harness) {
      const { store } = fixture(harness)
      const { ticket } = await store.create({ userId: 'ada' })
      const snapshots = await Promise.all(Array.from({ length: 8 }, () => store.find(ticket)))
      await Promise.all(snapshots.map(({ session }, i) => session?.set(`field${i}`, i)))
      const { session } = await store.find(ticket)
      assert.equal(Object.keys(session?.data ?? {}).length, 8)
    },
  },
  {
    name: 'a counter incremented 200 times at once by two processes is 200',
    async run(harness) {
      const processes = [fixture<Counter>(harness).store, fixture<Counter>(harness).store]
      const { ticket } = await (processes[0] ?? fixture<Counter>(harness).store).create({
        userId: 'ada',
        data: { n: 0 },
      })
      const increments = Array.from({ length: 200 }, (_, i) =>
        processes[i % 2]?.update(ticket, (draft) => {
          draft.n = (draft.n ?? 0) + 1
        }),
      )
      await Promise.all(increments)
      assert.equal((await processes[1]?.find(ticket))?.session?.get('n'), 200)
    },
  },
  {
    name: 'a change that throws is refused alone; its neighbours are kept',
    async run(harness) {
      const { store } = fixture<Counter>(harness)
      const { session, ticket } = await store.create({ userId: 'ada' })
      const results = await Promise.allSettled([
        session.set('a', 1),
        session.update((draft) => {
          draft['half'] = true
          throw new Error('no')
        }),
        session.set('b', 2),
      ])
      assert.deepEqual(
        results.map((r) => r.status),
        ['fulfilled', 'rejected', 'fulfilled'],
      )
      equalJson((await store.find(ticket)).session?.data, { a: 1, b: 2 })
    },
  },
  {
    name: 'a revoked session is not brought back by a write of a request that is still running',
    async run(harness) {
      const { store } = fixture(harness)
      const { ticket, session } = await store.create({ userId: 'ada' })
      await store.revoke(session.id ?? '')
      assert.equal(await codeOf(session.set('a', 1)), 'COATCHECK_SESSION_ENDED')
      assert.deepEqual(await store.find(ticket), { session: null, reason: 'revoked' })
    },
  },
  {
    name: 'an expired session is not brought back by a write',
    async run(harness) {
      const { store } = fixture(harness)
      const { ticket, session } = await store.create({ userId: 'ada' })
      await harness.advance(8 * HOUR)
      assert.equal(await codeOf(session.set('a', 1)), 'COATCHECK_SESSION_ENDED')
      assert.deepEqual(await store.find(ticket), { session: null, reason: 'expired' })
    },
  },
  {
    name: 'what is not JSON is refused with its path and nothing is written',
    async run(harness) {
      const { store } = fixture(harness)
      const { session, ticket } = await store.create({ userId: 'ada', data: { kept: true } })
      const cycle: Record<string, unknown> = {}
      cycle['self'] = cycle
      const values: readonly unknown[] = [
        new Date(0),
        new Map(),
        new Set(),
        1n,
        () => 0,
        Symbol('s'),
        Number.NaN,
        Infinity,
        new (class Cart {})(),
        [undefined],
        cycle,
      ]
      for (const value of values) {
        assert.equal(await codeOf(session.set('field', { deep: value })), 'COATCHECK_SESSION_VALUE')
      }
      await assert.rejects(session.set('field', { deep: [new Date(0)] }), /"field\.deep\[0\]" is an instance of Date/)
      assert.equal(
        await codeOf(session.update((draft) => void (draft['when'] = new Date(0)))),
        'COATCHECK_SESSION_VALUE',
      )
      assert.equal(
        await codeOf(session.set('field', JSON.parse('{"__proto__": {"admin": true}}'))),
        'COATCHECK_SESSION_VALUE',
      )
      assert.equal(await codeOf(session.set('__proto__', { admin: true })), 'COATCHECK_INVALID_ARGUMENT')
      equalJson((await store.find(ticket)).session?.data, { kept: true })
    },
  },
  {
    name: 'an update that is asynchronous, or that returns a changed copy, is refused, for new visitors too; nothing is written',
    async run(harness) {
      const { store } = fixture<Counter>(harness)
      const { session, ticket } = await store.create({ userId: 'ada', data: { n: 1 } })
      const sink = {
        tickets: 0,
        assertWritable: () => undefined,
        issue: () => {
          sink.tickets++
        },
        clear: () => undefined,
      }
      const { session: visitor } = await store.visit(null, sink)
      const refused: readonly unknown[] = [
        async (draft: Counter) => (draft.n = 2),
        async () => Promise.reject(new Error('on its own')),
        (draft: Counter) => Promise.resolve().then(() => (draft.n = 2)),
        // Not a JavaScript promise, but a query builder that runs when it is awaited.
        (draft: Counter) => ({ then: (done: (draft: Counter) => void) => done(draft) }),
        (draft: Counter) => ({ ...draft, n: 2 }),
        (draft: Counter) => ({ ...draft, added: true }),
        { n: 2 },
        undefined,
      ]
      for (const fn of refused) {
        for (const one of [session, visitor]) {
          assert.equal(await codeOf(one.update(fn as () => void)), 'COATCHECK_SESSION_UPDATE')
        }
        assert.equal(await codeOf(store.update(ticket, fn as () => void)), 'COATCHECK_SESSION_UPDATE')
      }
      equalJson((await store.find(ticket)).session?.data, { n: 1 })
      assert.deepEqual([visitor.id, sink.tickets], [null, 0])
    },
  },
  {
    name: 'what a synchronous update returns besides is ignored',
    async run(harness) {
      const { store } = fixture<{ items: number[]; cart?: object }>(harness)
      const { session } = await store.create({ userId: 'ada', data: { items: [1] } })
      await session.update((draft) => draft.items.push(2))
      await session.update((draft) => draft.items.splice(0, 0))
      await session.update((draft) => (draft.cart = { a: 1 }))
      await session.update((draft) => (draft.cart = { a: 1 }))
      await session.update((draft) => Object.assign(draft, { cart: { a: 1 } }))
      await session.update((draft) => ({ was: draft.items.pop() }))
      equalJson(session.data, { items: [1], cart: { a: 1 } })
    },
  },
  {
    name: 'a write that fails and is not awaited is reported once; one that is awaited is not',
    async run(harness) {
      const { store, events } = fixture(harness)
      const { session, ticket } = await store.create({ userId: 'ada' })
      const reports: EventMap['session.write-unawaited'][] = []
      events.on('session.write-unawaited', (event) => reports.push(event))
      await store.revoke(session.id ?? '')
      assert.equal(await codeOf(session.set('a', 1)), 'COATCHECK_SESSION_ENDED')
      assert.equal(await codeOf(Promise.all([session.delete('a')])), 'COATCHECK_SESSION_ENDED')
      void session.set('a', 1)
      void session.update((draft) => void (draft['cart'] as unknown[]).push(1)).then(() => undefined)
      void store.rotate(ticket)
      void session.set('when', new Date(0))
      while (reports.length < 4) await new Promise((resolve) => setImmediate(resolve))
      const inOrder = reports.map(({ operation, code }) => `${operation} ${code}`).sort()
      assert.deepEqual(inOrder, [
        'session.set COATCHECK_SESSION_ENDED',
        'session.set COATCHECK_SESSION_VALUE',
        'session.update TypeError',
        'sessions.rotate COATCHECK_SESSION_ENDED',
      ])
    },
  },
  {
    name: 'names like constructor and toString are ordinary fields; odd texts come back as they went in',
    async run(harness) {
      const { store } = fixture(harness)
      const { session, ticket } = await store.create({ userId: 'ada' })
      await session.set('constructor', 'c')
      await session.set('toString', ['t'])
      await session.set('text', 'lone \ud800 · NUL \u0000 · 🧥')
      const { session: found } = await store.find(ticket)
      assert.equal(found?.get('constructor'), 'c')
      assert.deepEqual(found?.get('toString'), ['t'])
      assert.equal(found?.get('text'), 'lone \ud800 · NUL \u0000 · 🧥')
    },
  },
  {
    name: 'data over the limit is refused and the session keeps what it had',
    async run(harness) {
      const { store } = fixture(harness)
      const { session, ticket } = await store.create({ userId: 'ada', data: { kept: true } })
      assert.equal(await codeOf(session.set('big', 'x'.repeat(5_000_000))), 'COATCHECK_SESSION_TOO_LARGE')
      equalJson((await store.find(ticket)).session?.data, { kept: true })
    },
  },
  {
    name: 'an update through a ticket that leads nowhere is an error with a code',
    async run(harness) {
      const { store } = fixture(harness)
      assert.equal(await codeOf(store.update('nonsense', () => undefined)), 'COATCHECK_SESSION_ENDED')
      assert.equal(await codeOf(store.update('', () => undefined)), 'COATCHECK_INVALID_ARGUMENT')
    },
  },
  {
    name: 'a conflict with a record that does not open is the end of the session',
    async run(harness) {
      const driver = {
        ...harness.driver,
        replace: () => Promise.resolve({ status: 'conflict' as const, record: Buffer.alloc(80, 1) }),
      }
      const { store } = fixture(harness, { driver })
      const { session } = await store.create({ userId: 'ada' })
      assert.equal(await codeOf(session.set('a', 1)), 'COATCHECK_SESSION_ENDED')
    },
  },
]
