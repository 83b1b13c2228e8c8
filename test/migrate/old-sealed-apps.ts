/** Old applications whose cookie is the session, encrypted: iron-session, nextjs-auth0 3 and 4, Auth.js 4 and 5; and their variants with a store. */
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Auth, type AuthConfig } from '@auth/core'
import Credentials from '@auth/core/providers/credentials'
import GitHub from '@auth/core/providers/github'
import { UpstashRedisAdapter } from '@auth/upstash-redis-adapter'
import { getIronSession } from 'iron-session'
import type { createClient } from 'redis'
import { cartOf, cookieHeader, OLD_LIFE_MS, OLD_SECRET, type OldPackage, pairsOf } from './old-apps.ts'

type Client = ReturnType<typeof createClient>
type Claims = Readonly<Record<string, unknown>>

const LIFE_S = OLD_LIFE_MS / 1000
const ORIGIN = 'http://localhost:3000'
const padding = (kilobytes: number): string => 'x'.repeat(kilobytes * 1024)

export function ironSessionApp(): OldPackage {
  const options = { password: OLD_SECRET, cookieName: 'old-iron', ttl: LIFE_S, cookieOptions: { secure: false } }
  interface Data {
    userId?: string
    cart?: string
    padding?: string
  }
  return {
    ...{ origin: 'iron-session', isVerifiable: true, isStored: false },
    async signIn(userId, kilobytes = 0) {
      const response = new Response()
      const session = await getIronSession<Data>(new Request(ORIGIN), response, options)
      Object.assign(session, { userId, cart: cartOf(userId), padding: padding(kilobytes) })
      await session.save()
      return cookieHeader(response.headers.getSetCookie())
    },
    async ask(cookie) {
      const request = new Request(ORIGIN, { headers: { cookie } })
      return { userId: (await getIronSession<Data>(request, new Response(), options)).userId ?? null, lines: [] }
    },
  }
}

/** With the session in the cookie or, with `client`, in the adapter for Redis. */
export function authJsApp(client?: Client): OldPackage {
  const adapter = client && UpstashRedisAdapter(upstashOn(client), { baseKeyPrefix: 'old-authjs:' })
  const config: AuthConfig = {
    ...{ basePath: '/auth', secret: OLD_SECRET, trustHost: true, session: { strategy: 'jwt', maxAge: LIFE_S } },
    ...(adapter && { adapter, session: { strategy: 'database', maxAge: LIFE_S } }),
    // Auth.js refuses database sessions where every provider is of credentials.
    providers: adapter
      ? [GitHub({ clientId: 'client', clientSecret: 'secret' })]
      : [
          Credentials({
            credentials: { user: {}, padding: {} },
            authorize: ({ user, padding: extra }) => ({ id: String(user), name: String(user), image: String(extra) }),
          }),
        ],
    logger: { error: () => undefined, warn: () => undefined },
    callbacks: {
      jwt: ({ token, user }) => ({ ...token, ...((user as object | undefined) && { cart: cartOf(String(user.id)) }) }),
      session: ({ session, token, user }) => ({
        ...session,
        userId: (token as Claims | undefined)?.['sub'] ?? user.id,
      }),
    },
  }
  const send = (path: string, cookie: string, body?: URLSearchParams): Promise<Response> =>
    Auth(new Request(`${ORIGIN}/auth${path}`, { headers: { cookie }, ...(body && { method: 'POST', body }) }), config)
  const signInWithCookie = async (userId: string, kilobytes: number): Promise<string> => {
    const started = await send('/csrf', '')
    const { csrfToken } = (await started.json()) as { csrfToken: string }
    const cookie = cookieHeader(started.headers.getSetCookie())
    const body = new URLSearchParams({ csrfToken, user: userId, padding: padding(kilobytes) })
    const done = await send('/callback/credentials', cookie, body)
    return cookieHeader(done.headers.getSetCookie())
  }
  /** Credentials cannot have database sessions. The adapter of the package writes what a sign-in at a provider would write. */
  const signInWithAdapter = async (userId: string): Promise<string> => {
    const user = await adapter?.createUser?.({
      id: '',
      name: userId,
      email: `${userId}@example.test`,
      emailVerified: null,
    })
    const sessionToken = crypto.randomUUID()
    const expires = new Date(Date.now() + OLD_LIFE_MS)
    await adapter?.createSession?.({ sessionToken, userId: user?.id ?? '', expires })
    return `authjs.session-token=${sessionToken}`
  }
  return {
    origin: adapter ? 'authjs-database' : 'authjs-jwt',
    ...{ isVerifiable: !adapter, isStored: adapter !== undefined, ...(adapter && { store: adapter }) },
    signIn: (userId, kilobytes = 0) => (adapter ? signInWithAdapter(userId) : signInWithCookie(userId, kilobytes)),
    async ask(cookie) {
      const response = await send('/session', cookie)
      const session = (await response.json()) as { user?: { name: string } } | null
      return { userId: session?.user?.name ?? null, lines: response.headers.getSetCookie() }
    },
  }
}

/** The client of Upstash as far as its adapter uses it: values are JSON, texts as they are. */
function upstashOn(client: Client): Parameters<typeof UpstashRedisAdapter>[0] {
  const parsed = (text: string | null): unknown => {
    try {
      return text === null ? null : JSON.parse(text)
    } catch {
      return text
    }
  }
  return {
    get: async (key: string) => parsed(await client.get(key)),
    set: (key: string, value: unknown) => client.set(key, typeof value === 'string' ? value : JSON.stringify(value)),
    del: (...keys: string[]) => client.del(keys),
  } as unknown as Parameters<typeof UpstashRedisAdapter>[0]
}

/** next-auth 4 lies in a workspace of its own: versions 4 and 5 cannot share one. */
export function nextAuth4App(): OldPackage {
  const require = createRequire(resolve('test/hosts/next-auth/package.json'))
  const [jwtName]: string[] = ['next-auth/jwt']
  const { encode, decode } = require(jwtName ?? '') as {
    encode(options: object): Promise<string>
    decode(options: object): Promise<Claims | null>
  }
  const name = '__Secure-next-auth.session-token'
  return {
    ...{ origin: 'authjs-jwt', isVerifiable: true, isStored: false },
    async signIn(userId, kilobytes = 0) {
      const token = { sub: userId, name: userId, cart: cartOf(userId), padding: padding(kilobytes) }
      const value = await encode({ token, secret: OLD_SECRET, maxAge: LIFE_S })
      // As its SessionStore splits a value: 3,933 characters each.
      const size = 3933
      if (value.length <= size) return `${name}=${value}`
      const count = Math.ceil(value.length / size)
      return Array.from({ length: count }, (_, i) => `${name}.${i}=${value.slice(i * size, (i + 1) * size)}`).join('; ')
    },
    async ask(cookie) {
      const value = pairsOf(cookie)
        .filter(([one]) => one.startsWith(name))
        .map(([, text]) => text)
        .join('')
      const token = await decode({ token: value, secret: OLD_SECRET }).catch(() => null)
      return { userId: (token?.['sub'] as string | undefined) ?? null, lines: [] }
    },
  }
}

/** The stores of version 4 read and write cookies of Next's requests and responses. */
interface Version4Store {
  get(cookies: unknown): Promise<{ user: Claims } | null>
  set(request: unknown, response: unknown, session: object, isNew?: boolean): Promise<void>
}

/** @param client with it the session is in a store */
export async function auth0App(client?: Client): Promise<OldPackage> {
  const { sdk, cookiesOf, jar } = await version4(client)
  return {
    ...auth0Parts(client),
    async signIn(userId, kilobytes = 0) {
      const [request, response] = [await cookiesOf(''), jar()]
      await sdk.set(request, response, auth0Session(userId, kilobytes), true)
      return cookieHeader(response.lines())
    },
    async ask(cookie) {
      const [request, response] = [await cookiesOf(cookie), jar()]
      const session = await sdk.get(request)
      // The middleware of the SDK rolls the session at each request.
      if (session) await sdk.set(request, response, session)
      return { userId: (session?.user['sub'] as string | undefined) ?? null, lines: response.lines() }
    },
  }
}

function auth0Session(userId: string, kilobytes: number): object {
  return {
    user: { sub: userId, cart: cartOf(userId), padding: padding(kilobytes) },
    tokenSet: { accessToken: `at-${userId}`, expiresAt: Math.floor(Date.now() / 1000) + LIFE_S },
    internal: { sid: crypto.randomUUID(), createdAt: Math.floor(Date.now() / 1000) },
  }
}

function auth0Parts(client: Client | undefined): Pick<OldPackage, 'origin' | 'isVerifiable' | 'isStored' | 'store'> {
  return {
    origin: client ? 'nextjs-auth0-store' : 'nextjs-auth0',
    ...{ isVerifiable: true, isStored: client !== undefined, ...(client && { store: auth0Store(client) }) },
  }
}

function auth0Store(client: Client) {
  const key = (id: string): string => `old-auth0:${id}`
  return {
    async get(id: string) {
      const text = await client.get(key(id))
      return text === null ? null : (JSON.parse(text) as object)
    },
    async set(id: string, session: object) {
      await client.set(key(id), JSON.stringify(session), { expiration: { type: 'EX', value: LIFE_S } })
    },
    async delete(id: string) {
      await client.del(key(id))
    },
  }
}

async function version4(client: Client | undefined) {
  const kind = client ? 'stateful' : 'stateless'
  const file = resolve(`node_modules/@auth0/nextjs-auth0/dist/server/session/${kind}-session-store.js`)
  const classes = (await import(pathToFileURL(file).href)) as Record<string, new (options: object) => Version4Store>
  const Store = classes[client ? 'StatefulSessionStore' : 'StatelessSessionStore']
  if (!Store) throw new Error('the SDK has no such store')
  const { ResponseCookies } = (await import(
    pathToFileURL(resolve('node_modules/@auth0/nextjs-auth0/dist/server/cookies.js')).href
  )) as { ResponseCookies: new (headers: Headers) => object }
  const [nextName]: string[] = ['next/server.js']
  const { NextRequest } = (await import(nextName ?? '')) as {
    NextRequest: new (url: string, init: RequestInit) => { readonly cookies: object }
  }
  return {
    sdk: new Store({ secret: OLD_SECRET, inactivityDuration: LIFE_S, ...(client && { store: auth0Store(client) }) }),
    cookiesOf: async (cookie: string) => new NextRequest(ORIGIN, { headers: { cookie } }).cookies,
    jar() {
      const headers = new Headers()
      return Object.assign(new ResponseCookies(headers), { lines: () => headers.getSetCookie() })
    },
  }
}

/** The session classes of version 3, below its handlers; requests and responses are those of its own port. */
interface Version3Session {
  read(request: unknown): Promise<readonly [Claims?, number?]>
  save(request: unknown, response: unknown, session: object, createdAt?: number): Promise<void>
}

export function auth0Version3App(client?: Client): OldPackage {
  const require = createRequire(resolve('test/hosts/nextjs-auth0/package.json'))
  const dist = resolve('test/hosts/nextjs-auth0/node_modules/@auth0/nextjs-auth0/dist/auth0-session/session')
  const { StatelessSession } = require(`${dist}/stateless-session.js`) as Record<
    string,
    new (config: object) => Version3Session
  >
  const { StatefulSession } = require(`${dist}/stateful-session.js`) as Record<
    string,
    new (config: object) => Version3Session
  >
  const Session = client ? StatefulSession : StatelessSession
  if (!Session) throw new Error('the SDK has no such session')
  const sdk = new Session({
    secret: OLD_SECRET,
    session: {
      ...{ name: 'appSession', rolling: true, rollingDuration: LIFE_S, absoluteDuration: 7 * 24 * 3600, cookie: {} },
      ...(client && { store: auth0Store(client), genId: () => crypto.randomUUID().replaceAll('-', '') }),
    },
  })
  const requestWith = (cookie: string) => ({ getCookies: () => Object.fromEntries(pairsOf(cookie)) })
  return {
    ...auth0Parts(client),
    async signIn(userId, kilobytes = 0) {
      const { user } = auth0Session(userId, kilobytes) as { user: Claims }
      const session = {
        user: { ...user, sid: crypto.randomUUID() },
        accessToken: `at-${userId}`,
        accessTokenScope: 'openid',
      }
      const { response, lines } = responseOf()
      await sdk.save(requestWith(''), response, session)
      return cookieHeader(lines())
    },
    async ask(cookie) {
      const [session, createdAt] = await sdk.read(requestWith(cookie))
      const { response, lines } = responseOf()
      if (session) await sdk.save(requestWith(cookie), response, session, createdAt)
      return { userId: (session as { user?: { sub?: string } } | undefined)?.user?.sub ?? null, lines: lines() }
    },
  }
}

function responseOf() {
  const set = new Map<string, string>()
  return {
    response: {
      setCookie: (name: string, value: string) => void set.set(name, value),
      clearCookie: (name: string) => void set.set(name, ''),
    },
    lines: () => [...set].map(([name, value]) => `${name}=${value}`),
  }
}
