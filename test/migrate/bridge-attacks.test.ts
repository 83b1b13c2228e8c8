/**
 * Cookie bridges as an attacker and as a bad day see them: cookies of others, cookies sent by other sites, data that is no data, functions
 * that throw, stores that do not answer, and a process that ends in the middle.
 */
import { createHmac, hkdfSync, randomBytes } from 'node:crypto'
import session from 'express-session'
import { sealData } from 'iron-session'
import { EncryptJWT } from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Coatcheck, coatcheck } from '../../src/app/coatcheck.ts'
import { leaveUncounted } from '../../src/app/drop-in-origin.ts'
import { setCookiesOf } from '../../src/http/cookie.ts'
import type { RequestSessionInput } from '../../src/http/request-session.ts'
import { createHeadersSink } from '../../src/http/headers-sink.ts'
import {
  fromAuth0,
  fromAuthJs,
  fromExpressSession,
  fromIronSession,
  type StoredSession,
} from '../../src/entries/migrate.ts'
import type { BridgeOptions } from '../../src/migrate/bridges/options.ts'
import type { CookieBridge } from '../../src/migrate/cookie-bridge.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { HANG_MS } from '../lab/limits.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { cookieHeader } from './old-apps.ts'
import { withBridge } from './old-bridges.ts'
import { authJsApp } from './old-sealed-apps.ts'

const SECRET = 'the secret of the old application, 32 characters or more'
const OURS = '__Host-coatcheck'

let redis: RedisServer
let auth: Coatcheck<Record<string, unknown>>
let store: session.MemoryStore

beforeAll(async () => {
  vi.stubEnv('COATCHECK_LOG', 'silent')
  redis = await startRedisServer()
  auth = coatcheck({
    baseUrl: 'https://app.example',
    keys: randomBytes(32).toString('base64'),
    store: redisStore({ url: redis.url }),
    signIn: { carry: ['theme'] },
    session: { maxBytes: 4096 },
  })
  // A timer reports the counts of old sessions to the store (`adoption-counts.test.ts`). Here only commands of requests count.
  leaveUncounted(auth.events)
  await auth.ready()
})
afterAll(async () => {
  await auth.close()
  await redis.stop()
  vi.unstubAllEnvs()
})
beforeEach(async () => {
  await redis.cli('flushall')
  store = new session.MemoryStore()
})
afterEach(() => vi.useRealTimers())

/** A session in the store of express-session, and its signed cookie. */
async function oldSession(data: Record<string, unknown>): Promise<string> {
  const id = randomBytes(24).toString('base64url')
  const record = { cookie: { originalMaxAge: 3_600_000, expires: new Date(Date.now() + 3_600_000) }, ...data }
  await new Promise((resolve) => store.set(id, record, resolve))
  return `connect.sid=${encodeURIComponent(`s:${id}.${signature(id)}`)}`
}
function signature(id: string): string {
  return createHmac('sha256', SECRET).update(id).digest('base64').replace(/=+$/, '')
}

function bridge(changes: Partial<BridgeOptions<StoredSession>> = {}): CookieBridge {
  return fromExpressSession({
    ...{ secret: SECRET, store },
    user: (old) => ({ userId: old['userId'] as string, data: { cart: old['cart'] } }),
    ...changes,
  })
}

const SAME_ORIGIN: Record<string, string> = { 'sec-fetch-site': 'same-origin' }

function exchange(
  cookie: string,
  adopt: CookieBridge,
  input: Partial<RequestSessionInput> & { headers?: Record<string, string> } = {},
) {
  const { headers = SAME_ORIGIN, ...rest } = input
  const sink = createHeadersSink()
  const made = auth.http.requestSession({ cookieHeader: cookie, sink, adopt, header: (name) => headers[name], ...rest })
  return { ...made, lines: () => setCookiesOf(sink), cookie: () => cookieHeader(setCookiesOf(sink), cookie) }
}

async function commands(run: () => Promise<unknown>): Promise<string[]> {
  await redis.cli('config', 'resetstat')
  await run()
  // TIME is the client's own: it compares the clocks now and then.
  const own = new Set(['config|resetstat', 'info', 'ping', 'time', 'client|setinfo', 'hello'])
  const lines = (await redis.cli('info', 'commandstats')).matchAll(/cmdstat_([^:]+):calls=/g)
  return [...lines].map(([, name = '']) => name).filter((name) => !own.has(name))
}

describe('which cookie counts', () => {
  it('a request that another site sent adopts nothing, where the browser would leave our cookie out', async () => {
    const cookie = await oldSession({ userId: 'ada' })
    const asked = await commands(async () => {
      for (const headers of [
        { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'empty' },
        { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'iframe' },
        { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'document', origin: 'https://evil.example' },
      ]) {
        const request = exchange(cookie, bridge(), { headers })
        expect((await request.getSession()).user).toBeNull()
        expect(request.lines()).toEqual([])
      }
    })
    expect(asked).toEqual([])
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'document' }
    expect((await exchange(cookie, bridge(), { headers: link }).getSession()).user?.id).toBe('ada')
  })

  it('the user of our session stays, whichever user the old cookie names', async () => {
    const ours = await auth.sessions.create({ userId: 'grace' })
    const cookie = `${OURS}=${ours.ticket}; ${await oldSession({ userId: 'ada' })}`
    const request = exchange(cookie, bridge())
    expect((await request.getSession()).user?.id).toBe('grace')
    expect(request.lines()).toEqual([])
    expect(await auth.sessions.listByUser('ada')).toEqual([])
  })

  it('with two cookies of ours none counts, and the old one does not either', async () => {
    const ours = await auth.sessions.create({ userId: 'grace' })
    const cookie = `${OURS}=planted; ${OURS}=${ours.ticket}; ${await oldSession({ userId: 'ada' })}`
    expect((await exchange(cookie, bridge()).getSession()).user).toBeNull()
  })

  it('an anonymous session of ours gives way to the old user, and what signIn.carry names moves along', async () => {
    const ours = await auth.sessions.create({ data: { theme: 'dark', step: 3 } })
    const cookie = `${OURS}=${ours.ticket}; ${await oldSession({ userId: 'ada', cart: 'coat' })}`
    const request = exchange(cookie, bridge())
    const adopted = await request.getSession()
    expect(adopted.user?.id).toBe('ada')
    expect(adopted.data).toEqual({ theme: 'dark', cart: 'coat' })
    expect(request.cookie()).not.toContain(ours.ticket)
    expect(await auth.sessions.find(ours.ticket)).toMatchObject({ session: null })
  })

  it('a forged, a foreign and an ended anonymous cookie of ours are no reason to refuse the old one', async () => {
    const old = await oldSession({ userId: 'ada' })
    const ended = await auth.sessions.create()
    await auth.sessions.revoke(ended.session.id ?? '')
    for (const ours of ['x', 'A'.repeat(98), ended.ticket]) {
      expect((await exchange(`${OURS}=${ours}; ${old}`, bridge()).getSession()).user?.id).toBe('ada')
    }
    expect(await auth.sessions.listByUser('ada')).toHaveLength(1)
  })

  it('beside the ticket of a user whose session was ended, no old cookie is adopted', async () => {
    const seal = () => sealData({ userId: 'ada' }, { password: SECRET })
    const adopt = fromIronSession<{ userId?: string }>({
      ...{ password: SECRET, cookieName: 'iron' },
      user: ({ userId }) => ({ userId }),
    })
    const first = exchange(`iron=${encodeURIComponent(await seal())}`, adopt)
    const { id } = await first.getSession()
    // As an old application does that saves its session at each request.
    const sealedAgain = first.cookie().replace(/iron=[^;]+/, `iron=${encodeURIComponent(await seal())}`)
    for (const end of [() => auth.sessions.revoke(id ?? ''), () => auth.sessions.revokeByUser('ada')]) {
      await end()
      const request = exchange(sealedAgain, adopt)
      expect((await request.getSession()).user).toBeNull()
      expect(request.lines()).toEqual([])
    }
    expect(await auth.sessions.listByUser('ada')).toEqual([])
    // A sign-in of ours goes on as ever.
    await (await exchange(sealedAgain, adopt).getVisit()).signIn({ userId: 'ada' })
    expect(await auth.sessions.listByUser('ada')).toHaveLength(1)
  })

  it('a sign-in after an adoption gives a new ticket, and the adopted session has ended (session fixation)', async () => {
    const cookie = await oldSession({ userId: 'attacker' })
    const planted = exchange(cookie, bridge())
    const visit = await planted.getVisit()
    const before = visit.session.id
    await visit.signIn({ userId: 'victim' })
    expect(visit.session.id).not.toBe(before)
    expect((await exchange(cookie, bridge()).getSession()).user).toBeNull()
    expect(await auth.sessions.listByUser('attacker')).toEqual([])
  })
})

describe('spellings of one cookie', () => {
  it('another spelling of the base64url of a JWT is the same old session, also after the sign-out', async () => {
    const app = withBridge(authJsApp())
    const cookie = await app.signIn('ada')
    const adopt = app.bridge()
    const first = exchange(cookie, adopt)
    const { id } = await first.getSession()
    const spellings = otherSpellings(cookie)
    expect(spellings.length).toBeGreaterThan(1)
    for (const spelling of spellings) expect((await exchange(spelling, adopt).getSession()).id).toBe(id)
    await (await exchange(first.cookie(), adopt).getVisit()).signOut()
    for (const spelling of [cookie, ...spellings])
      expect((await exchange(spelling, adopt).getSession()).user).toBeNull()
  })

  it('each seal of one session of nextjs-auth0 is the same old session, also where the provider sends no sid', async () => {
    const key = new Uint8Array(hkdfSync('sha256', SECRET, '', 'JWE CEK', 32))
    const createdAt = Math.floor(Date.now() / 1000)
    const seal = async (life: string): Promise<string> => {
      const token = new EncryptJWT({ user: { sub: 'ada' }, tokenSet: {}, internal: { createdAt } })
      const text = await token.setExpirationTime(life).setProtectedHeader({ alg: 'dir', enc: 'A256GCM' }).encrypt(key)
      return `__session=${text}`
    }
    const adopt = fromAuth0({ secret: SECRET, user: ({ user }) => ({ userId: user.sub }) })
    // The SDK seals the session again at each request, so a thief may have a copy that nothing was shown.
    const [stolen, current] = [await seal('1h'), await seal('2h')]
    const first = exchange(current, adopt)
    await first.getSession()
    await (await exchange(first.cookie(), adopt).getVisit()).signOut()
    for (const cookie of [current, stolen]) expect((await exchange(cookie, adopt).getSession()).user).toBeNull()
  })

  it('a seal of iron-session has one spelling: a version behind it that reads alike is refused', async () => {
    const seal = await sealData({ userId: 'ada' }, { password: SECRET })
    const adopt = fromIronSession<{ userId?: string }>({
      password: SECRET,
      cookieName: 'iron',
      user: ({ userId }) => ({ userId }),
    })
    const userWith = async (value: string) =>
      (await exchange(`iron=${encodeURIComponent(value)}`, adopt).getSession()).user
    const bare = seal.slice(0, -2)
    for (const value of [bare, `${bare}~02`, `${bare}~2~`, `${bare}~2x`, `${bare}~3`])
      expect(await userWith(value)).toBeNull()
    expect((await userWith(seal))?.id).toBe('ada')
  })

  /** The last character of iv and tag holds unused bits: four or sixteen characters mean the same bytes. */
  function otherSpellings(cookie: string): string[] {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const parts = cookie.split('.')
    return [2, 4].flatMap((offset) => {
      const at = parts.length - 5 + offset
      const part = parts[at] ?? ''
      return alphabet
        .split('')
        .map((character) => part.slice(0, -1) + character)
        .filter((other) => other !== part && Buffer.from(other, 'base64url').equals(Buffer.from(part, 'base64url')))
        .map((other) => parts.with(at, other).join('.'))
    })
  }
})

describe('a cookie that a neighboring subdomain has planted', () => {
  const authJs = (name?: string) =>
    fromAuthJs({ secret: SECRET, ...(name !== undefined && { name }), user: ({ sub }) => ({ userId: sub as string }) })
  const auth0 = () => fromAuth0({ secret: SECRET, user: ({ user }) => ({ userId: user.sub }) })
  /** As next-auth 4 seals: the key does not depend on the name of the cookie. */
  const version4 = (sub: string) => sealed({ sub }, 'A256GCM', '', 'NextAuth.js Generated Encryption Key')
  const version5 = (sub: string, name: string) =>
    sealed({ sub }, 'A256CBC-HS512', name, `Auth.js Generated Encryption Key (${name})`)
  const sealed = (payload: object, enc: string, salt: string, label: string, header: object = {}) => {
    const key = new Uint8Array(hkdfSync('sha256', SECRET, salt, label, enc === 'A256GCM' ? 32 : 64))
    const token = new EncryptJWT({ ...payload }).setIssuedAt().setExpirationTime('1h')
    return token.setProtectedHeader({ alg: 'dir', enc, ...header }).encrypt(key)
  }
  const seconds = () => Math.floor(Date.now() / 1000)
  const auth0Version4 = (sub: string) =>
    sealed({ user: { sub }, tokenSet: {}, internal: { sid: `sid-${sub}`, createdAt: 1 } }, 'A256GCM', '', 'JWE CEK')
  const auth0Version3 = (sub: string) => {
    const times = { iat: seconds(), uat: seconds(), exp: seconds() + 3600 }
    return sealed({ user: { sub, sid: `sid-${sub}` } }, 'A256GCM', '', 'JWE CEK', times)
  }
  const userOf = async (cookie: string, adopt: CookieBridge) => {
    const before = await redis.cli('debug', 'digest')
    const { user } = await exchange(cookie, adopt).getSession()
    if (!user) expect(await redis.cli('debug', 'digest')).toBe(before)
    return user?.id
  }

  it('a token of next-auth 4 opens nothing under a name of Auth.js 5, and under its own name it does', async () => {
    const token = await version4('eve')
    expect(await userOf(`authjs.session-token=${token}`, authJs())).toBeUndefined()
    expect(await userOf(`__Secure-authjs.session-token=${token}`, authJs())).toBeUndefined()
    expect(await userOf(`next-auth.session-token=${token}`, authJs())).toBe('eve')
    const name = 'next-auth.session-token'
    expect(await userOf(`${name}=${await version5('eve', name)}`, authJs())).toBeUndefined()
    // A name that the application has chosen says nothing of the version.
    expect(await userOf(`mine=${await version4('ada')}`, authJs('mine'))).toBe('ada')
    expect(await userOf(`mine=${await version5('grace', 'mine')}`, authJs('mine'))).toBe('grace')
  })

  it('a name that browsers protect counts before one that any page can set', async () => {
    const planted = `authjs.session-token=${await version5('eve', 'authjs.session-token')}`
    for (const name of ['__Secure-authjs.session-token', '__Secure-next-auth.session-token']) {
      const own = `${name}=${name.includes('next') ? await version4('ada') : await version5('ada', name)}`
      expect(await userOf(`${planted}; ${own}`, authJs())).toBe('ada')
    }
    const twice = `__Secure-authjs.session-token=x; __Secure-authjs.session-token=y`
    expect(await userOf(`${planted}; ${twice}`, authJs())).toBeUndefined()
  })

  it('two cookies of two users count as none, and two of one user as one', async () => {
    const [ada3, eve4, ada4] = [await auth0Version3('ada'), await auth0Version4('eve'), await auth0Version4('ada')]
    expect(await userOf(`__session=${eve4}; appSession=${ada3}`, auth0())).toBeUndefined()
    expect(await userOf(`__session=${ada4}; appSession=${ada3}`, auth0())).toBe('ada')
    expect(await userOf(`__session=junk; appSession=${ada3}`, auth0())).toBe('ada')
    const [eve5, own4] = [await version5('eve', 'authjs.session-token'), await version4('ada')]
    expect(await userOf(`authjs.session-token=${eve5}; next-auth.session-token=${own4}`, authJs())).toBeUndefined()
  })

  it('a sign-out ends each of them', async () => {
    const cookies = [`__session=${await auth0Version4('ada')}`, `appSession=${await auth0Version3('ada')}`]
    await (await exchange(cookies.join('; '), auth0()).getVisit()).signOut()
    for (const cookie of cookies) expect(await userOf(cookie, auth0())).toBeUndefined()
  })

  it.each([
    ['before it', (own: string, name: string) => `${name}=planted; ${name}=${own}`],
    ['behind it', (own: string, name: string) => `${name}=${own}; ${name}=planted`],
    ['in parts', (own: string, name: string) => `${name}=${own}; ${name}__0=planted`],
  ])('a planted cookie of the same name %s does not keep a sign-out from ending the old session', async (_, both) => {
    const own = await auth0Version4('ada')
    expect(await userOf(`__session=${own}`, auth0())).toBe('ada')
    await (await exchange(both(own, '__session'), auth0()).getVisit()).signOut()
    expect(await userOf(`__session=${own}`, auth0())).toBeUndefined()
    expect(await auth.sessions.listByUser('ada')).toEqual([])
  })

  it('a planted part of a split cookie does not keep a sign-out from ending the old session', async () => {
    const own = await auth0Version4('ada')
    const half = Math.ceil(own.length / 2)
    const split = `__session__0=${own.slice(0, half)}; __session__1=${own.slice(half)}`
    const planted = [
      `__session__0=planted; ${split}`,
      `${split}; __session__0=planted`,
      `${split}; __session__2=planted`,
    ]
    for (const both of planted) {
      expect(await userOf(split, auth0())).toBe('ada')
      await (await exchange(both, auth0()).getVisit()).signOut()
      expect(await userOf(split, auth0())).toBeUndefined()
      await redis.cli('flushall')
    }
  })

  it('a whole cookie beside a first part of the same name counts as none', async () => {
    const own = await auth0Version4('ada')
    const [eve, half] = [await auth0Version4('eve'), Math.ceil(own.length / 2)]
    const split = (name: string, mark: string) =>
      `${name}${mark}0=${own.slice(0, half)}; ${name}${mark}1=${own.slice(half)}`
    expect(await userOf(`__session=${eve}; ${split('__session', '__')}`, auth0())).toBeUndefined()
    expect(await userOf(`${split('__session', '.')}; ${split('__session', '__')}`, auth0())).toBeUndefined()
    const token = await version4('eve')
    expect(await userOf(`next-auth.session-token=${token}; next-auth.session-token.0=x`, authJs())).toBeUndefined()
    // The old library writes an empty cookie to remove it.
    expect(await userOf(`__session=; ${split('__session', '__')}`, auth0())).toBe('ada')
  })
})

describe('cookies without an end', () => {
  const DECADE_MS = 3650 * 86_400_000
  const iron = () =>
    fromIronSession<{ userId?: string }>({
      password: SECRET,
      cookieName: 'iron',
      user: ({ userId }) => ({ userId }),
    })

  it.each([true, false])(
    'a seal of iron-session with "ttl: 0" stays used up after a sign-out (adopted before: %s)',
    async (isAdopted) => {
      const seal = await sealData({ userId: 'ada' }, { password: SECRET, ttl: 0 })
      const cookie = `iron=${encodeURIComponent(seal)}`
      if (isAdopted) expect((await exchange(cookie, iron()).getSession()).user?.id).toBe('ada')
      await (await exchange(cookie, iron()).getVisit()).signOut()
      expect(await lifeOfDocument()).toBeGreaterThan(0.99 * DECADE_MS)
      expect((await exchange(cookie, iron()).getSession()).user).toBeNull()
    },
  )

  it('a sign-out on a full Redis stays remembered as long', async () => {
    const cookie = `iron=${encodeURIComponent(await sealData({ userId: 'ada' }, { password: SECRET, ttl: 0 }))}`
    await exchange(cookie, iron()).getSession()
    await redis.cli('config', 'set', 'maxmemory', '1')
    try {
      await (await exchange(cookie, iron()).getVisit()).signOut()
    } finally {
      await redis.cli('config', 'set', 'maxmemory', '0')
    }
    expect(await lifeOfDocument()).toBeGreaterThan(0.99 * DECADE_MS)
  })

  it('a JWT without "exp" stays used up after a sign-out', async () => {
    const name = 'authjs.session-token'
    const label = `Auth.js Generated Encryption Key (${name})`
    const key = new Uint8Array(hkdfSync('sha256', SECRET, name, label, 64))
    const token = await new EncryptJWT({ sub: 'ada' })
      .setProtectedHeader({ alg: 'dir', enc: 'A256CBC-HS512' })
      .encrypt(key)
    const adopt = fromAuthJs({ secret: SECRET, user: ({ sub }) => ({ userId: sub as string }) })
    await (await exchange(`${name}=${token}`, adopt).getVisit()).signOut()
    expect(await lifeOfDocument()).toBeGreaterThan(0.99 * DECADE_MS)
    expect((await exchange(`${name}=${token}`, adopt).getSession()).user).toBeNull()
  })

  async function lifeOfDocument(): Promise<number> {
    const [key = ''] = (await redis.cli('--scan', '--pattern', '*host:adopted:*')).split('\n')
    return Number(await redis.cli('pttl', key))
  }
})

describe('cookies of another purpose', () => {
  it('another cookie of nextjs-auth0, sealed with the same key, is no session', async () => {
    const key = new Uint8Array(hkdfSync('sha256', SECRET, '', 'JWE CEK', 32))
    const sealed = (payload: Record<string, unknown>) =>
      new EncryptJWT(payload).setProtectedHeader({ alg: 'dir', enc: 'A256GCM' }).setExpirationTime('1h').encrypt(key)
    const adopt = fromAuth0({ secret: SECRET, user: ({ user }) => ({ userId: user.sub }) })
    const inStore = fromAuth0({
      ...{ secret: SECRET, user: ({ user }) => ({ userId: user.sub }) },
      store: { get: () => ({ user: { sub: 'ada' }, internal: {} }), delete: () => undefined },
    })
    const transaction = { nonce: 'n', codeVerifier: 'v', state: 's', returnTo: '/' }
    for (const payload of [transaction, { accessToken: 'at', connection: 'c' }, { user: { sub: 7 } }, { user: null }]) {
      const cookie = `__session=${await sealed(payload)}`
      const asked = await commands(async () => {
        expect((await exchange(cookie, adopt).getSession()).user).toBeNull()
        expect((await exchange(cookie, inStore).getSession()).user).toBeNull()
      })
      expect(asked).toEqual([])
    }
  })

  it('a JWT of Auth.js under another cookie name is refused: the name is part of the key', async () => {
    const app = withBridge(authJsApp())
    const cookie = (await app.signIn('ada')).split('; ').find((pair) => pair.startsWith('authjs.session-token='))
    const elsewhere = String(cookie).replace('authjs.session-token', '__Secure-authjs.session-token')
    expect((await exchange(elsewhere, app.bridge()).getSession()).user).toBeNull()
    expect((await exchange(String(cookie), app.bridge()).getSession()).user?.id).toBe('ada')
  })

  it('an oversized cookie is refused before anything is computed', async () => {
    const adopt = fromAuthJs({ secret: SECRET, user: ({ sub }) => ({ userId: sub as string }) })
    const parts = Array.from({ length: 16 }, (_, i) => `authjs.session-token.${i}=${'A'.repeat(4000)}`).join('; ')
    const began = performance.now()
    for (let i = 0; i < 100; i++) expect((await exchange(parts, adopt).getSession()).user).toBeNull()
    expect(performance.now() - began).toBeLessThan(2000)
    expect(await redis.cli('dbsize')).toBe('0')
  })
})

describe('data and functions of the application', () => {
  it('what user() throws is the error of the request, and nothing is stored', async () => {
    const cookie = await oldSession({ userId: 'ada' })
    const failing = bridge({ user: () => Promise.reject(new Error('the user table is away')) })
    await expect(exchange(cookie, failing).getSession()).rejects.toThrow('the user table is away')
    expect(await redis.cli('dbsize')).toBe('0')
    expect((await exchange(cookie, bridge()).getSession()).user?.id).toBe('ada')
  })

  it.each([null, undefined, { userId: '' }, { userId: undefined }, { userId: null }])(
    'an old session without a user (%j) leaves the visitor anonymous, and stores nothing',
    async (found) => {
      const request = exchange(await oldSession({}), bridge({ user: () => found }))
      expect((await request.getSession()).user).toBeNull()
      expect(request.lines()).toEqual([])
      expect(await redis.cli('dbsize')).toBe('0')
    },
  )

  it.each([
    { userId: 7 },
    'ada',
    { userId: 'ada', data: { at: new Date() } },
    { userId: 'ada', data: { big: 'x'.repeat(5000) } },
  ])('what is no user or no data (%j) is an error, and stores nothing', async (found) => {
    const request = exchange(await oldSession({}), bridge({ user: () => found as never }))
    await expect(request.getSession()).rejects.toMatchObject({ code: expect.stringMatching(/^COATCHECK_/) })
    expect(await redis.cli('dbsize')).toBe('0')
  })

  it('keys that would change a prototype reach no prototype, and are refused as data', async () => {
    const evil = JSON.parse(
      '{"userId":"ada","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
    ) as object
    const seal = await sealData(evil, { password: SECRET })
    const adopting = (data: (old: Record<string, unknown>) => Record<string, unknown>) =>
      fromIronSession<Record<string, unknown>>({
        ...{ password: SECRET, cookieName: 'iron' },
        user: (old) => ({ userId: old['userId'] as string, data: data(old) }),
      })
    const whole = exchange(
      `iron=${encodeURIComponent(seal)}`,
      adopting((old) => ({ old })),
    )
    await expect(whole.getSession()).rejects.toMatchObject({ code: 'COATCHECK_SESSION_VALUE' })
    const named = exchange(
      `iron=${encodeURIComponent(seal)}`,
      adopting(({ userId }) => ({ userId })),
    )
    expect((await named.getSession()).user?.id).toBe('ada')
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('an old session that is no session is left alone and counted', async () => {
    const outcomes: string[] = []
    const stop = auth.events.on('migration.read', ({ outcome }) => outcomes.push(outcome))
    const odd = (value: unknown, error: unknown = null) => ({
      get: (_id: string, callback: (error: unknown, value?: unknown) => void) => callback(error, value),
      destroy: (_id: string, callback: () => void) => callback(),
    })
    const cookie = await oldSession({ userId: 'ada' })
    const user = (): never => expect.fail('user() must not be called')
    for (const broken of [odd('text'), odd(undefined, new SyntaxError('Unexpected token'))]) {
      const adopt = fromExpressSession({ secret: SECRET, store: broken, user })
      expect((await exchange(cookie, adopt).getSession()).user).toBeNull()
    }
    const missing = fromExpressSession({ secret: SECRET, store: odd(undefined), user })
    expect((await exchange(cookie, missing).getSession()).user).toBeNull()
    await exchange('connect.sid=s%3Ax.y', bridge()).getSession()
    await exchange(cookie, bridge()).getSession()
    stop()
    expect(outcomes).toEqual(['unreadable', 'unreadable', 'missing', 'refused', 'adopted'])
  })
})

describe('where no cookie can be set', () => {
  it('the session is readable, and the next request that can set a cookie gets it', async () => {
    const cookie = await oldSession({ userId: 'ada' })
    const component = exchange(cookie, bridge({ mode: 'move' }), { sink: null })
    const { id } = await component.getSession()
    expect(id).not.toBeNull()
    const sink = {
      headersSent: true,
      getHeader: () => undefined,
      setHeader: () => expect.fail('the headers have left'),
    }
    expect((await exchange(cookie, bridge({ mode: 'move' }), { sink }).getSession()).id).toBe(id)
    const page = exchange(cookie, bridge({ mode: 'move' }))
    expect((await page.getSession()).id).toBe(id)
    expect(page.cookie()).toMatch(new RegExp(`^${OURS}=[\\w-]+$`))
  })
})

describe('stores that do not answer', () => {
  it('an outage of Redis is an error or what the policy says, and never a sign-out', async () => {
    const cookie = await oldSession({ userId: 'ada' })
    const adopt = bridge()
    redis.pause()
    try {
      const request = exchange(cookie, adopt)
      await expect(request.getSession()).rejects.toMatchObject({ code: 'COATCHECK_REDIS_TIMEOUT' })
      await expect(request.getSession({ onUnavailable: 'stale' })).rejects.toMatchObject({ retryable: true })
      const stranger = await request.getSession({ onUnavailable: 'anonymous' })
      expect([stranger.user, stranger.outage]).toEqual([null, 'anonymous'])
      expect(request.lines()).toEqual([])
    } finally {
      redis.resume()
    }
    const isBack = () => auth.sessions.listByUser('ada').then(Boolean, () => false)
    await vi.waitUntil(isBack, { timeout: HANG_MS })
    expect((await exchange(cookie, adopt).getSession()).user?.id).toBe('ada')
  })

  it('an outage of the old store is the error of the request; the next request tries again', async () => {
    const cookie = await oldSession({ userId: 'ada' })
    let isDown = true
    const flaky = {
      get: (id: string, callback: (error: unknown, value?: unknown) => void) =>
        isDown ? callback(new Error('the old store is down')) : store.get(id, callback),
      destroy: (id: string, callback: (error?: unknown) => void) =>
        isDown ? callback(new Error('the old store is down')) : store.destroy(id, callback),
    }
    const adopt = fromExpressSession({
      secret: SECRET,
      store: flaky,
      user: ({ userId }) => ({ userId: userId as string }),
    })
    await expect(exchange(cookie, adopt).getSession()).rejects.toThrow('the old store is down')
    isDown = false
    const first = exchange(cookie, adopt)
    expect((await first.getSession()).user?.id).toBe('ada')
    isDown = true
    // Ours ends in any case. The old session may live, so the caller hears of it.
    const visit = await exchange(first.cookie(), adopt).getVisit()
    await expect(visit.signOut()).rejects.toThrow('the old store is down')
    expect((await exchange(first.cookie(), adopt).getSession()).user).toBeNull()
    isDown = false
    await (await exchange(cookie, adopt).getVisit()).signOut()
    expect((await exchange(cookie, adopt).getSession()).user).toBeNull()
  })

  it('a sign-out on a full Redis stands: a replay gets no session', async () => {
    const cookie = await oldSession({ userId: 'ada' })
    const first = exchange(cookie, bridge())
    await first.getSession()
    await redis.cli('config', 'set', 'maxmemory', '1')
    try {
      await (await exchange(first.cookie(), bridge()).getVisit()).signOut()
    } finally {
      await redis.cli('config', 'set', 'maxmemory', '0')
    }
    expect((await exchange(cookie, bridge()).getSession()).user).toBeNull()
    expect(await auth.sessions.listByUser('ada')).toEqual([])
  })

  it('a sign-out that races with adoptions wins, and no session is left over', async () => {
    for (let round = 0; round < 40; round++) {
      const seal = await sealData({ userId: `ada-${round}` }, { password: SECRET })
      const cookie = `iron=${encodeURIComponent(seal)}`
      const adopt = () =>
        fromIronSession<{ userId?: string }>({
          password: SECRET,
          cookieName: 'iron',
          user: ({ userId }) => ({ userId }),
        })
      const signOut = async () => (await exchange(cookie, adopt()).getVisit()).signOut()
      await Promise.all([
        ...Array.from({ length: 4 }, () => exchange(cookie, adopt()).getSession()),
        signOut(),
        exchange(cookie, adopt()).getSession(),
      ])
      expect((await exchange(cookie, adopt()).getSession()).user).toBeNull()
      expect(await auth.sessions.listByUser(`ada-${round}`)).toEqual([])
    }
  })
})
