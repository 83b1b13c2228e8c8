/**
 * Records that an old library and Coatcheck share (`src/migrate/records-in-*-mode.ts`), in all orders of the steps of two actors and in many
 * orders of three. The drivers are those of memory; test/conformance proves that Redis' behave alike.
 */
import { describe, expect, test } from 'vitest'
import { EventBus } from '../../src/core/events.ts'
import { createDocuments } from '../../src/documents/documents.ts'
import { createMemoryDocumentDriver } from '../../src/stores/memory/document-driver.ts'
import { linkedJson } from '../../src/documents/linked-json.ts'
import { createKeyring } from '../../src/keyring/keyring.ts'
import { createSeal } from '../../src/keyring/seal.ts'
import { MemorySpace } from '../../src/stores/memory/space.ts'
import { createMemoryOldRecordDriver } from '../../src/stores/memory/old-record-driver.ts'
import { createSealedRecords } from '../../src/migrate/sealed-records.ts'
import type { OldRecordDriver } from '../../src/migrate/old-record-driver.ts'
import type { MigrationMode } from '../../src/migrate/migration-mode.ts'
import { shareRecords } from '../../src/migrate/share-records.ts'
import type { SharedRecords } from '../../src/migrate/shared-records.ts'
import { createFakeClock } from '../../src/testing/fake-clock.ts'
import { testKey } from '../../src/testing/session-fixture.ts'
import { explore, type Scheduler } from '../support/interleavings.ts'

const HOUR = 3_600_000
const keyring = createKeyring(testKey('races'))
const seal = createSeal(keyring)

type Data = Readonly<Record<string, true>>
type Actor = () => Promise<unknown>

class World {
  readonly #clock = createFakeClock()
  readonly #space = new MemorySpace({ clock: this.#clock })
  readonly #oldSpace = new MemorySpace({ clock: this.#clock })
  readonly #scheduler: Scheduler | null
  readonly keys = { remembered: [] as string[] }

  constructor(scheduler: Scheduler | null) {
    this.#scheduler = scheduler
  }

  #stepwise<T extends object>(driver: T, isStepwise: boolean): T {
    return isStepwise && this.#scheduler ? this.#scheduler.steps(driver) : driver
  }

  /** A process with a drop-in in this mode. */
  process(mode: MigrationMode, isStepwise = true): SharedRecords {
    const documents = createDocuments<Record<string, unknown>>(
      {
        driver: this.#stepwise(createMemoryDocumentDriver(this.#space), isStepwise),
        ...{ keyring, seal, namespace: '', events: new EventBus() },
      },
      'races',
      linkedJson(),
    )
    const sealed = createSealedRecords({
      documents,
      clock: this.#clock,
      toValue: (text) => JSON.parse(text) as Record<string, unknown>,
      toText: (value) => JSON.stringify(value),
      setsOf: () => [],
    })
    return shareRecords(mode, {
      ...{ sealed, old: this.old(isStepwise), clock: this.#clock },
      late: { add: () => undefined, cancel: () => undefined },
      report: () => undefined,
      keyOf: (id) => `old:${id}`,
      endOf: () => null,
      defaultTtlMs: () => HOUR,
    })
  }

  old(isStepwise = true): OldRecordDriver {
    return this.#stepwise(createMemoryOldRecordDriver(this.#oldSpace), isStepwise)
  }

  /** Stores as an old process does: whatever is there is replaced. */
  async putOld(data: Data): Promise<void> {
    await this.old(false).remove('old:s')
    await this.old(false).create('old:s', JSON.stringify(data), HOUR)
  }

  async oldData(): Promise<Data | null> {
    const record = await this.old(false).read('old:s')
    return record && (JSON.parse(record.text) as Data)
  }
}

const parsed = (text: string): Data => JSON.parse(text) as Data

/** A request that adds a field. It returns the field when the library said that it is stored, `null` for a visitor without session. */
const writes =
  (records: SharedRecords, field: string): Actor =>
  async () => {
    if ((await records.find('s')) === null) return null
    const change = (text: string): { text: string; ttlMs: number } => ({
      text: JSON.stringify({ ...parsed(text), [field]: true }),
      ttlMs: HOUR,
    })
    return (await records.change('s', change)) === null ? 'refused' : field
  }
const reads =
  (records: SharedRecords): Actor =>
  async () =>
    records.find('s')
const ends =
  (records: SharedRecords): Actor =>
  async () => {
    await records.find('s')
    await records.end('s')
    return 'ended'
  }
const oldReads =
  (old: OldRecordDriver): Actor =>
  async () =>
    old.read('old:s')
const oldEnds =
  (old: OldRecordDriver): Actor =>
  async () => {
    await old.remove('old:s')
    return 'ended'
  }

/** What is stored when the race begins. */
const beginnings = [
  { beginning: 'an old session', prepare: async () => Promise.resolve() },
  {
    beginning: 'a copied session',
    prepare: async (world: World) => {
      await world.process('read', false).find('s')
    },
  },
  {
    beginning: 'a copy behind the old key',
    async prepare(world: World) {
      await world.process('read', false).find('s')
      await world.putOld({ first: true, later: true })
    },
  },
]

interface Named {
  readonly name: string
  readonly make: (world: World) => Actor
}
const readWriter = (field: string): Named => ({
  name: 'a write in read',
  make: (w) => writes(w.process('read'), field),
})
const moveWriter = (field: string): Named => ({
  name: 'a write in move',
  make: (w) => writes(w.process('move'), field),
})
const reader: Named = { name: 'a read', make: (w) => reads(w.process('read')) }
const mover: Named = { name: 'a read in move', make: (w) => reads(w.process('move')) }
const oldReader: Named = { name: 'an old read', make: (w) => oldReads(w.old()) }
const readEnd: Named = { name: 'a sign-out in read', make: (w) => ends(w.process('read')) }
const moveEnd: Named = { name: 'a sign-out in move', make: (w) => ends(w.process('move')) }
const oldEnd: Named = { name: 'an old sign-out', make: (w) => oldEnds(w.old()) }

const MOST_ORDERS = Number(process.env['RACE_ORDERS'] ?? 100)

async function race(
  prepare: (world: World) => Promise<unknown>,
  actors: readonly Named[],
  check: (world: World, results: readonly unknown[]) => Promise<void>,
): Promise<void> {
  // The world is prepared before its actors start: the first step of each waits for the scheduler anyway.
  await explore(
    {
      start(scheduler) {
        const world = new World(scheduler)
        const ready = world.putOld({ first: true }).then(() => prepare(world))
        return { world, actors: actors.map((actor) => async () => ready.then(actor.make(world))) }
      },
      check,
    },
    MOST_ORDERS,
  )
}

const nameOf = (actors: readonly Named[]): string => actors.map(({ name }) => name).join(', ')

describe.each(beginnings)('$beginning', ({ prepare }) => {
  test.each([
    [[readWriter('a'), readWriter('b')]],
    [[readWriter('a'), oldReader]],
    [[readWriter('a'), readWriter('b'), reader]],
  ])('%#: no request is signed out, and no write is lost, on either side', async (actors) => {
    await race(prepare, actors, async (world, results) => {
      expect(results, nameOf(actors)).not.toContain(null)
      const stored = parsed((await world.process('read', false).find('s')) ?? 'null')
      for (const result of results) {
        if (result === 'a' || result === 'b') {
          expect(stored).toHaveProperty(result)
          expect(await world.oldData()).toHaveProperty(result)
        }
      }
      expect(results).not.toContain('refused')
      expect(stored).toHaveProperty('first')
    })
  })

  test.each([
    [[mover, readWriter('a')]],
    [[moveWriter('b'), readWriter('a')]],
    [[moveWriter('b'), moveWriter('a')]],
    [[moveWriter('b'), moveWriter('a'), reader]],
    [[moveWriter('b'), readWriter('a'), reader]],
    [[mover, readWriter('a'), readWriter('b')]],
  ])('%#: while processes change to move, no request is signed out, and no write is lost', async (actors) => {
    await race(prepare, actors, async (world, results) => {
      expect(results, nameOf(actors)).not.toContain(null)
      const stored = parsed((await world.process('move', false).find('s')) ?? 'null')
      for (const result of results) if (result === 'a' || result === 'b') expect(stored).toHaveProperty(result)
      expect(results).not.toContain('refused')
      expect(stored).toHaveProperty('first')
      expect(await world.oldData()).toBeNull()
    })
  })

  test.each([
    [[readEnd, readWriter('a')]],
    [[oldEnd, readWriter('a')]],
    [[oldEnd, readWriter('a'), readWriter('b')]],
    [[readEnd, readWriter('a'), reader]],
    [[readEnd, readEnd, readWriter('a')]],
    [[moveEnd, readWriter('a')]],
    [[moveEnd, moveWriter('a')]],
    [[readEnd, moveWriter('a')]],
    [[readEnd, mover, readWriter('a')]],
  ])('%#: a session that was ended stays ended, on both sides', async (actors) => {
    await race(prepare, actors, async (world, results) => {
      expect(results, nameOf(actors)).toContain('ended')
      expect(await world.oldData()).toBeNull()
      expect(await world.process('read', false).find('s')).toBeNull()
      expect(await world.process('move', false).find('s')).toBeNull()
    })
  })
})

describe('no record', () => {
  const creator: Named = {
    name: 'a creation in read',
    make: (w) => {
      const records = w.process('read')
      return async () => records.store('s', JSON.stringify({ first: true }), HOUR, true)
    },
  }
  const prepare = (world: World): Promise<unknown> => world.old(false).remove('old:s')

  test.each([
    [[creator, reader]],
    [[creator, readWriter('a')]],
    [[creator, mover]],
    [[creator, reader, reader]],
    [[creator, reader, mover]],
  ])('%#: a session that requests look up during its creation is stored', async (actors) => {
    await race(prepare, actors, async (world, results) => {
      expect(results[0], nameOf(actors)).toBe(true)
      expect(parsed((await world.process('read', false).find('s')) ?? 'null')).toHaveProperty('first')
    })
  })
})
