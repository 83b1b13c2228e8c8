/** The adoption of tokens in many orders of the steps of several processes, beside sign-ins and ends. The drivers are those of memory. */
import { expect, test } from 'vitest'
import { EventBus } from '../../src/core/events.ts'
import { createDocuments } from '../../src/documents/documents.ts'
import { createMemoryDocumentDriver } from '../../src/documents/drivers/memory.ts'
import { createSeal } from '../../src/keyring/seal.ts'
import { MemorySpace } from '../../src/memory/space.ts'
import { createMemoryOldRecordDriver } from '../../src/migrate/drivers/memory.ts'
import { fromGuideTokens } from '../../src/migrate.ts'
import { redisKeys } from '../../src/redis/keys.ts'
import { createFakeClock } from '../../src/testing/fake-clock.ts'
import { tokenFixture } from '../../src/testing/token-fixture.ts'
import { createMemoryTokenDriver } from '../../src/token/drivers/memory.ts'
import { explore, type Scheduler } from '../support/interleavings.ts'

const MOST_ORDERS = Number(process.env['RACE_ORDERS'] ?? 60)

class World {
  readonly #clock = createFakeClock()
  readonly #space = new MemorySpace({ clock: this.#clock })
  readonly #oldSpace = new MemorySpace({ clock: this.#clock })
  readonly #scheduler: Scheduler

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  /** A process with the origin. */
  process(isStepwise = true) {
    const steps = <T extends object>(driver: T): T => (isStepwise ? this.#scheduler.steps(driver) : driver)
    const driver = steps(createMemoryTokenDriver(this.#space, redisKeys('')))
    const { cache, keyring } = tokenFixture({ driver, clock: this.#clock })
    const events = new EventBus()
    const documents = { keyring, seal: createSeal(keyring), namespace: '', events }
    const marks = createMemoryDocumentDriver(this.#space, redisKeys(''))
    const origin = fromGuideTokens().attach({
      ...{ tokens: cache, keyring, events, clock: this.#clock, provider: 'entra' },
      marks: createDocuments({ ...documents, driver: steps(marks) }, 'adopted-tokens'),
      sessions: { list: () => Promise.resolve([]) },
      old: steps(createMemoryOldRecordDriver(this.#oldSpace)),
    })
    return { cache, origin }
  }

  async storeOld(): Promise<void> {
    const tokens = { accessToken: 'old', refreshToken: 'old refresh', expiresAt: this.#clock.now() - 1 }
    await createMemoryOldRecordDriver(this.#oldSpace).create('user:ada:tokens', JSON.stringify(tokens), null)
  }

  expiresAt(): number {
    return this.#clock.now() + 3_600_000
  }
}

type Actor = (world: World) => Promise<unknown>
const adopts: Actor = (world) => world.process().origin.user('ada')
/** As `auth.tokens.deleteUserTokens` does. */
const ends: Actor = async (world) => {
  const { origin, cache } = world.process()
  await origin.ending('ada')
  await cache.deleteUserTokens('ada')
  return 'ended'
}
const signsIn: Actor = async (world) => {
  const tokens = { accessToken: 'new', refreshToken: 'new refresh', expiresAt: world.expiresAt() }
  await world.process().cache.setUserTokens('ada', tokens, { provider: 'entra' })
  return 'signed in'
}

test.each<[string, Actor[], string | null]>([
  ['two first uses: one adopts, and the tokens are there', [adopts, adopts], 'old refresh'],
  ['three first uses: one adopts, and the tokens are there', [adopts, adopts, adopts], 'old refresh'],
  ['a first use beside the end of the tokens: nothing is left', [adopts, ends], null],
  ['two first uses beside the end of the tokens: nothing is left', [adopts, adopts, ends], null],
  ['a first use beside a sign-in: the sign-in decides', [adopts, signsIn], 'new refresh'],
])('%s', { timeout: 60_000 }, async (_title, actors, expected) => {
  await explore(
    {
      start(scheduler) {
        const world = new World(scheduler)
        const ready = world.storeOld()
        return { world, actors: actors.map((actor) => async () => ready.then(() => actor(world))) }
      },
      async check(world, results) {
        const { cache, origin } = world.process(false)
        const tokens = await cache.getUserTokens('ada', { provider: 'entra' })
        expect(tokens?.refreshToken ?? null).toBe(expected)
        expect(results.filter((result) => result === 'adopted').length).toBeLessThanOrEqual(1)
        if (expected === 'old refresh') expect(results).toContain('adopted')
        // Nor does a later use adopt again.
        expect(await origin.user('ada')).toBe('present')
        expect((await cache.getUserTokens('ada', { provider: 'entra' }))?.refreshToken ?? null).toBe(expected)
      },
    },
    MOST_ORDERS,
  )
})
