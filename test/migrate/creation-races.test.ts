/**
 * A process in mode `read` that stores a new session, and stops at each of its steps while a process in mode `move` finds the same session. The
 * new session survives: both processes find it, and both can end it.
 */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CoatcheckAdapter } from '../../src/app/drop-ins/authjs.ts'
import { secondaryStorage } from '../../src/app/drop-ins/better-auth.ts'
import { sessionDataStore } from '../../src/app/drop-ins/nextjs-auth0.ts'
import { auth0Store, betterAuthStorage, upstashAdapter } from '../../src/entries/migrate.ts'
import type { MigrationMode } from '../../src/migrate/migration-mode.ts'
import { type DualReadWorld, startDualReadWorld, Steps, TTL_MS } from './dual-read-world.ts'
import { steppedStore } from './stepped-store.ts'
import { testRedis } from './test-redis.ts'

const HOUR_MS = 3_600_000
const keys = randomBytes(32).toString('base64')
const redis = testRedis()

/** A process with sessions of one library. */
interface Process {
  create(id: string): Promise<unknown>
  /** `null`: there is none. */
  find(id: string): Promise<unknown>
  end(id: string): Promise<unknown>
}
type Open = (mode: MigrationMode, steps: Steps) => Process

const auth0: Open = (mode, steps) => {
  const migrateFrom = auth0Store({ mode, keyOf: (id) => `sessions:${id}` })
  const store = redis.closing(sessionDataStore({ store: steppedStore(redis.url, steps), keys, migrateFrom }))
  const createdAt = Math.floor(Date.now() / 1000)
  return {
    create: (id) => store.set(id, { user: { sub: 'ada' }, tokenSet: {}, internal: { sid: id, createdAt } }),
    find: (id) => store.get(id),
    end: (id) => store.delete(id),
  }
}
const betterAuth: Open = (mode, steps) => {
  const store = redis.closing(
    secondaryStorage({ store: steppedStore(redis.url, steps), keys, migrateFrom: betterAuthStorage({ mode }) }),
  )
  const expiresAt = new Date(Date.now() + HOUR_MS)
  return {
    create: (token) =>
      store.set(token, JSON.stringify({ session: { token, userId: 'ada', expiresAt }, user: { id: 'ada' } }), 3600),
    find: (token) => store.get(token),
    end: (token) => store.delete(token),
  }
}
const authJs: Open = (mode, steps) => {
  const adapter = redis.closing(
    CoatcheckAdapter({ store: steppedStore(redis.url, steps), keys, migrateFrom: upstashAdapter({ mode }) }),
  )
  return {
    async create(sessionToken) {
      await adapter.createSession({ sessionToken, userId: '1', expires: new Date(Date.now() + HOUR_MS) })
    },
    async find(token) {
      await adapter.getUser('1')
      return adapter.getSessionAndUser(token)
    },
    end: (token) => adapter.deleteSession(token),
  }
}

/** Lets `other` find the session at each step of a creation, and then checks that it is there. */
async function atEachStep(processes: {
  readonly steps: Steps
  readonly creating: Process
  readonly other: Process
  readonly later: readonly Process[]
  prepare(id: string): Promise<unknown>
}): Promise<void> {
  const { steps, creating, other, later } = processes
  for (let step = 1; ; step++) {
    const id = randomBytes(16).toString('hex')
    await processes.prepare(id)
    const { arrived, go } = steps.hold(step)
    const creation = creating.create(id)
    const isHeld = await Promise.race([arrived.then(() => true), creation.then(() => false)])
    if (isHeld) await other.find(id)
    go()
    await creation
    // The session that was created, with its content.
    for (const [at, one] of later.entries())
      expect(JSON.stringify(await one.find(id)), `step ${step}, process ${at}`).toContain(id)
    await later[0]?.end(id)
    for (const [at, one] of later.entries()) expect(await one.find(id), `ended, ${step}, process ${at}`).toBeNull()
    if (isHeld) continue
    expect(step).toBeGreaterThan(2)
    return
  }
}

describe.each([
  ['auth0Store', auth0],
  ['betterAuthStorage', betterAuth],
  ['upstashAdapter', authJs],
] as const)('%s', (_name, open) => {
  it.each([
    ['read', 'move'],
    ['move', 'read'],
  ] as const)('a new session survives, and ends in %s', async (first, second) => {
    const steps = new Steps()
    await atEachStep({
      ...{ steps, creating: open('read', steps), other: open('move', new Steps()) },
      later: [open(first, new Steps()), open(second, new Steps())],
      prepare: () =>
        redis.client.set('user:1', JSON.stringify({ id: '1', email: 'ada@example.test', emailVerified: null }), {
          condition: 'NX',
        }),
    })
  })
})

describe('connectRedis', () => {
  let world: DualReadWorld
  beforeAll(async () => {
    world = await startDualReadWorld()
  })
  afterAll(() => world.stop())

  it.each([
    ['read', 'move'],
    ['move', 'read'],
  ] as const)('a new session survives, and ends in %s', async (first, second) => {
    const open = async (mode: MigrationMode): Promise<Process & { readonly steps: Steps }> => {
      const { sessions, steps } = await world.start(mode)
      const jsonOf = (id: string) => JSON.stringify({ cookie: { originalMaxAge: TTL_MS }, cart: id })
      return {
        steps,
        create: (id) => sessions.save(id, jsonOf(id), { ttlMs: TTL_MS, isNew: true }),
        find: (id) => sessions.find(id),
        end: (id) => sessions.end(id),
      }
    }
    const creating = await open('read')
    await atEachStep({
      ...{ creating, steps: creating.steps, other: await open('move') },
      later: [await open(first), await open(second)],
      prepare: () => Promise.resolve(),
    })
  })
})
