/**
 * Users, accounts and sessions of the old Auth.js adapter, in many orders of the steps of processes in both modes. The drivers are those of
 * memory; test/conformance proves that Redis' behave alike.
 */
import { describe, expect, test } from 'vitest'
import { createAuthJsAdapter } from '../../src/drop-ins/authjs/adapter.ts'
import type { EmailClaim } from '../../src/drop-ins/authjs/emails.ts'
import type { CoatcheckAuthJsAdapter } from '../../src/drop-ins/authjs/types.ts'
import type { StoredDates } from '../../src/drop-ins/dated-json.ts'
import { EventBus } from '../../src/core/events.ts'
import { systemRandom } from '../../src/core/random.ts'
import { createDocuments } from '../../src/documents/documents.ts'
import type { DocumentDriver } from '../../src/documents/document-driver.ts'
import { createMemoryDocumentDriver } from '../../src/stores/memory/document-driver.ts'
import { linkedJson } from '../../src/documents/linked-json.ts'
import { createKeyring } from '../../src/keyring/keyring.ts'
import { createSeal } from '../../src/keyring/seal.ts'
import { MemorySpace } from '../../src/stores/memory/space.ts'
import { redisKeys } from '../../src/stores/keys.ts'
import { createMemoryOldRecordDriver } from '../../src/stores/memory/old-record-driver.ts'
import type { MigrationMode } from '../../src/migrate/migration-mode.ts'
import { upstashAdapter } from '../../src/migrate/upstash-adapter.ts'
import { createFakeClock } from '../../src/testing/fake-clock.ts'
import { testKey } from '../../src/testing/session-fixture.ts'
import { explore, type Scheduler } from '../support/interleavings.ts'

const MOST_ORDERS = Number(process.env['RACE_ORDERS'] ?? 60)
const keyring = createKeyring(testKey('races'))
const seal = createSeal(keyring)
const account = { provider: 'idp', providerAccountId: '7' }

class World {
  readonly #clock = createFakeClock()
  readonly #space = new MemorySpace({ clock: this.#clock })
  readonly #oldSpace = new MemorySpace({ clock: this.#clock })
  readonly #scheduler: Scheduler
  /** How many records all processes have reported as taken over. */
  moved = 0

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler
  }

  #steps<T extends object>(driver: T, isStepwise: boolean): T {
    return isStepwise ? this.#scheduler.steps(driver) : driver
  }

  /** A process with the adapter in this mode. */
  process(mode: MigrationMode, isStepwise = true): CoatcheckAuthJsAdapter {
    const events = new EventBus()
    events.on('migration.read', ({ outcome }) => {
      if (outcome === 'moved') this.moved++
    })
    const driver = this.#steps(createMemoryDocumentDriver(this.#space, redisKeys('')), isStepwise)
    const deps = { driver, keyring, seal, namespace: '', events }
    const documents = (kind: string) => createDocuments<StoredDates>(deps, `authjs-${kind}`, linkedJson())
    const all = {
      users: documents('user'),
      emails: createDocuments<EmailClaim>(deps, 'authjs-email'),
      accounts: documents('account'),
      sessions: documents('session'),
      tokens: documents('token'),
      authenticators: documents('authenticator'),
    }
    return upstashAdapter({ mode }).attach({
      ...{ documents: all, random: systemRandom, clock: this.#clock, events },
      make: (of) => createAuthJsAdapter(of, { clock: this.#clock, random: systemRandom }),
      old: this.old(isStepwise),
      closing: () => undefined,
    })
  }

  old(isStepwise = false) {
    return this.#steps(createMemoryOldRecordDriver(this.#oldSpace), isStepwise)
  }

  /** What the old adapter has stored after a sign-in. */
  async signIn(): Promise<void> {
    const expires = new Date(this.#clock.now() + 3_600_000)
    const records = {
      'user:1': { id: '1', email: 'ada@example.test', emailVerified: null, name: 'A. L.' },
      'user:account:idp:7': { ...account, userId: '1', type: 'oidc', id: 'idp:7' },
      'user:session:token': { sessionToken: 'token', userId: '1', expires },
    }
    const names = {
      'user:email:ada@example.test': '1',
      'user:account:by-user-id:1': 'user:account:idp:7',
      'user:session:by-user-id:1': 'user:session:token',
    }
    for (const [key, value] of Object.entries(records)) await this.old().create(key, JSON.stringify(value), null)
    for (const [key, value] of Object.entries(names)) await this.old().create(key, value, null)
  }

  async oldKeys(): Promise<string[]> {
    const names = []
    for await (const name of this.old().scan('')) names.push(name)
    return names
  }
}

type Actor = (adapter: CoatcheckAuthJsAdapter) => Promise<unknown>
const visit: Actor = async (adapter) => (await adapter.getSessionAndUser('token')) !== null
const signInAgain: Actor = async (adapter) => (await adapter.getUserByAccount(account)) !== null
const byEmail: Actor = async (adapter) => (await adapter.getUserByEmail('ada@example.test')) !== null
const rename: Actor = async (adapter) => (await adapter.updateUser({ id: '1', name: 'Ada' })).id === '1'
const relocate: Actor = async (adapter) => (await adapter.updateUser({ id: '1', city: 'Ulm' })).id === '1'
const remove: Actor = async (adapter) => {
  await adapter.deleteUser('1')
  return true
}

const race = (
  actors: readonly (readonly [MigrationMode, Actor])[],
  check: (world: World, results: readonly unknown[]) => Promise<void>,
  mostOrders = MOST_ORDERS,
) =>
  explore(
    {
      start(scheduler) {
        const world = new World(scheduler)
        const ready = world.signIn()
        return {
          world,
          actors: actors.map(
            ([mode, actor]) =>
              async () =>
                ready.then(() => actor(world.process(mode))),
          ),
        }
      },
      check,
    },
    mostOrders,
  )

describe('while processes change to move', () => {
  test.each<[string, (readonly [MigrationMode, Actor])[]]>([
    [
      'two takeovers',
      [
        ['move', visit],
        ['move', visit],
      ],
    ],
    [
      'two takeovers from two sides',
      [
        ['move', visit],
        ['move', signInAgain],
      ],
    ],
    [
      'a takeover and a visit',
      [
        ['move', visit],
        ['read', visit],
      ],
    ],
    [
      'a takeover and lookups',
      [
        ['move', visit],
        ['read', signInAgain],
        ['read', byEmail],
      ],
    ],
    [
      'a takeover and a change',
      [
        ['move', visit],
        ['read', rename],
      ],
    ],
    [
      'two takeovers and a change',
      [
        ['move', visit],
        ['move', rename],
        ['read', visit],
      ],
    ],
  ])('%s: each finds the user, and no change is lost', { timeout: 60_000 }, async (_name, actors) => {
    await race(actors, async (world, results) => {
      expect(results).toEqual(actors.map(() => true))
      const adapter = world.process('move', false)
      const found = await adapter.getSessionAndUser('token')
      expect(found?.user.email).toBe('ada@example.test')
      if (actors.some(([, actor]) => actor === rename)) expect(found?.user['name']).toBe('Ada')
      expect(await signInAgain(adapter)).toBe(true)
      expect(await byEmail(adapter)).toBe(true)
      expect(await world.oldKeys()).toEqual([])
    })
  })
})

test('two takeovers from two sides count a user, an account and a session once each', { timeout: 60_000 }, async () => {
  await race(
    [
      ['move', visit],
      ['move', signInAgain],
    ],
    (world) => {
      expect(world.moved).toBe(3)
      return Promise.resolve()
    },
    Math.max(MOST_ORDERS, 400),
  )
})

test('changes of two fields in both modes beside a takeover are both kept', { timeout: 60_000 }, async () => {
  const check = async (world: World): Promise<void> => {
    const found = await world.process('move', false).getUser('1')
    expect([found?.['name'], found?.['city']]).toEqual(['Ada', 'Ulm'])
  }
  await race(
    [
      ['move', rename],
      ['move', visit],
      ['read', relocate],
    ],
    check,
    Math.max(MOST_ORDERS, 400),
  )
})

describe('a user who is deleted', () => {
  test.each<[string, (readonly [MigrationMode, Actor])[]]>([
    [
      'beside a takeover',
      [
        ['move', remove],
        ['move', visit],
      ],
    ],
    [
      'in read beside a takeover',
      [
        ['read', remove],
        ['move', visit],
      ],
    ],
    [
      'in read beside a visit',
      [
        ['read', remove],
        ['read', visit],
      ],
    ],
  ])('%s stays deleted', { timeout: 60_000 }, async (_name, actors) => {
    await race(actors, async (world) => {
      for (const mode of ['read', 'move'] as const) {
        const adapter = world.process(mode, false)
        expect(await adapter.getUser('1')).toBeNull()
        expect(await visit(adapter)).toBe(false)
        expect(await byEmail(adapter)).toBe(false)
      }
    })
  })
})

test('a user whose takeover by another process failed half-way was not deleted: the old record stays, and decides', async () => {
  // The other process has stored the user when this one wants to, and removes it because it did not get the address in time.
  let isFirst = true
  const steps = <T extends object>(driver: T): T => {
    if (!('take' in driver)) return driver
    const documents = driver as unknown as DocumentDriver
    const write: DocumentDriver['write'] = async (ref, record, options) => {
      if (ref.kind !== 'authjs-user' || !isFirst) return documents.write(ref, record, options)
      isFirst = false
      await documents.write(ref, Buffer.from(record), options)
      const written = await documents.write(ref, record.map((byte) => byte ^ 1) as Buffer, options)
      await documents.remove(ref)
      return written
    }
    return { ...driver, write }
  }
  const world = new World({ steps })
  await world.signIn()
  const process = world.process('move')
  expect(await process.getUser('1')).toMatchObject({ name: 'A. L.' })
  expect(isFirst).toBe(false)
  expect(await process.getUser('1')).toMatchObject({ name: 'A. L.' })
})

test('a user that was deleted here is not revived by an old record', async () => {
  const world = new World({ steps: (driver: object) => driver } as Scheduler)
  await world.signIn()
  const process = world.process('move', false)
  await process.getUser('1')
  await process.deleteUser?.('1')
  await world.signIn()
  expect(await process.getUser('1')).toBeNull()
  expect(await world.old().read('user:1')).toBeNull()
})
