/** Finding: which session a ticket opens, and why it does not open one. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { ConformanceCase, SessionHarness } from '../conformance.ts'
import { equalJson } from '../equal-json.ts'
import { countingDriver, fixture, HOUR, MINUTE, testKey } from '../session-fixture.ts'
import { parseSessionId } from '../../session/ticket.ts'

async function reasonOf(store: { find(ticket: string): Promise<object> }, ticket: string): Promise<unknown> {
  return store.find(ticket)
}

export const findCases: readonly ConformanceCase<SessionHarness>[] = [
  {
    name: 'a session of a user is found by its ticket, with user, data and deadlines',
    async run(harness) {
      const { store, keyring } = fixture(harness)
      const { ticket, session } = await store.create({ userId: 'ada', data: { theme: 'dark' } })
      const found = await store.find(ticket)
      assert.ok(found.session)
      assert.equal(found.session.id, session.id)
      assert.equal(found.session.user?.id, 'ada')
      equalJson(found.session.data, { theme: 'dark' })
      assert.equal(found.session.createdAtMs, harness.clock.now())
      assert.equal(found.session.expiresAtMs, harness.clock.now() + 8 * HOUR)
      assert.ok(session.id?.startsWith(`${keyring.userKey('ada')}.`))
    },
  },
  {
    name: 'an anonymous session has no user and is found as well',
    async run(harness) {
      const { store } = fixture(harness)
      const { ticket } = await store.create({ data: { cart: [1, 2] } })
      const found = await store.find(ticket)
      assert.equal(found.session?.user, null)
      assert.deepEqual(found.session?.get('cart'), [1, 2])
    },
  },
  {
    name: 'forged, truncated and foreign tickets are malformed and never reach the store',
    async run(harness) {
      const counted = countingDriver(harness.driver)
      const { store } = fixture(harness, { driver: counted.driver })
      const { ticket } = await fixture(harness).store.create({ userId: 'ada' })
      const foreign = await fixture(harness, { keys: testKey('foreign') }).store.create({ userId: 'ada' })
      const forged = Buffer.from(ticket, 'base64url')
      for (let bit = 0; bit < forged.length * 8; bit++) {
        const changed = Buffer.from(forged)
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        assert.deepEqual(await reasonOf(store, changed.toString('base64url')), { session: null, reason: 'malformed' })
      }
      for (const text of [
        '',
        'x',
        ticket.slice(1),
        `${ticket}A`,
        foreign.ticket,
        randomBytes(73).toString('base64url'),
        '\u0000'.repeat(98),
      ]) {
        assert.deepEqual(await reasonOf(store, text), { session: null, reason: 'malformed' })
      }
      assert.equal(counted.calls(), 0)
    },
  },
  {
    name: 'a ticket past its absolute end is expired without asking the store',
    async run(harness) {
      const counted = countingDriver(harness.driver)
      const { store } = fixture(harness, { driver: counted.driver })
      const { ticket } = await fixture(harness).store.create({ userId: 'ada' })
      await harness.advance(24 * HOUR)
      assert.deepEqual(await store.find(ticket), { session: null, reason: 'expired' })
      assert.equal(counted.calls(), 0)
    },
  },
  {
    name: 'idle: one millisecond before the deadline it is there, at the deadline it is expired, and stays so',
    async run(harness) {
      const { store } = fixture(harness)
      const { ticket } = await store.create({ userId: 'ada' })
      const other = await store.create({ userId: 'ada' })
      await harness.advance(8 * HOUR - 1)
      assert.ok((await store.find(other.ticket)).session)
      await harness.advance(1)
      assert.deepEqual(await store.find(ticket), { session: null, reason: 'expired' })
      await harness.advance(2 * HOUR)
      assert.deepEqual(
        await store.find(ticket),
        { session: null, reason: 'expired' },
        'after the record itself is gone',
      )
    },
  },
  {
    name: 'visits move the idle end and never the absolute one',
    async run(harness) {
      const { store } = fixture(harness)
      const { ticket } = await store.create({ userId: 'ada' })
      for (let hour = 0; hour < 23; hour++) {
        await harness.advance(HOUR)
        assert.ok((await store.find(ticket)).session, `hour ${hour}`)
      }
      await harness.advance(HOUR)
      assert.deepEqual(await store.find(ticket), { session: null, reason: 'expired' })
    },
  },
  {
    name: 'a visit within a tenth of the idle time writes nothing',
    async run(harness) {
      const { store } = fixture(harness)
      const { ticket } = await store.create({ userId: 'ada' })
      const counted = countingDriver(harness.driver)
      const reading = fixture(harness, { driver: counted.driver }).store
      await harness.advance(40 * MINUTE)
      assert.ok((await reading.find(ticket)).session)
      assert.equal(counted.calls(), 1)
      await harness.advance(10 * MINUTE)
      assert.ok((await reading.find(ticket)).session)
      assert.equal(counted.calls(), 3, 'one read, one touch')
    },
  },
  {
    name: 'data that vanished is lost, not expired and not revoked',
    async run(harness) {
      const { store } = fixture(harness)
      const { ticket } = await store.create({ userId: 'ada' })
      await harness.loseEverything()
      assert.deepEqual(await store.find(ticket), { session: null, reason: 'lost' })
    },
  },
  {
    name: 'an older secret of a retired ring opens nothing; a ring that still holds the key opens all',
    async run(harness) {
      const { store } = fixture(harness)
      const { ticket } = await store.create({ userId: 'ada', data: { n: 1 } })
      const [first, second] = [testKey('first'), testKey('second')]
      const names = `names:${testKey('names')}`
      const rotated = fixture(harness, { keys: `${second},${first},${names}` })
      assert.equal((await rotated.store.find(ticket)).session?.get('n'), 1)
      const retired = fixture(harness, { keys: `${second},${names}` })
      assert.deepEqual(await retired.store.find(ticket), { session: null, reason: 'malformed' })
    },
  },
  {
    name: 'a record that was copied, renamed, swapped, truncated or changed opens nothing',
    async run(harness) {
      const { store, events } = fixture(harness)
      const refused: string[] = []
      events.on('session.refused', ({ why }) => refused.push(why))
      const ada = await store.create({ userId: 'ada', data: { balance: 1 } })
      const grace = await store.create({ userId: 'grace', data: { balance: 100 } })
      const anonymous = await store.create({ data: { balance: 1000 } })
      const refOf = (id: string | null, kind: 'user' | 'anonymous') => ({
        kind,
        ...(parseSessionId(id ?? '') ?? { userKey: '', id: '' }),
      })
      const adaRef = refOf(ada.session.id, 'user')
      const own = (await harness.driver.read(adaRef)).record ?? Buffer.alloc(0)
      const life = { ttlMs: HOUR, slackMs: MINUTE, absoluteMs: HOUR }
      const plant = async (bytes: Buffer): Promise<void> => {
        const stored = (await harness.driver.read(adaRef)).record ?? Buffer.alloc(0)
        await harness.driver.replace(adaRef, stored.subarray(13, 25), bytes, life)
        assert.deepEqual(await store.find(ada.ticket), { session: null, reason: 'lost' })
      }
      const flipped = Buffer.from(own)
      flipped[40] = (flipped[40] ?? 0) ^ 1
      flipped[14] = (flipped[14] ?? 0) ^ 1
      const foreignKey = Buffer.from(own)
      foreignKey.fill(0xee, 9, 25)
      const records = [
        (await harness.driver.read(refOf(grace.session.id, 'user'))).record,
        (await harness.driver.read(refOf(anonymous.session.id, 'anonymous'))).record,
        flipped,
        foreignKey,
        Buffer.concat([own.subarray(0, 24), randomBytes(1)]),
        Buffer.concat([own.subarray(0, 20), randomBytes(40)]),
      ]
      for (const record of records) await plant(record ?? Buffer.alloc(0))
      assert.equal(refused.length, records.length)
      assert.ok((await store.find(grace.ticket)).session, 'the others are untouched')
    },
  },
  {
    name: 'a record does not open under the prefix of another application with the same keys',
    async run(harness) {
      const { ticket } = await fixture(harness, { namespace: 'a:' }).store.create({ userId: 'ada' })
      assert.deepEqual(await fixture(harness, { namespace: 'b:' }).store.find(ticket), {
        session: null,
        reason: 'lost',
      })
    },
  },
]
