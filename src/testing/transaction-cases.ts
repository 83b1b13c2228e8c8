/** What a `TransactionDriver` must do: keep for a while, give away once. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { ConformanceCase } from './conformance.ts'
import type { TransactionHarness } from './token-fixture.ts'

const TEN_MINUTES = 600_000

/** Cases of transaction drivers. */
export const transactionCases: readonly ConformanceCase<TransactionHarness>[] = [
  {
    name: 'a transaction is taken once, byte for byte',
    async run({ driver }) {
      const record = randomBytes(300)
      const original = Buffer.from(record)
      await driver.put('state', record, TEN_MINUTES)
      record.fill(0)
      assert.equal(await driver.take('other'), null)
      assert.deepEqual(await driver.take('state'), original)
      assert.equal(await driver.take('state'), null)
    },
  },
  {
    name: 'of many parallel callers exactly one takes it',
    async run({ driver }) {
      await driver.put('state', Buffer.from('once'), TEN_MINUTES)
      const taken = await Promise.all(Array.from({ length: 50 }, () => driver.take('state')))
      assert.equal(taken.filter((record) => record !== null).length, 1)
    },
  },
  {
    name: 'a transaction is gone after its life',
    async run({ driver, advance }) {
      await driver.put('early', Buffer.from('early'), TEN_MINUTES)
      await driver.put('late', Buffer.from('late'), TEN_MINUTES)
      await advance(TEN_MINUTES - 5000)
      assert.deepEqual(await driver.take('early'), Buffer.from('early'))
      await advance(6000)
      assert.equal(await driver.take('late'), null)
    },
  },
]
