/** Old applications whose cookie names a session in a store: express-session, @fastify/session and better-auth. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import fastifyCookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import { betterAuth } from 'better-auth'
import { memoryAdapter } from 'better-auth/adapters/memory'
import { RedisStore } from 'connect-redis'
import express from 'express'
import expressSession from 'express-session'
import fastify from 'fastify'
import type { createClient } from 'redis'
import { cartOf, cookieHeader, OLD_LIFE_MS, OLD_SECRET, type OldPackage } from './old-apps.ts'

type Client = ReturnType<typeof createClient>
type Data = Record<string, unknown>

const padding = (kilobytes: number): string => 'x'.repeat(kilobytes * 1024)

export async function expressSessionApp(client: Client): Promise<OldPackage> {
  const store = new RedisStore({ client, prefix: 'old-express:' })
  const app = express()
  app.use(
    expressSession({
      ...{ store, secret: OLD_SECRET, resave: false, saveUninitialized: false },
      cookie: { maxAge: OLD_LIFE_MS },
    }),
  )
  app.post('/sign-in', (request, response, next) => {
    request.session.regenerate((error: unknown) => {
      if (error) return next(error)
      const userId = request.query['user'] as string
      Object.assign(request.session, {
        userId,
        cart: cartOf(userId),
        padding: padding(Number(request.query['kilobytes'])),
      })
      response.json({})
    })
  })
  app.get('/me', (request, response) => {
    response.json({ userId: (request.session as unknown as Data)['userId'] ?? null })
  })
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    ...{ origin: 'express-session', isVerifiable: true, isStored: true, store },
    async signIn(userId, kilobytes = 0) {
      const url = `${origin}/sign-in?user=${encodeURIComponent(userId)}&kilobytes=${kilobytes}`
      return cookieHeader((await fetch(url, { method: 'POST' })).headers.getSetCookie())
    },
    async ask(cookie) {
      const response = await fetch(`${origin}/me`, { headers: { cookie } })
      return { ...((await response.json()) as { userId: string | null }), lines: response.headers.getSetCookie() }
    },
    async close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** @param cookiePrefix as express-session writes it, or none */
export async function fastifySessionApp(client: Client, cookiePrefix = ''): Promise<OldPackage> {
  const store = new RedisStore({ client, prefix: 'old-fastify:' })
  const app = fastify()
  await app.register(fastifyCookie)
  await app.register(fastifySession, {
    ...{ store, secret: OLD_SECRET, saveUninitialized: false, cookiePrefix },
    cookie: { secure: false, maxAge: OLD_LIFE_MS },
  })
  app.post('/sign-in', async (request) => {
    const { user, kilobytes } = request.query as { user: string; kilobytes: string }
    await request.session.regenerate()
    Object.assign(request.session, { userId: user, cart: cartOf(user), padding: padding(Number(kilobytes)) })
    return {}
  })
  app.get('/me', async (request) => ({ userId: (request.session as unknown as Data)['userId'] ?? null }))
  return {
    ...{ origin: 'fastify-session', isVerifiable: true, isStored: true, store, cookiePrefix },
    async signIn(userId, kilobytes = 0) {
      const url = `/sign-in?user=${encodeURIComponent(userId)}&kilobytes=${kilobytes}`
      const { headers } = await app.inject({ method: 'POST', url })
      return cookieHeader([headers['set-cookie'] ?? []].flat())
    },
    async ask(cookie) {
      const response = await app.inject({ url: '/me', headers: { cookie } })
      const lines = [response.headers['set-cookie'] ?? []].flat()
      return { ...response.json<{ userId: string | null }>(), lines }
    },
    close: () => app.close(),
  }
}

const ORIGIN = 'http://localhost:3000'

export function betterAuthApp(client: Client): OldPackage {
  const key = (name: string): string => `old-better-auth:${name}`
  const storage = {
    get: (name: string) => client.get(key(name)),
    set: async (name: string, value: string, ttl?: number) => {
      await client.set(key(name), value, ttl === undefined ? {} : { expiration: { type: 'EX', value: ttl } })
    },
    delete: async (name: string) => {
      await client.del(key(name))
    },
  }
  /** Of better-auth 1.7; no test here comes to them. */
  const counters = {
    getAndDelete: (name: string) => client.getDel(key(name)),
    increment: (name: string) => client.incr(key(name)),
  }
  const auth = betterAuth({
    ...{ baseURL: ORIGIN, secret: OLD_SECRET, secondaryStorage: { ...storage, ...counters } },
    database: memoryAdapter({ user: [], account: [], session: [], verification: [] }),
    session: { expiresIn: OLD_LIFE_MS / 1000 },
    emailAndPassword: {
      enabled: true,
      password: { hash: async (text) => text, verify: async ({ hash, password }) => hash === password },
    },
    rateLimit: { enabled: false },
    logger: { disabled: true },
    telemetry: { enabled: false },
  })
  const send = (method: string, path: string, cookie: string, body?: object): Promise<Response> => {
    const headers = { origin: ORIGIN, cookie, ...(body && { 'content-type': 'application/json' }) }
    const init = { method, headers, ...(body && { body: JSON.stringify(body) }) }
    return auth.handler(new Request(`${ORIGIN}/api/auth${path}`, init))
  }
  const emailOf = (userId: string): string => `${userId.toLowerCase()}@example.test`
  const userIdOf = (user: Readonly<Record<string, unknown>>): string => String(user['name'])
  return {
    ...{ origin: 'better-auth', isVerifiable: true, isStored: true, store: storage },
    async signIn(userId, kilobytes = 0) {
      const account = { email: emailOf(userId), password: 'a password of the test' }
      const image = kilobytes > 0 ? { image: padding(kilobytes) } : {}
      await send('POST', '/sign-up/email', '', { ...account, name: userId, ...image })
      return cookieHeader((await send('POST', '/sign-in/email', '', account)).headers.getSetCookie())
    },
    async ask(cookie) {
      const response = await send('GET', '/get-session', cookie)
      const found = (await response.json()) as { user: { name: string } } | null
      return { userId: found && userIdOf(found.user), lines: response.headers.getSetCookie() }
    },
  }
}
