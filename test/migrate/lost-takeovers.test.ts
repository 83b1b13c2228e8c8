/**
 * A process in mode `move` that reads a record, and stops at any of its steps while another process takes the record over. It answers with the
 * record of Coatcheck, never that there is none.
 */
import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { CoatcheckAdapter } from '../../src/app/drop-ins/authjs.ts'
import { secondaryStorage } from '../../src/app/drop-ins/better-auth.ts'
import { sessionDataStore } from '../../src/app/drop-ins/nextjs-auth0.ts'
import { auth0Store, betterAuthStorage, upstashAdapter } from '../../src/entries/migrate.ts'
import type { MigrationMode } from '../../src/migrate/migration-mode.ts'
import { inSteps, Steps } from './dual-read-world.ts'
import { steppedStore } from './stepped-store.ts'
import { testRedis } from './test-redis.ts'

const HOUR_MS = 3_600_000
const keys = randomBytes(32).toString('base64')
const redis = testRedis()

/** A driver whose replies are steps. */
function inReplies<T extends object>(driver: T, steps: Steps): T {
  return new Proxy(driver, {
    get(target, name) {
      const method = Reflect.get(target, name) as unknown
      if (typeof method !== 'function' || name === 'scan' || name === 'names') return method
      return async (...args: unknown[]): Promise<unknown> => {
        const reply: unknown = await Reflect.apply(method, target, args)
        return steps.run(() => Promise.resolve(reply))
      }
    },
  })
}

function kept<T extends { close(): Promise<void> }>(one: T): T {
  redis.closing(one)
  return one
}
const auth0 = (mode: MigrationMode, steps = new Steps(), stepped = inSteps) => {
  const migrateFrom = auth0Store({ mode, keyOf: (id) => `sessions:${id}` })
  return kept(sessionDataStore({ store: steppedStore(redis.url, steps, stepped), keys, migrateFrom }))
}
const betterAuth = (mode: MigrationMode, steps = new Steps()) =>
  kept(secondaryStorage({ store: steppedStore(redis.url, steps), keys, migrateFrom: betterAuthStorage({ mode }) }))
const authJs = (mode: MigrationMode, steps = new Steps()) =>
  kept(CoatcheckAdapter({ store: steppedStore(redis.url, steps), keys, migrateFrom: upstashAdapter({ mode }) }))

const put = (key: string, value: unknown, ttlMs = HOUR_MS) =>
  redis.client.set(key, typeof value === 'string' ? value : JSON.stringify(value), { PX: ttlMs })

/** Stops the request at each of its steps in turn, and lets `meanwhile` happen there. */
async function atEachStep<T>(race: {
  readonly steps: Steps
  prepare(): Promise<unknown>
  request(): Promise<T>
  meanwhile(): Promise<unknown>
  check(found: T, step: number): unknown
}): Promise<void> {
  for (let step = 1; ; step++) {
    await redis.client.flushAll()
    await race.prepare()
    const { arrived, go } = race.steps.hold(step)
    const request = race.request()
    const isHeld = await Promise.race([arrived.then(() => true), request.then(() => false)])
    if (!isHeld) {
      expect(step).toBeGreaterThan(1)
      return
    }
    await race.meanwhile()
    go()
    await race.check(await request, step)
  }
}

const session = { user: { sub: 'ada' }, tokenSet: {}, internal: { sid: 's', createdAt: Math.floor(Date.now() / 1000) } }

describe('a session of text records', () => {
  it.each(['nothing', 'a copy'])('that another process takes over; Coatcheck stores %s before', async (before) => {
    const [reading, moving, steps] = [auth0('read'), auth0('move'), new Steps()]
    const slow = auth0('move', steps)
    const ids = Array.from({ length: 100 }, () => randomBytes(8).toString('hex'))
    await atEachStep({
      steps,
      async prepare() {
        const [id = ''] = ids
        await put(`sessions:${id}`, session)
        if (before === 'a copy') await reading.get(id)
      },
      request: () => slow.get(ids[0] ?? ''),
      meanwhile: () => moving.get(ids[0] ?? ''),
      check(found, step) {
        expect(found, `step ${step}`).toMatchObject({ user: { sub: 'ada' } })
        ids.shift()
      },
    })
  })

  it('that another process takes over, and whose old key another application uses from then on', async () => {
    const [moving, steps] = [auth0('move'), new Steps()]
    const slow = auth0('move', steps)
    await atEachStep({
      steps,
      prepare: () => put('sessions:id', session),
      request: () => slow.get('id'),
      async meanwhile() {
        await moving.get('id')
        await put('sessions:id', '{"of":"another application"}')
      },
      async check(found, step) {
        expect(found, `step ${step}`).toMatchObject({ user: { sub: 'ada' } })
        expect(await redis.client.get('sessions:id'), `step ${step}`).toBe('{"of":"another application"}')
      },
    })
  })

  it('whose copy expires while its old key lives', async () => {
    const [reading, steps] = [auth0('read'), new Steps()]
    const slow = auth0('move', steps)
    await atEachStep({
      steps,
      async prepare() {
        await put('sessions:id', session, 60_000)
        await reading.get('id')
        // As an old process extends the session.
        await redis.client.pExpire('sessions:id', HOUR_MS)
      },
      request: () => slow.get('id'),
      async meanwhile() {
        // The copy expires. A record that has taken the old one over lives as long as that.
        for (const name of await redis.client.keys('host:nextjs-auth0:*')) {
          if ((await redis.client.pTTL(name)) <= 60_000) await redis.client.del(name)
        }
      },
      check: (found, step) => expect(found, `step ${step}`).toMatchObject({ user: { sub: 'ada' } }),
    })
  })

  it.each([
    ['a call', inSteps],
    ['a reply', inReplies],
  ])('that another process takes over and extends; %s outlasts the life of the old key', async (_name, stepped) => {
    const [moving, steps] = [auth0('move'), new Steps()]
    const slow = auth0('move', steps, stepped)
    const ttlMs = 400
    await atEachStep({
      steps,
      prepare: () => put('sessions:id', session, ttlMs),
      request: () => slow.get('id'),
      async meanwhile() {
        const taken = Date.now()
        expect(await moving.get('id')).not.toBeNull()
        await moving.set('id', session)
        await expect.poll(() => Date.now() - taken).toBeGreaterThan(ttlMs)
      },
      check: (found, step) => expect(found, `step ${step}`).toMatchObject({ user: { sub: 'ada' } }),
    })
  })
})

describe('a user of Auth.js', () => {
  const account = { provider: 'idp', providerAccountId: '7' }
  type Adapter = ReturnType<typeof authJs>
  const lookups: readonly (readonly [string, (adapter: Adapter) => Promise<unknown>])[] = [
    ['id', (adapter) => adapter.getUser('1')],
    ['address', (adapter) => adapter.getUserByEmail('ada@example.test')],
    ['account', (adapter) => adapter.getUserByAccount(account)],
    ['session', async (adapter) => (await adapter.getSessionAndUser('token'))?.user],
  ]
  const prepare = async (): Promise<void> => {
    const expires = new Date(Date.now() + HOUR_MS)
    await put('user:1', { id: '1', email: 'ada@example.test', emailVerified: null })
    await put('user:email:ada@example.test', '1')
    await put('user:account:idp:7', { ...account, userId: '1', type: 'oidc', id: 'idp:7' })
    await put('user:account:by-user-id:1', 'user:account:idp:7')
    await put('user:session:token', { sessionToken: 'token', userId: '1', expires })
    await put('user:session:by-user-id:1', 'user:session:token')
  }

  it.each(lookups)('that another process takes over, found by %s', async (_name, lookup) => {
    const steps = new Steps()
    const [moving, slow] = [authJs('move'), authJs('move', steps)]
    await atEachStep({
      ...{ steps, prepare },
      request: () => lookup(slow),
      meanwhile: () => moving.getSessionAndUser('token'),
      async check(found, step) {
        expect(found, `step ${step}`).toMatchObject({ id: '1' })
        for (const [name, other] of lookups)
          expect(await other(moving), `${name} at ${step}`).toMatchObject({ id: '1' })
      },
    })
  })

  it.each(lookups)('whose record expires before it is complete, found by %s', async (_name, lookup) => {
    const steps = new Steps()
    const [moving, slow] = [authJs('move'), authJs('move', steps)]
    await atEachStep({
      ...{ steps, prepare },
      request: () => lookup(slow).catch(() => null),
      // For a minute, while the address is claimed, the record has a short life.
      async meanwhile() {
        for (const name of await redis.client.keys('host:authjs-user:*'))
          if ((await redis.client.ttl(name)) > 0) await redis.client.del(name)
      },
      async check(_found, step) {
        for (const [name, other] of lookups)
          expect(await other(moving), `${name} at ${step}`).toMatchObject({ id: '1' })
      },
    })
  })
})

describe('texts of better-auth', () => {
  it.each(['read', 'move'] as const)('a list of sessions that another process takes over, read in %s', async (mode) => {
    const token = 'a'.repeat(32)
    const expiresAt = Date.now() + HOUR_MS
    const steps = new Steps()
    const [moving, slow] = [betterAuth('move'), betterAuth(mode, steps)]
    await atEachStep({
      steps,
      async prepare() {
        await put(token, { session: { token, userId: 'ada', expiresAt: new Date(expiresAt) }, user: { id: 'ada' } })
        await put('active-sessions-ada', [{ token, expiresAt }])
      },
      request: () => slow.get('active-sessions-ada'),
      meanwhile: () => moving.get('active-sessions-ada'),
      check: (found, step) => expect(JSON.parse(found ?? '[]'), `step ${step}`).toMatchObject([{ token }]),
    })
  })

  it.each(['read', 'move'] as const)('a text that another process replaces in move, read in %s', async (mode) => {
    const steps = new Steps()
    const [moving, slow] = [betterAuth('move'), betterAuth(mode, steps)]
    await atEachStep({
      steps,
      prepare: () => put('verification:ada', 'old'),
      request: () => slow.get('verification:ada'),
      meanwhile: () => moving.set('verification:ada', 'new', 60),
      check: (found, step) => expect(['old', 'new'], `step ${step}`).toContain(found),
    })
  })
})
