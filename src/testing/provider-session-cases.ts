/** The contract of a `ProviderSessionDriver`. */
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
      assert.equal(await driver.register('a', 'later', NOW + 11, 3 * HOUR), 'registered')
      assert.deepEqual(
        await driver.end('a', NOW - 10, HOUR),
        [],
        'neither this logout nor the one that stands is later, by any clock of the provider',
      )
      assert.equal(await driver.register('a', 'same', NOW, HOUR), 'ended')
      await driver.end('b', NOW, HOUR)
      await advance(HOUR + 1000)
      assert.equal(await driver.register('b', 'early', NOW - 1, HOUR), 'registered')
    },
  },
  {
    name: 'a logout that is late or repeated ends no session whose ID token is younger',
    async run({ driver, advance }) {
      await driver.register('a', 'before', NOW - 1, 3 * HOUR)
      await driver.register('a', 'same', NOW, 3 * HOUR)
      await driver.register('a', 'apart', NOW + 10, 3 * HOUR)
      await driver.register('a', 'after', NOW + 11, 3 * HOUR)
      await driver.register('a', 'later', NOW + 60, 3 * HOUR)
      assert.deepEqual([...(await driver.end('a', NOW, HOUR))].sort(), ['apart', 'before', 'same'])
      assert.deepEqual([...(await driver.end('a', NOW, HOUR))].sort(), ['apart', 'before', 'same'], 'a repetition')
      await driver.remove('a', ['apart', 'before', 'same'])
      assert.deepEqual(await driver.end('a', NOW, HOUR), [])
      assert.deepEqual([...(await driver.list('a'))].sort(), ['after', 'later'])
      await advance(2 * HOUR)
      assert.deepEqual(await driver.end('a', NOW - 60, HOUR), [])
      assert.deepEqual(await driver.end('a', NOW + 1, HOUR), ['after'])
      assert.deepEqual([...(await driver.end('a', NOW, null))].sort(), ['after', 'later'], 'without a token, all end')
    },
  },
  {
    name: 'an entry takes its time of issue along, and an ID token without a usable one is older than every logout',
    async run({ driver, advance }) {
      await driver.register('a', 'one', NOW + 60, HOUR)
      await driver.register('a', 'gone', NOW + 60, HOUR)
      await driver.sweep('a', ['gone'])
      assert.deepEqual(await driver.list('a'), ['one'])
      await advance(HOUR + 1000)
      await driver.register('a', 'in ms', NOW * 1000, HOUR)
      assert.deepEqual(await driver.list('a'), ['in ms'])
      assert.deepEqual(await driver.end('a', NOW, HOUR), ['in ms'])
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
    name: 'a provider session whose entries have doubled says so to one of all sign-ins, and again after twice as many as a sweep left',
    async run({ driver }) {
      const register = async (first: number, count: number): Promise<string[]> => {
        const ids = Array.from({ length: count }, (_, i) => `s${first + i}`)
        const answers = await Promise.all(ids.map(async (id) => [id, await driver.register('a', id, NOW, HOUR)]))
        return answers.flatMap(([id, answer]) => (answer === 'crowded' ? [id ?? ''] : []))
      }
      assert.deepEqual(await register(0, 16), [])
      assert.equal((await register(16, 8)).length, 1)
      const listed = await driver.list('a')
      assert.deepEqual([...listed].sort(), Array.from({ length: 24 }, (_, i) => `s${i}`).sort())
      await driver.sweep('a', listed.slice(0, 20))
      assert.deepEqual([...(await driver.list('a'))].sort(), [...listed.slice(20)].sort())
      assert.deepEqual(await register(100, 20), [], '24 are not more than twice 4, and 16')
      assert.equal((await register(120, 1)).length, 1)
      assert.equal((await driver.end('a', NOW, HOUR)).length, 25)
    },
  },
  {
    name: 'entries that go otherwise count no more, and a sweep of what is unknown writes nothing',
    async run({ driver }) {
      await driver.sweep('unknown', [])
      assert.deepEqual(await driver.end('unknown', NOW, null), [])
      assert.equal(await driver.register('unknown', 'early', NOW - 1, HOUR), 'registered', 'nothing was written')
      const ids = Array.from({ length: 100 }, (_, i) => `s${i}`)
      for (const id of ids) await driver.register('a', id, NOW, HOUR)
      await driver.remove('a', ids)
      const answers: string[] = []
      for (const id of ids.slice(0, 20)) answers.push(await driver.register('a', id, NOW, HOUR))
      assert.equal(answers.filter((answer) => answer === 'crowded').length, 1)
    },
  },
  {
    name: 'a logout token is used from its mark on, until its life is over',
    async run({ driver, advance }) {
      assert.equal(await driver.isUsed('a'), false)
      await Promise.all([1, 2].map(() => driver.markUsed('a', HOUR)))
      assert.deepEqual(await Promise.all(['a', 'b'].map((name) => driver.isUsed(name))), [true, false])
      await advance(HOUR + 1000)
      assert.equal(await driver.isUsed('a'), false)
      await driver.markUsed('a', HOUR)
      assert.equal(await driver.isUsed('a'), true)
    },
  },
]
