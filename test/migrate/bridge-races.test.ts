/** The adoption of an old cookie in many orders of its steps, beside the end of all sessions of its user. The drivers are those of memory. */
import { expect, test } from 'vitest'
import { EventBus } from '../../src/core/events.ts'
import { systemRandom } from '../../src/core/random.ts'
import { createMemoryDocumentDriver } from '../../src/stores/memory/document-driver.ts'
import { createKeyring } from '../../src/keyring/keyring.ts'
import { createSeal } from '../../src/keyring/seal.ts'
import { MemorySpace } from '../../src/stores/memory/space.ts'
import { type Adoption, createAdoption } from '../../src/migrate/bridges/adoption.ts'
import type { VerifiedCookie } from '../../src/migrate/bridges/verified-cookie.ts'
import { redisKeys } from '../../src/stores/keys.ts'
import { createMemorySessionDriver } from '../../src/stores/memory/session-driver.ts'
import { createSessionStore } from '../../src/session/session-store.ts'
import { createFakeClock } from '../../src/testing/fake-clock.ts'
import { testKey } from '../../src/testing/session-fixture.ts'
import { explore, type Scheduler } from '../support/interleavings.ts'

const HOUR_MS = 3_600_000
const REQUEST = { device: () => undefined, carried: {} }
const CONFIG = {
  ...{ idleTimeoutMs: 8 * HOUR_MS, absoluteTimeoutMs: 24 * HOUR_MS, staleForMs: 0, maxBytes: 65_536 },
  ...{ schema: null, schemaVersion: 1, upcasts: {}, limit: null, onUnavailable: 'fail' as const },
}

class World {
  readonly #clock = createFakeClock()
  readonly #space = new MemorySpace({ clock: this.#clock })
  readonly #scheduler: Scheduler

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  /** A process with the bridge. */
  process(isStepwise = true) {
    const steps = <T extends object>(driver: T): T => (isStepwise ? this.#scheduler.steps(driver) : driver)
    const keyring = createKeyring(testKey('bridges'))
    const shared = { keyring, seal: createSeal(keyring), namespace: '', events: new EventBus() }
    const driver = steps(createMemorySessionDriver(this.#space, redisKeys(''), systemRandom))
    const deps = { ...shared, driver, config: CONFIG, clock: this.#clock, random: systemRandom }
    const adoption: Adoption = createAdoption(
      {
        documents: { ...shared, driver: steps(createMemoryDocumentDriver(this.#space, redisKeys(''))) },
        planned: deps,
        revoke: (id, reason) => sessions.revoke(id, reason),
        closing: () => undefined,
        register: () => Promise.resolve(true),
        ...{ clock: this.#clock, events: shared.events },
      },
      { origin: 'test', caller: 'test()', user: (old: { userId: string }) => old },
    )
    const sessions = createSessionStore({ ...deps, revoking: (userKey) => adoption.revoking(userKey) })
    return { adoption, sessions }
  }

  cookie(identity: string): VerifiedCookie {
    const beganAtMs = this.#clock.now() - 60_000
    return {
      identity,
      endsAtMs: this.#clock.now() + HOUR_MS,
      load: async () => ({ data: { userId: 'ada' }, endsAtMs: null, beganAtMs }),
      end: async () => undefined,
    }
  }
}

type Actor = (world: World) => Promise<unknown>
const adopts =
  (identity: string): Actor =>
  (world) =>
    world.process().adoption.adopt(world.cookie(identity), REQUEST)
const revokes: Actor = (world) => world.process().sessions.revokeByUser('ada')

test.each<[string, Actor[]]>([
  ['an adoption', [adopts('one'), revokes]],
  ['two adoptions of one cookie', [adopts('one'), adopts('one'), revokes]],
  ['adoptions of two cookies', [adopts('one'), adopts('two'), revokes]],
])('%s beside the end of all sessions of the user: none is left', { timeout: 60_000 }, async (_title, actors) => {
  await explore(
    {
      start(scheduler) {
        const world = new World(scheduler)
        return { world, actors: actors.map((actor) => () => actor(world)) }
      },
      async check(world) {
        const { adoption, sessions } = world.process(false)
        expect(await sessions.listByUser('ada')).toEqual([])
        for (const identity of ['one', 'two']) await adoption.adopt(world.cookie(identity), REQUEST)
        expect(await sessions.listByUser('ada')).toEqual([])
      },
    },
    Number(process.env['RACE_ORDERS'] ?? 60),
  )
})
