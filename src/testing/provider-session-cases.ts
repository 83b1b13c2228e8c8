/** What a `ProviderSessionDriver` must do. */
import assert from 'node:assert/strict'
import type { ProviderSessionDriver } from '../oidc/provider-session-driver.ts'
import type { ConformanceCase } from './conformance.ts'

/** What the cases of a provider session driver need. */
export interface ProviderSessionHarness {
  /** The driver under test. */
  readonly driver: ProviderSessionDriver
  /** Moves the store's time. */
  advance(ms: number): Promise<void>
}

const HOUR = 3_600_000
const NOW = 1_800_000_000

/** Cases of provider session drivers. */
export const providerSessionCases: readonly ConformanceCase<ProviderSessionHarness>[] = [
  {
    name: 'an ended provider session gives its sessions until they are removed, and none whose life is over',
    async run({ driver, advance }) {
      assert.deepEqual(await driver.end('unknown', NOW, HOUR), [])
      await driver.register('a', 'short', NOW, HOUR)
      await driver.register('a', 'one', NOW, 3 * HOUR)
      await driver.register('a', 'two', NOW, 3 * HOUR)
      await driver.register('b', 'other', NOW, 3 * HOUR)
      await advance(2 * HOUR)
      assert.deepEqual([...(await driver.end('a', NOW, HOUR))].sort(), ['one', 'two'])
      await driver.remove('a', ['one'])
      await driver.remove('a', [])
      assert.deepEqual(await driver.end('a', NOW, HOUR), ['two'])
      assert.deepEqual(await driver.end('b', NOW, HOUR), ['other'])
    },
  },
  {
    name: 'a logout wins against a sign-in whose ID token is not younger, for as long as its mark stands',
    async run({ driver, advance }) {
      await driver.end('a', NOW, HOUR)
      assert.equal(await driver.register('a', 'early', NOW - 1, HOUR), 'ended')
      assert.equal(await driver.register('a', 'same', NOW, HOUR), 'ended')
      assert.equal(await driver.register('a', 'later', NOW + 1, 3 * HOUR), 'registered')
      assert.deepEqual(await driver.end('a', NOW - 10, HOUR), ['later'])
      assert.equal(await driver.register('a', 'same', NOW, HOUR), 'ended')
      await driver.end('b', NOW, HOUR)
      await advance(HOUR + 1000)
      assert.equal(await driver.register('b', 'early', NOW - 1, HOUR), 'registered')
    },
  },
  {
    name: 'without a mark nothing is written for what is not known',
    async run({ driver }) {
      assert.deepEqual(await driver.end('a', NOW, null), [])
      assert.equal(await driver.register('a', 'one', NOW - 1, HOUR), 'registered')
      assert.deepEqual(await driver.end('a', NOW, null), ['one'])
      assert.equal(await driver.register('a', 'two', NOW, HOUR), 'ended')
    },
  },
  {
    name: 'a logout token is remembered once, until it is forgotten or too old',
    async run({ driver, advance }) {
      const all = await Promise.all([1, 2, 3, 4].map(() => driver.remember('a', HOUR)))
      assert.deepEqual(all.filter(Boolean), [true])
      await driver.forget('a')
      assert.equal(await driver.remember('a', HOUR), true)
      await advance(HOUR + 1000)
      assert.equal(await driver.remember('a', HOUR), true)
    },
  },
]
