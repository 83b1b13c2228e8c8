/** The contract of an `OldRecordDriver`. */
import assert from 'node:assert/strict'
import type { OldRecordDriver } from '../migrate/old-record-driver.ts'
import type { ConformanceCase } from './conformance.ts'

/** What the cases of an old-record driver need. */
export interface OldRecordHarness {
  /** The driver under test. */
  readonly driver: OldRecordDriver
  /** Prefix of all keys of the cases. */
  readonly prefix: string
  /** Moves the clock and the store's own time. */
  advance(ms: number): Promise<void>
  /** Stores a value that is not a string. */
  putOther(key: string): Promise<void>
}

/** Checks a remaining life that has just been set, with an upper bound: time passes between two steps. */
function assertLife(ttlMs: number | null | undefined, atMost: number): void {
  assert.ok(typeof ttlMs === 'number', `a life, not ${String(ttlMs)}`)
  assert.ok(ttlMs <= atMost && ttlMs > atMost / 2, `${ttlMs} of ${atMost} ms`)
}

const written = { status: 'written' }
const missing = { status: 'missing' }

/** The cases of an `OldRecordDriver`. Run each case against an empty store. */
export const oldRecordCases: readonly ConformanceCase<OldRecordHarness>[] = [
  {
    name: 'reads a value with its remaining life, until that is over',
    async run({ driver, prefix, advance }) {
      const key = `${prefix}life`
      assert.equal(await driver.read(key), null)
      assert.deepEqual(await driver.create(key, '{"name":"Zoë 😀"}', 60_000), written)
      const record = await driver.read(key)
      assert.equal(record?.text, '{"name":"Zoë 😀"}')
      assertLife(record.ttlMs, 60_000)
      await advance(60_001)
      assert.equal(await driver.read(key), null)
    },
  },
  {
    name: 'reports a value without expiry',
    async run({ driver, prefix, advance }) {
      const key = `${prefix}forever`
      await driver.create(key, 'text', null)
      await advance(86_400_000)
      assert.deepEqual(await driver.read(key), { text: 'text', ttlMs: null, endsAtMs: null })
    },
  },
  {
    name: 'creates only under a key that is missing; a repeated creation answers written',
    async run({ driver, prefix }) {
      const key = `${prefix}create`
      assert.deepEqual(await driver.create(key, 'one', 60_000), written)
      assert.deepEqual(await driver.create(key, 'one', 60_000), written)
      const other = await driver.create(key, 'two', 60_000)
      assert.ok(other.status === 'changed')
      assert.equal(other.current.text, 'one')
      assertLife(other.current.ttlMs, 60_000)
      assert.equal((await driver.read(key))?.text, 'one')
    },
  },
  {
    name: 'replaces only what is expected; a repeated replacement answers written',
    async run({ driver, prefix }) {
      const key = `${prefix}replace`
      assert.deepEqual(await driver.replace(key, 'one', 'two', null), missing)
      assert.equal(await driver.read(key), null)
      await driver.create(key, 'one', 60_000)
      assert.deepEqual(await driver.replace(key, 'one', 'two', null), written)
      assert.deepEqual(await driver.replace(key, 'one', 'two', null), written)
      const lost = await driver.replace(key, 'one', 'three', null)
      assert.ok(lost.status === 'changed')
      assert.equal(lost.current.text, 'two')
      assertLife((await driver.read(key))?.ttlMs, 60_000)
    },
  },
  {
    name: 'a replacement moves the end if it has one, and keeps a life without end otherwise',
    async run({ driver, prefix }) {
      const key = `${prefix}end`
      await driver.create(key, 'one', null)
      await driver.replace(key, 'one', 'two', null)
      assert.deepEqual(await driver.read(key), { text: 'two', ttlMs: null, endsAtMs: null })
      await driver.replace(key, 'two', 'two', 60_000)
      assertLife((await driver.read(key))?.ttlMs, 60_000)
      await driver.replace(key, 'two', 'three', 600_000)
      assertLife((await driver.read(key))?.ttlMs, 600_000)
    },
  },
  {
    name: 'expires what is there',
    async run({ driver, prefix, advance }) {
      const key = `${prefix}expire`
      assert.equal(await driver.expire(key, 60_000), false)
      await driver.create(key, 'one', null)
      assert.equal(await driver.expire(key, 60_000), true)
      assertLife((await driver.read(key))?.ttlMs, 60_000)
      await advance(60_001)
      assert.equal(await driver.expire(key, 60_000), false)
    },
  },
  {
    name: 'removes what is there, or only what is expected',
    async run({ driver, prefix }) {
      const key = `${prefix}remove`
      assert.equal(await driver.remove(key), false)
      await driver.create(key, 'one', 60_000)
      assert.equal(await driver.remove(key, 'two'), false)
      assert.equal(await driver.remove(key, 'one'), true)
      assert.equal(await driver.read(key), null)
      await driver.create(key, '', 60_000)
      assert.equal(await driver.remove(key, ''), true)
      await driver.create(key, 'two', 60_000)
      assert.equal(await driver.remove(key), true)
      assert.equal(await driver.read(key), null)
    },
  },
  {
    name: 'a value of another type counts as missing, and stays',
    async run({ driver, prefix, putOther }) {
      const key = `${prefix}other`
      await putOther(key)
      assert.equal(await driver.read(key), null)
      assert.deepEqual(await driver.create(key, 'one', 60_000), missing)
      assert.deepEqual(await driver.create(key, 'one', null), missing)
      assert.deepEqual(await driver.replace(key, '', 'one', null), missing)
      assert.equal(await driver.expire(key, 60_000), false)
      assert.equal(await driver.remove(key), false)
      assert.equal(await driver.remove(key, ''), false)
      assert.deepEqual(await driver.create(key, 'one', 60_000), missing)
    },
  },
  {
    name: 'scans strings by prefix, and takes no character of it for a pattern',
    async run({ driver, prefix, putOther }) {
      const names = Array.from({ length: 30 }, (_, number) => `${prefix}scan[1]*:${number}`)
      for (const name of names) await driver.create(name, 'one', 60_000)
      await driver.create(`${prefix}scan1x:0`, 'one', 60_000)
      await putOther(`${prefix}scan[1]*:list`)
      const found = new Set<string>()
      for await (const key of driver.scan(`${prefix}scan[1]*:`)) found.add(key)
      assert.deepEqual([...found].sort(), names.sort())
    },
  },
  {
    name: 'of parallel replacements of one value exactly one is written',
    async run({ driver, prefix }) {
      const key = `${prefix}race`
      await driver.create(key, 'start', 60_000)
      const texts = Array.from({ length: 8 }, (_, number) => `text ${number}`)
      const results = await Promise.all(texts.map((text) => driver.replace(key, 'start', text, null)))
      const winners = texts.filter((_, number) => results[number]?.status === 'written')
      assert.equal(winners.length, 1)
      assert.equal((await driver.read(key))?.text, winners[0])
    },
  },
]
