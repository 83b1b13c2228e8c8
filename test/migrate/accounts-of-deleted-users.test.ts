/**
 * Accounts of Auth.js that outlive their user. `deleteUser` of @auth/upstash-redis-adapter deletes only the account that was linked last, and
 * a crash can leave any. The next sign-in with such an account makes a new user, as it does with the old adapter.
 */
import { randomBytes } from 'node:crypto'
import { UpstashRedisAdapter } from '@auth/upstash-redis-adapter'
import { describe, expect, it } from 'vitest'
import { CoatcheckAdapter } from '../../src/app/drop-ins/authjs.ts'
import { upstashAdapter } from '../../src/entries/migrate.ts'
import type { MigrationMode } from '../../src/migrate/migration-mode.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import type { StoreFactory } from '../../src/stores/store.ts'
import { inSteps, Steps } from './dual-read-world.ts'
import { testRedis } from './test-redis.ts'

const EMAIL = 'ada@example.test'
const first = { type: 'oidc', provider: 'first', providerAccountId: '7' } as const
const last = { type: 'oidc', provider: 'last', providerAccountId: '8' } as const
const keys = randomBytes(32).toString('base64')
const redis = testRedis()

/** @param mode `null`: without an origin */
function open(mode: MigrationMode | null, store: StoreFactory = redisStore({ url: redis.url })): CoatcheckAdapter {
  const adapter = CoatcheckAdapter({ store, keys, ...(mode && { migrateFrom: upstashAdapter({ mode }) }) })
  redis.closing(adapter)
  return adapter
}
/** An old process. Its client is that of Upstash, as far as the adapter uses it. */
const oldAdapter = () => {
  const upstash = {
    set: (key: string, value: string) => redis.client.set(key, value),
    async get(key: string): Promise<unknown> {
      const text = await redis.client.get(key)
      return text?.startsWith('{') ? JSON.parse(text) : text
    },
    del: (...names: (string | null)[]) => redis.client.del(names.filter((name) => name !== null)),
  }
  return UpstashRedisAdapter(upstash as unknown as Parameters<typeof UpstashRedisAdapter>[0]) as unknown as Pick<
    CoatcheckAdapter,
    'createUser' | 'deleteUser' | 'getUserByAccount' | 'getUserByEmail' | 'linkAccount'
  >
}
type Adapter = ReturnType<typeof oldAdapter>

/** The steps of Auth.js at a sign-in with a provider. @returns the id of the user */
async function signIn(adapter: Adapter, account: typeof first | typeof last): Promise<string> {
  const known = await adapter.getUserByAccount(account)
  if (known) return known.id
  if (await adapter.getUserByEmail(EMAIL)) throw new Error('OAuthAccountNotLinked')
  const { id } = await adapter.createUser({ email: EMAIL, emailVerified: null })
  await adapter.linkAccount({ ...account, userId: id })
  return id
}
/** Signs in, and links a second account. */
async function register(adapter: Adapter): Promise<string> {
  const id = await signIn(adapter, first)
  await adapter.linkAccount({ ...last, userId: id })
  return id
}

describe.each(['read', 'move'] as const)('in mode %s', (mode) => {
  it.each(['an old process', 'a process in read'])('a user whom %s deleted can sign in again', async (who) => {
    const deleting = who === 'an old process' ? oldAdapter() : open('read')
    const deleted = await register(oldAdapter())
    await deleting.deleteUser(deleted)
    expect(await redis.client.keys('user:*')).toEqual(['user:account:first:7'])
    const adapter = open(mode)
    const id = await signIn(adapter, first)
    expect(id).not.toBe(deleted)
    expect(await signIn(open(mode), first)).toBe(id)
    if (mode === 'read') expect(await signIn(oldAdapter(), first)).toBe(id)
    await adapter.deleteUser(id)
    expect(await adapter.getUserByAccount(first)).toBeNull()
  })

  it('an account of a user who exists is not replaced', async () => {
    const id = await register(oldAdapter())
    const adapter = open(mode)
    const { id: other } = await adapter.createUser({ email: 'grace@example.test', emailVerified: null })
    const linking = adapter.linkAccount({ ...first, userId: other })
    await expect(linking).rejects.toMatchObject({ code: 'COATCHECK_ACCOUNT_LINKED' })
    expect(await signIn(adapter, first)).toBe(id)
  })
})

it('an account that a process in move linked is not replaced in read while its user exists', async () => {
  const id = await signIn(open('move'), first)
  await redis.client.set('user:2', JSON.stringify({ id: '2', email: 'grace@example.test', emailVerified: null }))
  const adapter = open('read')
  const linking = adapter.linkAccount({ ...first, userId: '2' })
  await expect(linking).rejects.toMatchObject({ code: 'COATCHECK_ACCOUNT_LINKED' })
  expect(await signIn(adapter, first)).toBe(id)
  expect(await redis.client.exists('user:account:first:7')).toBe(0)
})

it('of users who replace an account in `read` at once, one gets it', async () => {
  await redis.client.set('user:account:first:7', JSON.stringify({ ...first, userId: 'deleted', id: 'first:7' }))
  const ids = Array.from({ length: 20 }, (_, index) => String(index))
  for (const id of ids) await redis.client.set(`user:${id}`, JSON.stringify({ id, email: `${id}@example.test` }))
  const adapters = [open('read'), open('read')]
  const linked = await Promise.allSettled(
    ids.map((userId, index) => adapters[index % 2]?.linkAccount({ ...first, userId })),
  )
  expect(linked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  const winner = linked.findIndex(({ status }) => status === 'fulfilled')
  expect((await open('read').getUserByAccount(first))?.id).toBe(ids[winner])
})

describe('a deletion that stops half-way', () => {
  /** Each call of a driver is a step. */
  const inStepsOf = (steps: Steps): StoreFactory => {
    const factory = redisStore({ url: redis.url })
    return {
      isLocal: factory.isLocal,
      identity: randomBytes(8).toString('hex'),
      open(context) {
        const store = factory.open(context)
        return { ...store, documents: inSteps(store.documents, steps) }
      },
    }
  }

  it.each([null, 'read', 'move'] as const)(
    'leaves an account with which the user signs in again: mode %s',
    async (mode) => {
      const deleted = await register(open(null))
      const steps = new Steps()
      const adapter = open(null, inStepsOf(steps))
      // 1 reads the user, 2 removes it.
      steps.lose(3, false)
      await expect(adapter.deleteUser(deleted)).rejects.toMatchObject({ code: 'COATCHECK_REDIS_TIMEOUT' })
      expect(await open(null).getUser(deleted)).toBeNull()
      expect(await open(null).getAccount(first.providerAccountId, first.provider)).toMatchObject({ userId: deleted })
      const id = await signIn(open(mode), first)
      expect(id).not.toBe(deleted)
      expect(await signIn(open(mode), first)).toBe(id)
    },
  )

  it('takes no account away that another user has replaced meanwhile', async () => {
    const deleted = await signIn(open(null), first)
    const steps = new Steps()
    const deleting = open(null, inStepsOf(steps))
    let id = ''
    for (let step = 3; ; step++) {
      await redis.client.flushAll()
      const before = await signIn(open(null), first)
      const { arrived, go } = steps.hold(step)
      const deletion = deleting.deleteUser(before).then(() => 'ended' as const)
      if ((await Promise.race([arrived.then(() => 'held' as const), deletion])) === 'ended') break
      id = await signIn(open(null), first)
      go()
      await deletion
      expect(await signIn(open(null), first), `step ${step}`).toBe(id)
    }
    expect(id).not.toBe('')
    expect(id).not.toBe(deleted)
  })
})
