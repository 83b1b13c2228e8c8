/** The contract of a `TokenDriver`: fields, lives, compare and set, deletion. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { END_OF_LIFE_BYTES, NONCE_BYTES } from '../keyring/record-layout.ts'
import { nonceOf } from '../keyring/seal.ts'
import { LEASE_HOLDER_BYTES, type LeaseClaim, type TokenChange, type TokenRecord } from '../token/token-driver.ts'
import type { ConformanceCase } from './conformance.ts'
import type { TokenHarness } from './token-fixture.ts'

const USER = 'AAAAAAAAAAAAAAAA'
const OTHER = 'BBBBBBBBBBBBBBBB'
const MINUTE = 60_000

/** Bytes in the layout of the port: 8 of zero, 5 of header, 12 of nonce, a body. */
function sealed(body = 'body'): Buffer {
  return Buffer.concat([Buffer.alloc(END_OF_LIFE_BYTES), randomBytes(5 + NONCE_BYTES), Buffer.from(body)])
}

const nonce = (record: Buffer): Buffer => nonceOf(record, END_OF_LIFE_BYTES)
const body = (record: Buffer | null | undefined): Buffer | null => record?.subarray(END_OF_LIFE_BYTES) ?? null
const fields = (entries: Record<string, [Buffer, number]>): Map<string, TokenRecord> =>
  new Map(Object.entries(entries).map(([field, [record, ttlMs]]) => [field, { record, ttlMs }]))

function assertSame(actual: Buffer | null | undefined, expected: Buffer): void {
  assert.deepEqual(body(actual), body(expected))
}

/** Cases of token drivers. */
export const tokenDriverCases: readonly ConformanceCase<TokenHarness>[] = [
  {
    name: 'fields come back in the order they were asked for, absent ones as null',
    async run({ driver }) {
      const [a, b] = [sealed('a'), sealed('b')]
      assert.deepEqual(await driver.read(USER, ['a', 'b']), [null, null])
      assert.equal((await driver.write(USER, { set: fields({ a: [a, MINUTE], b: [b, MINUTE] }) })).status, 'done')
      const [first, none, second] = await driver.read(USER, ['b', 'x', 'a'])
      assertSame(first, b)
      assert.equal(none, null)
      assertSame(second, a)
      assert.deepEqual([...(await driver.readAll(USER)).keys()].sort(), ['a', 'b'])
      assert.deepEqual(await driver.read(OTHER, ['a']), [null])
      assert.equal((await driver.readAll(OTHER)).size, 0)
    },
  },
  {
    name: 'records are copied in and out',
    async run({ driver }) {
      const record = sealed('kept')
      const original = Buffer.from(record)
      await driver.write(USER, { set: fields({ a: [record, MINUTE] }) })
      record.fill(1)
      const [read] = await driver.read(USER, ['a'])
      assertSame(read, original)
      read?.fill(2)
      assertSame((await driver.read(USER, ['a']))[0], original)
    },
  },
  {
    name: 'the hash lives as long as its longest field; reads and shorter writes change nothing of that',
    async run({ driver, advance, lifeMs }) {
      await driver.write(USER, { set: fields({ long: [sealed(), 10 * MINUTE] }) })
      await driver.write(USER, { set: fields({ short: [sealed(), MINUTE] }) })
      assertAbout(await lifeMs(USER), 10 * MINUTE)
      await advance(4 * MINUTE)
      await driver.read(USER, ['long', 'short'])
      await driver.readAll(USER)
      assertAbout(await lifeMs(USER), 6 * MINUTE)
      await driver.write(USER, { set: fields({ longer: [sealed(), 20 * MINUTE] }) })
      assertAbout(await lifeMs(USER), 20 * MINUTE)
      await advance(20 * MINUTE + 1000)
      assert.deepEqual(await driver.read(USER, ['long', 'longer']), [null, null])
      assert.equal(await lifeMs(USER), null)
    },
  },
  {
    name: 'a write removes fields whose life is over, and the hash follows what is left',
    async run({ driver, advance, lifeMs }) {
      await driver.write(USER, { set: fields({ dead: [sealed(), MINUTE], alive: [sealed(), 10 * MINUTE] }) })
      await advance(MINUTE + 1000)
      await driver.write(USER, { set: fields({ fresh: [sealed(), 5 * MINUTE] }), remove: { fields: ['alive'] } })
      assert.deepEqual([...(await driver.readAll(USER)).keys()], ['fresh'])
      assertAbout(await lifeMs(USER), 5 * MINUTE)
    },
  },
  {
    name: 'removing by name and prefix happens in the same step as setting, and spares what is set',
    async run({ driver }) {
      const set = fields({
        'access:p:a': [sealed(), MINUTE],
        'access:p:b': [sealed(), MINUTE],
        'access:q:a': [sealed(), MINUTE],
      })
      await driver.write(USER, { set: new Map([...set, ...fields({ 'status:p': [sealed(), MINUTE] })]) })
      const next = sealed('next')
      await driver.write(USER, {
        set: fields({ 'access:p:b': [next, MINUTE] }),
        remove: { fields: ['status:p', 'access:p:b', 'absent'], prefixes: ['access:p:'] },
      })
      const left = await driver.readAll(USER)
      assert.deepEqual([...left.keys()].sort(), ['access:p:b', 'access:q:a'])
      assertSame(left.get('access:p:b'), next)
    },
  },
  {
    name: 'compare and set: only onto the record that was read, and not onto an absent one',
    async run({ driver }) {
      const [first, second, third] = [sealed('1'), sealed('2'), sealed('3')]
      const put = (record: Buffer, expected: Buffer | null) =>
        driver.write(USER, {
          set: fields({ grant: [record, MINUTE], access: [sealed(), MINUTE] }),
          expect: { field: 'grant', nonce: expected && nonce(expected) },
        })
      assert.deepEqual(await put(second, first), { status: 'conflict', current: null })
      assert.equal((await driver.readAll(USER)).size, 0)
      assert.equal((await put(first, null)).status, 'done')
      assert.equal((await put(second, first)).status, 'done')
      const refused = await put(third, first)
      assert.ok(refused.status === 'conflict')
      assertSame(refused.current, second)
      assertSame((await driver.read(USER, ['grant']))[0], second)
      const again = await put(third, null)
      assert.equal(again.status, 'conflict')
    },
  },
  {
    name: 'compare and set: an empty nonce is that of no record, and does not mean that the field must be absent',
    async run({ driver }) {
      const stored = sealed('stored')
      const put = (record: Buffer, expected: Buffer | null) =>
        driver.write(USER, {
          set: fields({ grant: [record, MINUTE] }),
          expect: { field: 'grant', nonce: expected },
        })
      assert.deepEqual(await put(sealed(), Buffer.alloc(0)), { status: 'conflict', current: null })
      assert.equal((await put(stored, null)).status, 'done')
      assert.equal((await put(sealed(), Buffer.alloc(0))).status, 'conflict')
      assertSame((await driver.read(USER, ['grant']))[0], stored)
    },
  },
  {
    name: 'a write that is repeated answers done, and changes nothing',
    async run({ driver }) {
      const [first, second, access] = [sealed('1'), sealed('2'), sealed('other')]
      await driver.write(USER, { set: fields({ grant: [first, MINUTE] }) })
      const change = { set: fields({ grant: [second, MINUTE] }), expect: { field: 'grant', nonce: nonce(first) } }
      assert.equal((await driver.write(USER, change)).status, 'done')
      await driver.write(USER, { set: fields({ access: [access, MINUTE] }) })
      assert.equal((await driver.write(USER, change)).status, 'done')
      assert.equal((await driver.readAll(USER)).size, 2)
    },
  },
  {
    name: 'an expected record whose life is over counts as absent',
    async run({ driver, advance }) {
      const [old, next] = [sealed('old'), sealed('next')]
      await driver.write(USER, { set: fields({ grant: [old, MINUTE], other: [sealed(), 10 * MINUTE] }) })
      await advance(MINUTE + 1000)
      const write = (expected: Buffer | null) =>
        driver.write(USER, { set: fields({ grant: [next, MINUTE] }), expect: { field: 'grant', nonce: expected } })
      assert.deepEqual(await write(nonce(old)), { status: 'conflict', current: null })
      assert.equal((await write(null)).status, 'done')
    },
  },
  {
    name: 'of many parallel compare-and-sets exactly one wins',
    async run({ driver }) {
      const base = sealed('base')
      await driver.write(USER, { set: fields({ grant: [base, MINUTE] }) })
      const records = Array.from({ length: 50 }, (_, i) => sealed(`${i}`))
      const results = await Promise.all(
        records.map((record) =>
          driver.write(USER, {
            set: fields({ grant: [record, MINUTE] }),
            expect: { field: 'grant', nonce: nonce(base) },
          }),
        ),
      )
      const winners = records.filter((_, i) => results[i]?.status === 'done')
      assert.equal(winners.length, 1)
      assertSame((await driver.read(USER, ['grant']))[0], winners[0] as Buffer)
    },
  },
  {
    name: 'a lease has one holder: for its time, until it is given back, or taken over when its time is over',
    async run({ driver, advance }) {
      const [ada, bob] = [claim(), claim()]
      assert.equal(await driver.renewLease(USER, ada), false)
      assert.equal(await driver.takeLease(USER, ada), true)
      assert.equal(await driver.takeLease(USER, ada), true)
      assert.deepEqual([await driver.takeLease(USER, bob), await driver.renewLease(USER, bob)], [false, false])
      assert.equal(await driver.takeLease(OTHER, bob), true)
      await advance(4000)
      assert.equal(await driver.renewLease(USER, ada), true)
      await advance(4000)
      assert.equal(await driver.takeLease(USER, bob), false)
      await driver.releaseLease(USER, bob)
      assert.equal(await driver.takeLease(USER, bob), false)
      await driver.releaseLease(USER, ada)
      assert.equal(await driver.takeLease(USER, bob), true)
      await advance(6001)
      assert.equal(await driver.takeLease(USER, ada), true)
      assert.equal(await driver.renewLease(USER, bob), false)
    },
  },
  {
    name: 'a write with a lease is refused while another one is valid, and gives its own back',
    async run({ driver, advance }) {
      const [ada, bob] = [claim(), claim()]
      const first = sealed('first')
      await driver.write(USER, { set: fields({ a: [first, MINUTE] }) })
      assert.equal(await driver.takeLease(USER, ada), true)
      const change = (lease: LeaseClaim, expected: Buffer, record: Buffer): TokenChange => ({
        set: fields({ a: [record, MINUTE] }),
        expect: { field: 'a', nonce: nonce(expected) },
        lease,
      })
      const refused = await driver.write(USER, change(bob, first, sealed('bob')))
      assert.equal(refused.status, 'conflict')
      assertSame((await driver.read(USER, ['a']))[0], first)
      const second = sealed('second')
      assert.equal((await driver.write(USER, change(ada, first, second))).status, 'done')
      assert.equal((await driver.write(USER, change(ada, first, second))).status, 'done')
      assert.equal(await driver.takeLease(USER, bob), true)
      await advance(6001)
      assert.equal((await driver.write(USER, change(ada, second, sealed('third')))).status, 'done')
    },
  },
  {
    name: 'deleting takes the selection, or everything, and says how many there were',
    async run({ driver, lifeMs }) {
      const set = fields({
        'grant:p': [sealed(), 10 * MINUTE],
        'access:p:': [sealed(), MINUTE],
        'access:q:x': [sealed(), MINUTE],
      })
      await driver.write(USER, { set })
      await driver.write(OTHER, { set })
      const selection = { fields: ['grant:p', 'absent'], prefixes: ['access:p:'] }
      assert.equal((await driver.delete(USER, selection)).count, 2)
      assert.deepEqual([...(await driver.readAll(USER)).keys()], ['access:q:x'])
      assertAbout(await lifeMs(USER), MINUTE)
      assert.equal((await driver.delete(USER)).count, 1)
      assert.equal((await driver.delete(USER)).count, 0)
      assert.equal((await driver.delete(USER, { prefixes: ['access:'] })).count, 0)
      assert.equal((await driver.readAll(OTHER)).size, 3)
    },
  },
]

function claim(): LeaseClaim {
  return { field: 'lease:p', holder: randomBytes(LEASE_HOLDER_BYTES), ttlMs: 6000 }
}

/** Real servers round, and time passes between two commands. */
function assertAbout(actual: number | null, expected: number): void {
  assert.ok(
    actual !== null && Math.abs(actual - expected) < 2000,
    `life is ${String(actual)} ms, about ${expected} expected`,
  )
}
