/** The contract of a `RevocationDriver`, and what token revocations put into the outbox. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { END_OF_LIFE_BYTES } from '../keyring/record-layout.ts'
import { nonceOf } from '../keyring/seal.ts'
import type { TokenRevocations, OutboxEntry, RevocationDriver } from '../token/revocation-driver.ts'
import { NO_TOKEN_REVOCATIONS, OUTBOX_LIFE_MS } from '../token/revocation-driver.ts'
import type { TokenDriver } from '../token/token-driver.ts'
import { fieldsOf, grantField } from '../token/token-fields.ts'
import type { ConformanceCase } from './conformance.ts'

/** What the cases of a revocation driver need. */
export interface RevocationHarness {
  /** The driver under test. */
  readonly driver: RevocationDriver
  /** Token drivers over the same store. */
  tokens(tokenRevocations: TokenRevocations): TokenDriver
  /** Moves the store's time. */
  advance(ms: number): Promise<void>
}

const USER = 'AAAAAAAAAAAAAAAA'
const OTHER = 'BBBBBBBBBBBBBBBB'
const HOUR = 3_600_000

function record(): Buffer {
  return Buffer.concat([Buffer.alloc(END_OF_LIFE_BYTES), randomBytes(60)])
}

function entryOf(provider: string, sealed: Buffer): OutboxEntry {
  const nonce = nonceOf(sealed, END_OF_LIFE_BYTES)
  return { provider, nonce, record: sealed }
}

const bodies = (entries: readonly OutboxEntry[]): string[] =>
  entries.map(({ provider, record: sealed }) => `${provider} ${sealed.toString('hex', END_OF_LIFE_BYTES)}`).sort()

/** Cases of revocation drivers. */
export const revocationCases: readonly ConformanceCase<RevocationHarness>[] = [
  {
    name: 'entries are kept per user until they are removed, or have become too old',
    async run({ driver, advance }) {
      const [first, second] = [entryOf('idp', record()), entryOf('a:b', record())]
      assert.deepEqual(await driver.list(USER), [])
      await driver.add(USER, first, HOUR)
      await driver.add(USER, second, HOUR)
      assert.deepEqual(bodies(await driver.list(USER)), bodies([first, second]))
      assert.deepEqual(await driver.list(OTHER), [])
      const [one] = await driver.list(USER)
      if (one) await driver.remove(USER, one)
      assert.equal((await driver.list(USER)).length, 1)
      await advance(HOUR + 1000)
      assert.deepEqual(await driver.list(USER), [])
    },
  },
  {
    name: 'one worker claims a due user; the user is due again when the claim is over, and is removed when the claim is complete',
    async run({ driver, advance }) {
      await driver.announce(USER, 5000)
      await driver.announce(USER, 60_000)
      await driver.announce(OTHER, 60_000)
      assert.deepEqual(await driver.claim(10, 30_000), [])
      await advance(5001)
      const both = await Promise.all([driver.claim(10, 30_000), driver.claim(10, 30_000)])
      assert.deepEqual(
        both.flat().map(({ userKey }) => userKey),
        [USER],
      )
      await advance(30_001)
      const [again] = await driver.claim(10, 30_000)
      assert.equal(again?.userKey, USER)
      await driver.completeClaim(again, 10_000)
      await advance(9000)
      assert.deepEqual(await driver.claim(10, 30_000), [])
      await advance(2000)
      const [last] = await driver.claim(10, 30_000)
      // Another process announces it again meanwhile, so the earlier claim must not remove it.
      await driver.announce(USER, 0)
      if (last) await driver.completeClaim(last, null)
      await advance(1)
      assert.deepEqual(
        (await driver.claim(1, 30_000)).map(({ userKey }) => userKey),
        [USER],
      )
    },
  },
  {
    name: 'deleted tokens leave the grants of the named providers in the outbox, byte for byte',
    async run({ driver, tokens }) {
      const announced: string[] = []
      const moved: string[] = []
      const ours = tokens({
        providers: ['idp', 'second'],
        announce: (userKey) => announced.push(userKey),
        moved: (userKey) => moved.push(userKey),
      })
      const [idp, second, foreign] = [record(), record(), record()]
      const ttlMs = HOUR
      const store = (): Promise<unknown> =>
        ours.write(USER, {
          set: new Map([
            [grantField('idp'), { record: idp, ttlMs }],
            [grantField('second'), { record: second, ttlMs }],
            [grantField('foreign'), { record: foreign, ttlMs }],
            ['access:idp:', { record: record(), ttlMs }],
          ]),
        })
      await store()
      assert.equal((await ours.delete(USER, fieldsOf('idp'))).count, 2)
      assert.deepEqual(bodies(await driver.list(USER)), bodies([entryOf('idp', idp)]))
      assert.equal((await ours.delete(USER)).count, 2)
      assert.deepEqual(bodies(await driver.list(USER)), bodies([entryOf('idp', idp), entryOf('second', second)]))
      assert.deepEqual(
        [announced, moved],
        [
          [USER, USER],
          [USER, USER],
        ],
      )
      await store()
      for (const entry of await driver.list(USER)) await driver.remove(USER, entry)
      await tokens(NO_TOKEN_REVOCATIONS).delete(USER)
      assert.deepEqual(await driver.list(USER), [])
      await ours.delete(USER)
      assert.deepEqual(await driver.list(USER), [])
      assert.ok(OUTBOX_LIFE_MS > HOUR)
    },
  },
]
