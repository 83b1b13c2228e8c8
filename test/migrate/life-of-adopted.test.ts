/** A record that is made from an old one never ends after it, however long the reads and the writes of a takeover take. */
import { describe, expect, test } from 'vitest'
import { EventBus } from '../../src/core/events.ts'
import { systemRandom } from '../../src/core/random.ts'
import { createDocuments } from '../../src/documents/documents.ts'
import { createMemoryDocumentDriver } from '../../src/stores/memory/document-driver.ts'
import { librarySessionCodec } from '../../src/documents/library-session-record.ts'
import { createLibrarySessions } from '../../src/documents/library-sessions.ts'
import { linkedJson } from '../../src/documents/linked-json.ts'
import { createKeyring } from '../../src/keyring/keyring.ts'
import { createSeal } from '../../src/keyring/seal.ts'
import { MemorySpace } from '../../src/stores/memory/space.ts'
import { koaSessionStore } from '../../src/entries/migrate.ts'
import { createMemoryOldRecordDriver } from '../../src/stores/memory/old-record-driver.ts'
import { createSealedRecords } from '../../src/migrate/sealed-records.ts'
import { shareRecords } from '../../src/migrate/share-records.ts'
import type { Store } from '../../src/stores/store.ts'
import { createFakeClock } from '../../src/testing/fake-clock.ts'
import { testKey } from '../../src/testing/session-fixture.ts'

const LIFE_MS = 60_000
const KEY = 'koa:id'
const keyring = createKeyring(testKey('lives'))
const seal = createSeal(keyring)

/** Each step of a driver acts at once, and its reply takes 400 ms. */
function createSlowWorld() {
  const clock = createFakeClock()
  const space = new MemorySpace({ clock })
  const oldSpace = new MemorySpace({ clock })
  const slow = <T extends object>(driver: T): T =>
    new Proxy(driver, {
      get(target, name) {
        const method = Reflect.get(target, name) as unknown
        if (typeof method !== 'function') return method
        return async (...args: unknown[]) => {
          const reply = (await Reflect.apply(method, target, args)) as unknown
          clock.advance(400)
          return reply
        }
      },
    })
  const events = new EventBus()
  return {
    ...{ clock, events, space },
    old: slow(createMemoryOldRecordDriver(oldSpace)),
    shared: { driver: slow(createMemoryDocumentDriver(space)), keyring, seal, namespace: '', events },
    async store(text: string): Promise<number> {
      await createMemoryOldRecordDriver(oldSpace).create(KEY, text, LIFE_MS)
      return clock.now() + LIFE_MS
    },
    /** Epoch milliseconds. */
    endsOfOurs: (kind: string): readonly number[] =>
      space.keys('').flatMap((key) => (key.includes(kind) ? [clock.now() + (space.ttlMs(key) ?? 0)] : [])),
  }
}

describe.each(['read', 'move'] as const)('in mode %s', (mode) => {
  test('a session', async () => {
    const { clock, events, old, shared, store, endsOfOurs } = createSlowWorld()
    const oldEndMs = await store(JSON.stringify({ user: 'ada', _expire: clock.now() + LIFE_MS, _maxAge: LIFE_MS }))
    const attached = await koaSessionStore({ mode, prefix: 'koa:' }).attach({
      store: { oldRecords: () => Promise.resolve(old) } as Store,
      ...{ clock, events, loopback: true, defaultTtlMs: 10 * LIFE_MS },
    })
    const inner = createLibrarySessions({
      documents: createDocuments(shared, 'lives', librarySessionCodec),
      ...{ kind: 'lives', clock, random: systemRandom, events, links: attached.links },
    })
    const found = await attached.over(inner).find('id')
    expect(found?.stored.value.expiresAtMs).toBe(oldEndMs)
    expect(endsOfOurs('lives')).toEqual([oldEndMs])
    await attached.close()
  })

  test('a session whose key outlives the old one is not found', async () => {
    const { clock, events, old, shared, space, store, endsOfOurs } = createSlowWorld()
    const oldEndMs = await store(JSON.stringify({ user: 'ada', _expire: clock.now() + LIFE_MS, _maxAge: LIFE_MS }))
    const attached = await koaSessionStore({ mode, prefix: 'koa:' }).attach({
      store: { oldRecords: () => Promise.resolve(old) } as Store,
      ...{ clock, events, loopback: true, defaultTtlMs: 10 * LIFE_MS },
    })
    // The write takes a second to reach the server, and its TTL counts from then on.
    const { driver } = shared
    const late = Object.create(driver, {
      write: {
        value: (...args: Parameters<typeof driver.write>) => {
          clock.advance(1000)
          return driver.write(...args)
        },
      },
    }) as typeof driver
    const documents = createDocuments({ ...shared, driver: late }, 'lives', librarySessionCodec)
    const inner = createLibrarySessions({
      documents,
      ...{ kind: 'lives', clock, random: systemRandom, events, links: attached.links },
    })
    const sessions = attached.over(inner)
    expect(await sessions.find('id')).not.toBeNull()
    expect(endsOfOurs('lives')[0]).toBeGreaterThan(oldEndMs)
    clock.advance(oldEndMs - clock.now())
    expect(space.keys('').some((key) => key.includes('lives'))).toBe(true)
    expect(await inner.find('id')).toBeNull()
    expect(await sessions.find('id')).toBeNull()
    await attached.close()
  })

  test('a record of a drop-in', async () => {
    const { clock, old, shared, store, endsOfOurs } = createSlowWorld()
    const oldEndMs = await store('{"user":"ada"}')
    const documents = createDocuments<Record<string, unknown>>(shared, 'lives', linkedJson())
    const sealed = createSealedRecords({
      ...{ documents, clock, setsOf: () => [documents.refOf('user ada')] },
      toValue: (text) => JSON.parse(text) as Record<string, unknown>,
      toText: (value) => JSON.stringify(value),
    })
    const records = shareRecords(mode, {
      ...{ sealed, old, clock, report: () => undefined, keyOf: (id) => `koa:${id}` },
      late: { add: () => undefined, cancel: () => undefined },
      ...{ endOf: () => null, defaultTtlMs: () => 10 * LIFE_MS },
    })
    expect(await records.find('id')).toBe('{"user":"ada"}')
    const ends = endsOfOurs('lives')
    expect(ends.length).toBeGreaterThan(0)
    for (const end of ends) expect(end).toBeLessThanOrEqual(oldEndMs)
  })
})
