/** The origin `msalCache` in many orders of the steps of processes in both modes. The drivers are those of memory. */
import { describe, expect, test } from 'vitest'
import { type MsalCache, parseCache } from '../../src/drop-ins/msal/cache-merge.ts'
import { createPartitionStore, type Partitioned } from '../../src/drop-ins/msal/partition-store.ts'
import { EventBus } from '../../src/core/events.ts'
import { createKeyring } from '../../src/keyring/keyring.ts'
import { createSeal } from '../../src/keyring/seal.ts'
import { MemorySpace } from '../../src/stores/memory/space.ts'
import { createMemoryOldRecordDriver } from '../../src/stores/memory/old-record-driver.ts'
import { msalCache } from '../../src/migrate/msal-cache.ts'
import type { OldRecordDriver } from '../../src/migrate/old-record-driver.ts'
import type { MigrationMode } from '../../src/migrate/migration-mode.ts'
import { redisKeys } from '../../src/stores/keys.ts'
import { createFakeClock } from '../../src/testing/fake-clock.ts'
import { testKey } from '../../src/testing/session-fixture.ts'
import { createMemoryTokenDriver } from '../../src/stores/memory/token-driver.ts'
import { createTokenCodec } from '../../src/token/token-codec.ts'
import { explore, type Scheduler } from '../support/interleavings.ts'

const MOST_ORDERS = Number(process.env['RACE_ORDERS'] ?? 60)
const HOME = 'ada.tenant'
const keyring = createKeyring(testKey('races'))
const seal = createSeal(keyring)
const entry = (secret: string) => ({ home_account_id: HOME, secret, expires_on: '9999999999' })
const before: MsalCache = {
  Account: { ada: { home_account_id: HOME } },
  IdToken: {},
  AccessToken: {},
  RefreshToken: { ada: { home_account_id: HOME, secret: 'refresh' } },
  AppMetadata: {},
}

class World {
  readonly #clock = createFakeClock()
  readonly #space = new MemorySpace({ clock: this.#clock })
  readonly #oldSpace = new MemorySpace({ clock: this.#clock })
  readonly #scheduler: Scheduler

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  #steps<T extends object>(driver: T, isStepwise: boolean): T {
    return isStepwise ? this.#scheduler.steps(driver) : driver
  }

  process(
    mode: MigrationMode,
    isStepwise = true,
    { layout = 'user', old = this.old(isStepwise) }: { layout?: 'user' | 'shared'; old?: OldRecordDriver } = {},
  ): Partitioned {
    const events = new EventBus()
    const partitions = createPartitionStore({
      driver: this.#steps(createMemoryTokenDriver(this.#space, redisKeys('')), isStepwise),
      codec: createTokenCodec(seal, ''),
      userKeyOf: (partition) => keyring.userKey(partition),
      ...{ grantLifetimeMs: 3_600_000, clock: this.#clock, events },
    })
    return msalCache({ mode, layout, keyOf: () => 'msal' }).attach({
      ...{ partitions, clock: this.#clock, events, old, closing: () => undefined },
    })
  }

  old(isStepwise = false) {
    return this.#steps(createMemoryOldRecordDriver(this.#oldSpace), isStepwise)
  }
}

type Actor = (store: Partitioned) => Promise<unknown>
const visit: Actor = async (store) => parseCache((await store.read(HOME)).text)['Account']?.['ada'] !== undefined
const writes =
  (name: string): Actor =>
  async (store) => {
    const known = await store.read(HOME)
    const cache = parseCache(known.text)
    const now = { ...cache, AccessToken: { ...cache['AccessToken'], [name]: entry(name) } }
    await store.change(HOME, { before: cache, now }, known)
    return true
  }
const removes: Actor = async (store) => {
  const known = await store.read(HOME)
  const now = { Account: {}, IdToken: {}, AccessToken: {}, RefreshToken: {}, AppMetadata: {} }
  await store.change(HOME, { before: parseCache(known.text), now }, known)
  return true
}

const race = (
  actors: readonly (readonly [MigrationMode, Actor])[],
  check: (world: World, results: readonly unknown[]) => Promise<void>,
) =>
  explore(
    {
      start(scheduler) {
        const world = new World(scheduler)
        const ready = world.old().create('msal', JSON.stringify(before), null)
        const run = (mode: MigrationMode, actor: Actor) => async () => ready.then(() => actor(world.process(mode)))
        return { world, actors: actors.map(([mode, actor]) => run(mode, actor)) }
      },
      check,
    },
    MOST_ORDERS,
  )

describe('processes in both modes', () => {
  test.each<[string, (readonly [MigrationMode, Actor])[], string[]]>([
    [
      'two writes in read',
      [
        ['read', writes('a')],
        ['read', writes('b')],
      ],
      ['a', 'b'],
    ],
    [
      'two takeovers',
      [
        ['move', visit],
        ['move', visit],
      ],
      [],
    ],
    [
      'a takeover and a write in read',
      [
        ['move', visit],
        ['read', writes('a')],
      ],
      ['a'],
    ],
    [
      'writes in both modes',
      [
        ['move', writes('a')],
        ['read', writes('b')],
      ],
      ['a', 'b'],
    ],
    [
      'two takeovers and a write in read',
      [
        ['move', writes('a')],
        ['move', visit],
        ['read', writes('b')],
      ],
      ['a', 'b'],
    ],
  ])('%s: no account and no token is lost', { timeout: 60_000 }, async (_name, actors, names) => {
    await race(actors, async (world, results) => {
      expect(results).toEqual(actors.map(() => true))
      const cache = parseCache((await world.process('read', false).read(HOME)).text)
      expect(Object.keys(cache['AccessToken'] ?? {}).sort()).toEqual(names)
      expect(cache['RefreshToken']).toEqual(before['RefreshToken'])
      expect(cache['Account']).toEqual(before['Account'])
      if (actors.every(([mode]) => mode === 'read')) return
      await world.process('move', false).read(HOME)
      expect(await world.old().read('msal')).toBeNull()
    })
  })

  test.each<[string, (readonly [MigrationMode, Actor])[]]>([
    [
      'in read beside a write',
      [
        ['read', removes],
        ['read', writes('a')],
      ],
    ],
    [
      'in move beside a write',
      [
        ['move', removes],
        ['move', writes('a')],
      ],
    ],
    [
      'in read beside a takeover',
      [
        ['read', removes],
        ['move', visit],
      ],
    ],
    [
      'in move beside a write in read',
      [
        ['move', removes],
        ['read', writes('a')],
      ],
    ],
  ])('an account that was removed %s stays removed', { timeout: 60_000 }, async (_name, actors) => {
    await race(actors, async (world) => {
      for (const mode of ['read', 'move'] as const) {
        const cache = parseCache((await world.process(mode, false).read(HOME)).text)
        expect(cache['Account'] ?? {}).toEqual({})
        expect(cache['RefreshToken'] ?? {}).toEqual({})
      }
    })
  })
})

test.each(['user', 'shared'] as const)(
  'an account that is taken over stays, although each write on the old key is sent twice: layout %s',
  async (layout) => {
    await explore(
      {
        start(scheduler) {
          const world = new World(scheduler)
          const run = async (): Promise<unknown> => {
            await world.old().create('msal', JSON.stringify(before), null)
            return visit(world.process('move', false, { layout, old: sentTwice(world.old()) }))
          }
          return { world, actors: [run] }
        },
        async check(world, results) {
          expect(results).toEqual([true])
          expect(await visit(world.process('move', false, { layout }))).toBe(true)
          expect(await world.old().read('msal')).toBeNull()
        },
      },
      1,
    )
  },
)

/** A client that reconnects sends a command again that the server had run. Only the second answer arrives. */
function sentTwice(driver: OldRecordDriver): OldRecordDriver {
  return {
    ...driver,
    async remove(...args) {
      await driver.remove(...args)
      return driver.remove(...args)
    },
    async replace(...args) {
      await driver.replace(...args)
      return driver.replace(...args)
    },
  }
}
