/** The contract of a `DocumentDriver`: records, ended names, counters and sets. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { DocumentRef } from '../../documents/document-driver.ts'
import type { ConformanceCase } from '../conformance.ts'
import type { DocumentHarness } from '../document-fixture.ts'

const ref: DocumentRef = { kind: 'test', name: 'n'.repeat(22) }
const record = (nonce: string): Buffer =>
  Buffer.concat([Buffer.alloc(5, 1), Buffer.from(nonce.padEnd(12)), randomBytes(20)])
const nonceIn = (bytes: Buffer): Buffer => bytes.subarray(5, 17)

export const driverCases: readonly ConformanceCase<DocumentHarness>[] = [
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
