/** The adoption of tokens in many orders of the steps of several processes, beside sign-ins and ends. The drivers are those of memory. */
import { expect, test } from 'vitest'
import { EventBus } from '../../src/core/events.ts'
import { createDocuments } from '../../src/documents/documents.ts'
import { createMemoryDocumentDriver } from '../../src/stores/memory/document-driver.ts'
import { createSeal } from '../../src/keyring/seal.ts'
import { MemorySpace } from '../../src/stores/memory/space.ts'
import { createMemoryOldRecordDriver } from '../../src/stores/memory/old-record-driver.ts'
import { fromGuideTokens } from '../../src/entries/migrate.ts'
import { systemRandom } from '../../src/core/random.ts'
import { redisKeys } from '../../src/stores/keys.ts'
import { createMemorySessionDriver } from '../../src/stores/memory/session-driver.ts'
import { createSessionStore } from '../../src/session/session-store.ts'
import { createFakeClock } from '../../src/testing/fake-clock.ts'
import { tokenFixture } from '../../src/testing/token-fixture.ts'
import { createMemoryTokenDriver } from '../../src/stores/memory/token-driver.ts'
import { explore, type Scheduler } from '../support/interleavings.ts'

const HOUR_MS = 3_600_000
const SESSION_CONFIG = {
  ...{ idleTimeoutMs: 8 * HOUR_MS, absoluteTimeoutMs: 24 * HOUR_MS, staleForMs: 0, maxBytes: 65_536 },
  ...{ schema: null, schemaVersion: 1, upcasts: {}, limit: null, onUnavailable: 'fail' as const },
}
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
    const sessionDriver = steps(createMemorySessionDriver(this.#space, redisKeys(''), systemRandom))
    const origin = fromGuideTokens().attach({
      ...{ tokens: cache, keyring, events, clock: this.#clock, provider: 'entra' },
      marks: createDocuments({ ...documents, driver: steps(marks) }, 'adopted-tokens'),
      sessions: sessionDriver,
      old: steps(createMemoryOldRecordDriver(this.#oldSpace)),
    })
    const sessions = createSessionStore({
      ...{ ...documents, driver: sessionDriver, config: SESSION_CONFIG },
      ...{ clock: this.#clock, random: systemRandom },
    })
    return { cache, origin, sessions, userKey: keyring.userKey('ada') }
  }

  /** A session of Ada. */
  async sessionId(): Promise<string> {
    return (await this.process(false).sessions.create({ userId: 'ada' })).session.id ?? ''
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

/** As `auth.sessions.revoke` does, and `adopted-tokens.ts` when it hears of it. */
const signsOut: Actor = async (world) => {
  const { origin, sessions, userKey } = world.process()
  const [session] = await world.process(false).sessions.listByUser('ada')
  await sessions.revoke(session?.id ?? '')
  await origin.signedOut(userKey, true)
  return 'signed out'
}
const endsAllSessions: Actor = async (world) => {
  const { origin, sessions, userKey } = world.process()
  await sessions.revokeByUser('ada')
  await origin.signedOut(userKey, false)
  return 'signed out'
}
/** A sign-in stores its session first. */
const signsInAgain: Actor = async (world) => {
  const { sessions } = world.process()
  await sessions.create({ userId: 'ada' })
  return signsIn(world)
}

test.each<[string, Actor[], string | null]>([
  ['two first uses: one adopts, and the tokens are there', [adopts, adopts], 'old refresh'],
  ['three first uses: one adopts, and the tokens are there', [adopts, adopts, adopts], 'old refresh'],
  ['a first use beside the end of the tokens: nothing is left', [adopts, ends], null],
  ['two first uses beside the end of the tokens: nothing is left', [adopts, adopts, ends], null],
  ['a first use beside a sign-in: the sign-in decides', [adopts, signsIn], 'new refresh'],
  ['a first use beside the last sign-out: nothing is left', [adopts, signsOut], null],
  ['two first uses beside the last sign-out: nothing is left', [adopts, adopts, signsOut], null],
  ['a first use beside the end of all sessions: nothing is left', [adopts, endsAllSessions], null],
])('%s', { timeout: 60_000 }, async (_title, actors, expected) => {
  await explore(
    {
      start(scheduler) {
        const world = new World(scheduler)
        const ready = Promise.all([world.storeOld(), world.sessionId()])
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

test(
  'a first use and a sign-out beside a new sign-in: the tokens of the sign-in stay',
  { timeout: 60_000 },
  async () => {
    await explore(
      {
        start(scheduler) {
          const world = new World(scheduler)
          const ready = Promise.all([world.storeOld(), world.sessionId()])
          const actors = [adopts, signsOut, signsInAgain].map((actor) => async () => ready.then(() => actor(world)))
          return { world, actors }
        },
        async check(world) {
          const { cache, sessions } = world.process(false)
          const tokens = await cache.getUserTokens('ada', { provider: 'entra' })
          // The sign-out may have ended either session: while one lives, so do the tokens of the sign-in.
          const isSignedIn = (await sessions.listByUser('ada')).length > 0
          expect(tokens?.refreshToken ?? null).toBe(isSignedIn ? 'new refresh' : null)
        },
      },
      MOST_ORDERS,
    )
  },
)
