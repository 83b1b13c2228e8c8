/** `coatcheck/nextjs-auth0` under the SDK's own session handling: cookie, store, rolling, logout tokens, races. */
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type CoatcheckSessionDataStore, sessionDataStore } from '../../src/app/drop-ins/nextjs-auth0.ts'
import { auth0Store } from '../../src/entries/migrate.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const SECRET = randomBytes(32).toString('hex')

/** By name at run time only: their types bring Next's global ones, and those change what `process.env` is in all tests. */
const [sdkName, nextName]: string[] = ['@auth0/nextjs-auth0/server', 'next/server.js']
const { Auth0Client } = (await import(sdkName ?? '')) as {
  Auth0Client: new (options: object) => { getSession(request: unknown): Promise<unknown> }
}
const { NextRequest } = (await import(nextName ?? '')) as {
  NextRequest: new (url: string, init?: RequestInit) => { readonly cookies: { toString(): string } }
}

interface StatefulStore {
  get(cookies: unknown): Promise<unknown>
  set(request: unknown, response: unknown, session: object, isNew?: boolean): Promise<void>
  delete(request: unknown, response: unknown): Promise<void>
}

describe.each([
  ['without an origin', null],
  ['while old processes run', 'read'],
  ['when no old process is left', 'move'],
] as const)('@auth0/nextjs-auth0 %s', (_title, mode) => {
  let redis: RedisServer
  let store: CoatcheckSessionDataStore
  let sdk: StatefulStore

  beforeAll(async () => {
    redis = await startRedisServer()
    store = sessionDataStore({
      store: redisStore({ url: redis.url }),
      keys: randomBytes(32).toString('base64'),
      ...(mode && { migrateFrom: auth0Store({ mode, keyOf: (id) => `sessions:${id}` }) }),
    })
    const file = resolve('node_modules/@auth0/nextjs-auth0/dist/server/session/stateful-session-store.js')
    const { StatefulSessionStore } = (await import(pathToFileURL(file).href)) as {
      StatefulSessionStore: new (options: object) => StatefulStore
    }
    sdk = new StatefulSessionStore({ secret: SECRET, store })
  })
  afterAll(async () => {
    await store.close()
    await redis.stop()
  })
  beforeEach(async () => {
    await redis.cli('flushall')
  })

  const sessionOf = (sub: string, sid: string, issuer = 'https://one.example/') => ({
    user: { sub },
    tokenSet: { accessToken: `at-${sid}`, expiresAt: Math.floor(Date.now() / 1000) + 3600 },
    internal: { sid, createdAt: Math.floor(Date.now() / 1000), mcd: { domain: 'one.example', issuer } },
  })
  /** The SDK reads and writes cookies of Next's requests and responses; one of both stands for a browser here. */
  const browser = () => new NextRequest('http://localhost:3000/').cookies
  const signIn = async (sub: string, sid: string, issuer?: string) => {
    const cookies = browser()
    await sdk.set(cookies, cookies, sessionOf(sub, sid, issuer), true)
    return cookies
  }

  it('signs in, rolls, signs out; the client of the SDK sees the same', async () => {
    const ada = await signIn('ada', 'sid-1')
    expect(await sdk.get(ada)).toMatchObject({ user: { sub: 'ada' } })
    const client = new Auth0Client({
      domain: 'one.example',
      clientId: 'client',
      clientSecret: 'secret',
      appBaseUrl: 'http://localhost:3000',
      secret: SECRET,
      sessionStore: store,
    })
    const headers = { cookie: ada.toString() }
    expect(await client.getSession(new NextRequest('http://localhost:3000/', { headers }))).toMatchObject({
      user: { sub: 'ada' },
      tokenSet: { accessToken: 'at-sid-1' },
    })
    await sdk.set(ada, ada, { ...sessionOf('ada', 'sid-1'), extra: 1 })
    expect(await sdk.get(ada)).toMatchObject({ extra: 1 })
    await sdk.delete(browser(), browser())
    const copy = new NextRequest('http://localhost:3000/', { headers }).cookies
    await sdk.delete(ada, browser())
    expect(await sdk.get(copy)).toBeNull()
  })

  it('a request that rolls the session while somebody signs out does not bring it back, 100 times', async () => {
    for (let round = 0; round < 100; round++) {
      const ada = await signIn('ada', `sid-${round}`)
      const thief = new NextRequest('http://localhost:3000/', { headers: { cookie: ada.toString() } }).cookies
      const rolling = new NextRequest('http://localhost:3000/', { headers: { cookie: ada.toString() } }).cookies
      const session = (await sdk.get(rolling)) as object
      await Promise.all([sdk.set(rolling, rolling, session), sdk.delete(ada, ada)])
      expect(await sdk.get(thief)).toBeNull()
    }
    expect(await store.listByUser('ada')).toEqual([])
  })

  it('logout tokens end the session of the sid, or all of the user, and only at their issuer', async () => {
    const first = await signIn('ada', 'sid-1')
    const second = await signIn('ada', 'sid-2')
    const elsewhere = await signIn('ada', 'sid-3', 'https://two.example/')
    const grace = await signIn('grace', 'sid-4')
    await store.deleteByLogoutToken({ sid: 'sid-1', sub: 'grace' })
    expect(await sdk.get(first)).not.toBeNull()
    await store.deleteByLogoutToken({ sid: 'sid-1', sub: 'ada', iss: 'https://one.example/' })
    expect(await sdk.get(first)).toBeNull()
    await store.deleteByLogoutToken({ sub: 'ada', iss: 'https://one.example' })
    expect(await sdk.get(second)).toBeNull()
    expect(await sdk.get(elsewhere)).not.toBeNull()
    expect(await sdk.get(grace)).not.toBeNull()
    await store.deleteByLogoutToken({ sub: 'ada' })
    expect(await sdk.get(elsewhere)).toBeNull()
  })

  it('20 sign-ins at once and the end of all others: exactly one is left', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, (_, index) => signIn('ada', `sid-${index}`)))
    const listed = await store.listByUser('ada')
    expect(listed).toHaveLength(20)
    const kept = listed[7]
    expect(await store.revokeByUser('ada', { except: kept?.id ?? '' })).toBe(19)
    const left = await Promise.all(all.map(async (one) => (await sdk.get(one)) as { internal: { sid: string } } | null))
    expect(left.filter((one) => one !== null).map(({ internal }) => internal.sid)).toEqual([kept?.session.internal.sid])
    expect(await store.revoke(kept?.id ?? '')).toBe(true)
    expect(await store.listByUser('ada')).toEqual([])
  })

  it('update is for what is there; lives end with inactivity and with the absolute duration', async () => {
    expect(await store.update('nobody', sessionOf('ada', 'x'))).toBe(false)
    await store.set('id', sessionOf('ada', 'x'))
    const lifeOf = async (): Promise<number> => {
      const [key = ''] = (await redis.cli('--scan', '--pattern', 'host:nextjs-auth0:*')).split('\n')
      return Number(await redis.cli('pttl', key))
    }
    expect(Math.round((await lifeOf()) / 3_600_000)).toBe(24)
    const old = sessionOf('ada', 'x')
    old.internal.createdAt -= 3 * 86_400 - 60
    expect(await store.update('id', old)).toBe(true)
    expect(await lifeOf()).toBeLessThanOrEqual(60_000)
    old.internal.createdAt -= 61
    expect(await store.update('id', old)).toBe(false)
    expect(await store.get('id')).toBeNull()
  })

  it('a session that does not roll lives for the absolute duration', async () => {
    const still = sessionDataStore({
      store: redisStore({ url: redis.url }),
      keys: randomBytes(32).toString('base64'),
      rolling: false,
    })
    await still.set('id', sessionOf('ada', 'x'))
    const [key = ''] = (await redis.cli('--scan', '--pattern', 'host:nextjs-auth0:*')).split('\n')
    expect(Math.round(Number(await redis.cli('pttl', key)) / 3_600_000)).toBe(72)
    await still.close()
  })

  it('the limit that docs/nextjs-auth0.md states: of two updates of one session the later is kept whole', async () => {
    await store.set('id', sessionOf('ada', 'x'))
    const first = await store.get('id')
    const second = await store.get('id')
    await store.update('id', { ...first, user: { sub: 'ada' }, a: 1 } as never)
    await store.update('id', { ...second, user: { sub: 'ada' }, b: 1 } as never)
    const session = await store.get('id')
    expect([session?.['a'], session?.['b']]).toEqual([undefined, 1])
  })
})
