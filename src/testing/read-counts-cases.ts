/** The contract of a `ReadCountsDriver`: add up the reports of processes, keep them for 8 days, and separate origins. */
import assert from 'node:assert/strict'
import { COUNTS_KEPT_MS, HOUR_MS, type ReadBatch, type ReadCountsDriver } from '../migrate/read-counts-driver.ts'
import type { ConformanceCase } from './conformance.ts'

/** What the cases of a read-counts driver need. Each case gets an empty store. */
export interface ReadCountsHarness {
  /** The driver under test. */
  readonly driver: ReadCountsDriver
  /** Moves the store's time. */
  advance(ms: number): Promise<void>
}

const batch = (
  origin: string,
  counts: readonly (readonly ['adopted' | 'missing' | 'moved' | 'unreadable', number])[],
  over: Partial<ReadBatch> = {},
): ReadBatch => ({ origin, mode: 'read', keyPrefix: 'sess:', keyTags: [], counts: new Map(counts), ...over })

/** Cases of read-counts drivers. */
export const readCountsCases: readonly ConformanceCase<ReadCountsHarness>[] = [
  {
    name: 'reports of several processes add up, by origin and outcome',
    async run({ driver }) {
      assert.deepEqual(await driver.read(), [])
      await driver.add(batch('connect-redis', [['adopted', 2]]))
      await Promise.all([
        driver.add(batch('connect-redis', [['adopted', 3], ['missing', 7]])), // prettier-ignore
        driver.add(batch('auth0', [['adopted', 1]], { keyPrefix: null })),
      ])
      const [auth0, redis, ...others] = await driver.read()
      assert.deepEqual(others, [])
      assert.deepEqual([auth0?.origin, auth0?.keyPrefix], ['auth0', null])
      assert.deepEqual([redis?.origin, redis?.keyPrefix], ['connect-redis', 'sess:'])
      const sums = sumsOf(redis?.hours ?? [])
      assert.deepEqual(sums, { adopted: 5, missing: 7 })
    },
  },
  {
    name: 'each list of key tags is kept with its last report, for 8 days',
    async run({ driver, advance }) {
      const lists = async (): Promise<readonly (readonly string[])[]> =>
        ((await driver.read())[0]?.keyReports ?? []).map(({ keyTags }) => keyTags)
      await driver.add(batch('msal', [], { keyTags: ['00ff', '0a0b'] }))
      await advance(HOUR_MS)
      await driver.add(batch('msal', [], { keyTags: ['0c0d'] }))
      assert.deepEqual(await lists(), [['0c0d'], ['00ff', '0a0b']])
      const [last, first] = (await driver.read())[0]?.keyReports ?? []
      assert.ok((last?.lastMs ?? 0) - (first?.lastMs ?? 0) >= HOUR_MS)
      await driver.add(batch('msal', []))
      await driver.add(batch('auth0', [], { keyTags: ['0e0f'] }))
      assert.deepEqual((await driver.read()).find(({ origin }) => origin === 'msal')?.keyReports.length, 2)
      await advance(COUNTS_KEPT_MS - HOUR_MS / 2)
      await driver.add(batch('msal', [], { keyTags: ['0c0d'] }))
      await advance(HOUR_MS)
      await driver.add(batch('msal', [], { keyTags: ['0c0d'] }))
      const [msal] = (await driver.read()).filter(({ origin }) => origin === 'msal')
      assert.deepEqual(
        msal?.keyReports.map(({ keyTags }) => keyTags),
        [['0c0d']],
      )
    },
  },
  {
    name: 'hours are counted separately, and are those of the store',
    async run({ driver, advance }) {
      await driver.add(batch('msal', [['adopted', 1]]))
      await advance(2 * HOUR_MS)
      await driver.add(batch('msal', [['adopted', 4]]))
      const [msal] = await driver.read()
      const [first, second] = msal?.hours ?? []
      assert.deepEqual([first?.count, second?.count], [1, 4])
      assert.equal((second?.hour ?? 0) - (first?.hour ?? 0), 2)
    },
  },
  {
    name: 'a report without counts keeps the origin and its mode, and is no read',
    async run({ driver, advance }) {
      await driver.add(batch('msal', []))
      const [before] = await driver.read()
      assert.equal(before?.lastReadAtMs, null)
      assert.equal(before.modes.move, null)
      await advance(60_000)
      await driver.add(batch('msal', [['missing', 3], ['unreadable', 1]])) // prettier-ignore
      assert.equal((await driver.read())[0]?.lastReadAtMs, null)
      await driver.add(batch('msal', [['moved', 1]], { mode: 'move' }))
      const [after] = await driver.read()
      assert.ok(after?.modes.read && after.modes.move && after.lastReadAtMs)
      assert.equal(after.sinceMs, before.sinceMs)
      assert.ok(after.lastReadAtMs >= before.sinceMs + 60_000)
    },
  },
  {
    name: 'what no process reports any more goes after 8 days; an origin in use stays, without its old hours',
    async run({ driver, advance }) {
      await driver.add(batch('gone', [['adopted', 1]]))
      await driver.add(batch('used', [['adopted', 1]]))
      await advance(COUNTS_KEPT_MS / 2)
      await driver.add(batch('used', [['adopted', 2]], { mode: 'move' }))
      await advance(COUNTS_KEPT_MS / 2 + HOUR_MS)
      await driver.add(batch('used', [], { mode: 'move' }))
      const [used, ...others] = await driver.read()
      assert.deepEqual(others, [])
      assert.deepEqual([used?.origin, used?.modes.read, sumsOf(used?.hours ?? [])], ['used', null, { adopted: 2 }])
      await advance(COUNTS_KEPT_MS + 1000)
      assert.deepEqual(await driver.read(), [])
    },
  },
]

function sumsOf(hours: readonly { readonly outcome: string; readonly count: number }[]): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const { outcome, count } of hours) sums[outcome] = (sums[outcome] ?? 0) + count
  return sums
}
