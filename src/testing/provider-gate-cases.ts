/** The contract of a `ProviderGateDriver`: count failures, pause, and let one process try after a pause. */
import assert from 'node:assert/strict'
import { GATE_REMEMBERED_MS, type ProviderGateDriver } from '../token/provider-gate-driver.ts'
import type { ConformanceCase } from './conformance.ts'

/** What the cases of a provider gate driver need. */
export interface ProviderGateHarness {
  /** The driver under test. */
  readonly driver: ProviderGateDriver
  /** Moves the store's time. */
  advance(ms: number): Promise<void>
}

const TRIAL_MS = 10_000

/** Cases of provider gate drivers. */
export const providerGateCases: readonly ConformanceCase<ProviderGateHarness>[] = [
  {
    name: 'failures are counted until the provider works',
    async run({ driver, advance }) {
      assert.deepEqual(await driver.enter('a', TRIAL_MS), { isOpen: true, failures: 0 })
      await driver.failed('a', 0, 'transient')
      await driver.failed('a', 0, 'transient')
      assert.deepEqual(await driver.enter('a', TRIAL_MS), { isOpen: true, failures: 2 })
      assert.deepEqual(await driver.enter('a', TRIAL_MS), { isOpen: true, failures: 2 })
      assert.deepEqual(await driver.enter('b', TRIAL_MS), { isOpen: true, failures: 0 })
      await driver.worked('a')
      assert.deepEqual(await driver.enter('a', TRIAL_MS), { isOpen: true, failures: 0 })
      await driver.failed('a', 0, 'transient')
      await advance(GATE_REMEMBERED_MS + 1000)
      assert.deepEqual(await driver.enter('a', TRIAL_MS), { isOpen: true, failures: 0 })
    },
  },
  {
    name: 'a check after a pause takes no trial from other processes; a check within the pause returns the time to wait',
    async run({ driver, advance }) {
      assert.deepEqual(await driver.enter('a', 0), { isOpen: true, failures: 0 })
      await driver.failed('a', 7000, 'transient')
      const answer = await driver.enter('a', 0)
      assert.ok(!answer.isOpen && answer.waitMs > 6000 && answer.waitMs <= 7000)
      await advance(7001)
      assert.deepEqual(await driver.enter('a', 0), { isOpen: true, failures: 1 })
      assert.deepEqual(await driver.enter('a', 0), { isOpen: true, failures: 1 })
      assert.deepEqual(await driver.enter('a', TRIAL_MS), { isOpen: true, failures: 1 })
      const during = await driver.enter('a', 0)
      assert.ok(!during.isOpen && during.waitMs <= TRIAL_MS)
    },
  },
  {
    name: 'a pause holds to its end, and no shorter one cuts it; then one may try, and after it another',
    async run({ driver, advance }) {
      await driver.failed('a', 7000, 'operator-error')
      await driver.failed('a', 1000, 'transient')
      await driver.failed('a', 0, 'transient')
      const answer = await driver.enter('a', TRIAL_MS)
      assert.ok(!answer.isOpen && answer.outcome === 'transient' && answer.waitMs > 6000 && answer.waitMs <= 7000)
      await advance(7001)
      const answers = await Promise.all([1, 2, 3].map(() => driver.enter('a', TRIAL_MS)))
      assert.deepEqual(
        answers.map(({ isOpen }) => isOpen),
        [true, false, false],
      )
      await advance(TRIAL_MS + 1)
      assert.deepEqual(await driver.enter('a', TRIAL_MS), { isOpen: true, failures: 3 })
      await driver.worked('a')
      assert.deepEqual(await driver.enter('a', TRIAL_MS), { isOpen: true, failures: 0 })
      assert.deepEqual(await driver.enter('a', TRIAL_MS), { isOpen: true, failures: 0 })
    },
  },
]
