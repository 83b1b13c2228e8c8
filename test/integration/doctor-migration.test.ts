/** The doctor on a migration: old keys in use, nothing read for 7 days, and states in which there is nothing to say. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { examineHealth, migrationStatus, openServer } from '../../src/entries/admin.ts'
import { systemClock } from '../../src/core/clock.ts'
import { EventBus } from '../../src/core/events.ts'
import { createRedisReadCountsDriver } from '../../src/stores/redis/read-counts-driver.ts'
import type { ReadBatch } from '../../src/migrate/read-counts-driver.ts'
import { openRedisClient } from '../../src/redis/open-client.ts'
import { limitsOf } from '../../src/redis/options.ts'
import { resolveDestination } from '../../src/redis/resolve-destination.ts'
import { redisKeys } from '../../src/stores/keys.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { createHealthWorld, type HealthWorld } from '../support/health-world.ts'
import { testFaults } from '../support/prepared-faults.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

let world: HealthWorld
beforeAll(async () => {
  world = await createHealthWorld()
  await world.redis.cli('acl', 'setuser', 'coatcheck', '~migration:*')
})
afterEach(() => world.redis.cli('flushall'))
afterAll(() => world.close())

type Report = readonly [agoMs: number, batch: Omit<ReadBatch, 'origin' | 'keyPrefix' | 'keyTags'>]

/** What processes reported at these times, the first one first. */
async function reported(...reports: readonly Report[]): Promise<void> {
  const destination = resolveDestination({ url: world.redis.url }, {})
  const client = openRedisClient(destination, limitsOf({}, {}), { clock: systemClock, events: new EventBus() })
  await client.ready()
  for (const [agoMs, batch] of reports) {
    const driver = createRedisReadCountsDriver(client, redisKeys(''), { timeOffsetMs: () => -agoMs })
    await driver.add({ origin: 'connect-redis', keyPrefix: 'sess:', keyTags: [], ...batch })
  }
  await client.close()
}

const none = new Map()
const unchanged = new Map([['unchanged', 1]] as const)
const nextSteps = async (): Promise<readonly string[]> => {
  const context = await openServer({ store: redisStore({ url: world.redis.url }) })
  await context.store.ready()
  const { origins } = await migrationStatus(context, { signal: new AbortController().signal })
  await context.close()
  return origins.map(({ next }) => next)
}

testFaults(
  () => world,
  [
    {
      fault: 'old keys that requests of the last hour found',
      prepare: async () => {
        const counts = new Map([['adopted', 4], ['synced', 2], ['missing', 900]] as const) // prettier-ignore
        await reported([2 * DAY_MS, { mode: 'read', counts: none }], [0, { mode: 'read', counts }])
        return { options: world.options() }
      },
      finds: ['DOCTOR_OLD_KEYS_IN_USE'],
      exit: 0,
      says: /^connect-redis: old keys still read by 6 requests in the last hour$/,
      fix: /coatcheck migrate status/,
    },
    {
      fault: 'an option that nothing needs any more',
      prepare: async () => {
        await reported(
          [7 * DAY_MS + HOUR_MS, { mode: 'move', counts: new Map([['moved', 3]]) }],
          [0, { mode: 'move', counts: new Map([['missing', 12]]) }],
        )
        return { options: world.options() }
      },
      finds: ['DOCTOR_OLD_KEYS_UNUSED'],
      exit: 0,
      says: /^connect-redis: nothing has been read from the old format for 7 days$/,
      fix: /Remove migrateFrom/,
    },
  ],
)

test.each<[string, readonly Report[], string]>([
  [
    'a migration that has only begun',
    [[DAY_MS, { mode: 'move', counts: new Map([['moved', 1]]) }], [0, { mode: 'move', counts: none }]], // prettier-ignore
    'wait',
  ],
  [
    'a day of move that has found no old record, as with a mistyped prefix',
    [[DAY_MS, { mode: 'move', counts: none }], [0, { mode: 'move', counts: none }]], // prettier-ignore
    'check',
  ],
  [
    'a day of read that has found no old record',
    [[DAY_MS, { mode: 'read', counts: none }], [0, { mode: 'read', counts: none }]], // prettier-ignore
    'check',
  ],
  [
    'the mode read, with a record that was read unchanged 5 days ago',
    [[7 * DAY_MS + HOUR_MS, { mode: 'read', counts: none }], [5 * DAY_MS, { mode: 'read', counts: unchanged }], [0, { mode: 'read', counts: none }]], // prettier-ignore
    'move',
  ],
  [
    'the mode read for less than a day: whether old processes write is not known yet',
    [[HOUR_MS, { mode: 'read', counts: none }], [0, { mode: 'read', counts: none }]], // prettier-ignore
    'stay',
  ],
  [
    'old processes that wrote within the day',
    [[8 * HOUR_MS, { mode: 'read', counts: new Map([['synced', 1]]) }], [0, { mode: 'read', counts: none }]], // prettier-ignore
    'stay',
  ],
  [
    'a rollout of move that is under way',
    [[60_000, { mode: 'read', counts: none }], [0, { mode: 'move', counts: none }]], // prettier-ignore
    'finish',
  ],
  [
    'a week of move, and processes that still read in read 5 days ago',
    [
      [7 * DAY_MS, { mode: 'move', counts: none }],
      [5 * DAY_MS, { mode: 'read', counts: unchanged }],
      [0, { mode: 'move', counts: none }],
    ],
    'wait',
  ],
])('nothing to find: %s', async (_what, reports, next) => {
  await reported(...reports)
  // An old key, so that "there is none left" does not answer.
  await world.redis.cli('set', 'sess:x', '{}', 'ex', '600')
  const report = await examineHealth(() => world.options(), { offline: true })
  expect(report.checks.flatMap(({ finding }) => (finding ? [finding.code] : []))).toEqual([])
  expect(report.checks.find(({ name }) => name === 'Migration')?.state).toBe('ok')
  expect(await nextSteps()).toEqual([next])
})

test('a week of read in which no old record was read: the option can go', async () => {
  await reported([7 * DAY_MS + HOUR_MS, { mode: 'read', counts: none }], [0, { mode: 'read', counts: none }])
  await world.redis.cli('set', 'sess:x', '{}', 'ex', '600')
  const report = await examineHealth(() => world.options(), { offline: true })
  expect(report.checks.flatMap(({ finding }) => (finding ? [finding.code] : []))).toEqual(['DOCTOR_OLD_KEYS_UNUSED'])
  expect(report.checks.find(({ name }) => name === 'Migration')?.says).toBe(
    'connect-redis: no old record was ever found',
  )
  expect(await nextSteps()).toEqual(['remove'])
})

test('no old key under a prefix that has found no record: the prefix may be wrong', async () => {
  await reported([60_000, { mode: 'move', counts: none }])
  expect(await nextSteps()).toEqual(['check'])
})

test('a user without the right to the counts: no migration, so nothing is said', async () => {
  await world.redis.cli('acl', 'setuser', 'coatcheck', '~host:*', '~host-set:*', '~canary:*')
  try {
    const report = await examineHealth(() => world.options(), { offline: true })
    expect(report.checks.flatMap(({ finding }) => (finding ? [finding.code] : []))).toEqual([])
    expect(report.checks.some(({ name }) => name === 'Migration')).toBe(false)
  } finally {
    await world.redis.cli('acl', 'setuser', 'coatcheck', '~migration:*')
  }
})

test('no old key left: the option can go at once, whatever the time', async () => {
  await reported([60_000, { mode: 'move', counts: new Map([['moved', 1]]) }])
  expect(await nextSteps()).toEqual(['remove'])
})
