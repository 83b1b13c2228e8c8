/** The contract of a `TransactionDriver`: remember a sign-in for a while, and let one caller through. */
import assert from 'node:assert/strict'
import type { ConformanceCase } from './conformance.ts'
import type { TransactionHarness } from './token-fixture.ts'

const TEN_MINUTES = 600_000
const sealedBy = Buffer.from([1, 2, 3, 4, 5])

/** Cases of transaction drivers. */
export const transactionCases: readonly ConformanceCase<TransactionHarness>[] = [
  {
    name: 'a sign-in is claimed once',
    async run({ driver }) {
      assert.equal(await driver.claim('state', sealedBy, TEN_MINUTES), true)
      assert.equal(await driver.claim('other', sealedBy, TEN_MINUTES), true)
      assert.equal(await driver.claim('state', sealedBy, TEN_MINUTES), false)
      assert.equal(await driver.claim('state', Buffer.from([1, 9, 9, 9, 9]), TEN_MINUTES), false)
    },
  },
  {
    name: 'of many parallel callers exactly one claims it',
    async run({ driver }) {
      const claims = Array.from({ length: 50 }, () => driver.claim('state', sealedBy, TEN_MINUTES))
      assert.equal((await Promise.all(claims)).filter((isFirst) => isFirst).length, 1)
    },
  },
  {
    name: 'a claim is forgotten after its life, and a second call does not lengthen it',
    async run({ driver, advance }) {
      assert.equal(await driver.claim('state', sealedBy, TEN_MINUTES), true)
      await advance(TEN_MINUTES - 5000)
      assert.equal(await driver.claim('state', sealedBy, TEN_MINUTES), false)
      await advance(6000)
      assert.equal(await driver.claim('state', sealedBy, TEN_MINUTES), true)
    },
  },
]
