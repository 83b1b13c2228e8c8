/**
 * One small application on each of the session libraries, with our store in the place of theirs: `GET /me`, `POST /set`,
 * `/sign-in`, `/sign-out`. `/set?slow` takes its session, tells that it has it, and goes on when the test says so.
 */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import cookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import express from 'express'
import expressSession from 'express-session'
import fastify from 'fastify'
import Koa from 'koa'
import koaSession from 'koa-session'
import { CoatcheckStore as ExpressStore } from '../../src/app/drop-ins/express-session.ts'
import { CoatcheckStore as FastifyStore } from '../../src/app/drop-ins/fastify-session.ts'
import type { SessionStoreOptions, UserSessions } from '../../src/app/drop-in-store.ts'
import { CoatcheckStore as KoaStore } from '../../src/app/drop-ins/koa-session.ts'

export interface LibraryApp {
  readonly server: Server
  readonly store: UserSessions
  readonly ready?: PromiseLike<unknown>
  /** Below `host:` in Redis. */
  readonly kind: string
  /** The session id in the library's cookie. */
  sidOf(cookieValue: string): string
}

/** Where a slow request waits. */
export interface Gate {
  /** Called by the request when it has its session; resolves when it may go on. */
  pass(): Promise<void>
}

export type MakeLibraryApp = (options: SessionStoreOptions, gate: Gate, variant: object) => LibraryApp

type Data = Record<string, unknown>
const SECRET = 'a secret of at least thirty-two characters'
const MAX_AGE_MS = 60_000
const queryOf = ({ url }: Pick<IncomingMessage, 'url'>): URLSearchParams =>
  new URL(url ?? '/', 'http://localhost').searchParams

/** Without what the libraries keep in there for themselves. */
function ownData({ cookie: _cookie, _expire, _maxAge, ...data }: Data): Data {
  return data
}

export const onExpress: MakeLibraryApp = (options, gate, variant) => {
  const store = new ExpressStore(options)
  const app = express()
  app.use(
    expressSession({
      store,
      secret: SECRET,
      resave: false,
      saveUninitialized: false,
      cookie: { maxAge: MAX_AGE_MS },
      ...variant,
    }),
  )
  const dataOf = (request: express.Request): Data => request.session as unknown as Data
  app.get('/me', (request, response) => {
    response.json(ownData(JSON.parse(JSON.stringify(request.session)) as Data))
  })
  app.post('/set', async (request, response) => {
    const query = queryOf(request)
    if (query.has('slow')) await gate.pass()
    dataOf(request)[query.get('key') ?? ''] = query.get('value') ?? 1
    response.json({})
  })
  app.post('/sign-in', (request, response, next) => {
    request.session.regenerate((error: unknown) => {
      if (error) return next(error)
      dataOf(request)['user'] = queryOf(request).get('user')
      response.json({})
    })
  })
  app.post('/sign-out', (request, response, next) => {
    request.session.destroy((error: unknown) => (error ? next(error) : response.json({})))
  })
  return {
    server: createServer(app),
    store,
    kind: 'express-session',
    sidOf: (value) => decodeURIComponent(value).slice(2).split('.')[0] ?? '',
  }
}

export const onFastify: MakeLibraryApp = (options, gate, variant) => {
  const store = new FastifyStore(options)
  let server: Server | null = null
  const app = fastify({ serverFactory: (handler) => (server = createServer(handler)) })
  void app.register(cookie)
  void app.register(fastifySession, {
    store,
    secret: SECRET,
    saveUninitialized: false,
    cookie: { secure: false, maxAge: MAX_AGE_MS },
    ...variant,
  })
  app.get('/me', async (request) => ownData(JSON.parse(JSON.stringify(request.session)) as Data))
  app.post('/set', async (request) => {
    const query = queryOf(request.raw)
    if (query.has('slow')) await gate.pass()
    ;(request.session as unknown as Data)[query.get('key') ?? ''] = query.get('value') ?? 1
    return {}
  })
  app.post('/sign-in', async (request) => {
    await request.session.regenerate()
    ;(request.session as unknown as Data)['user'] = queryOf(request.raw).get('user')
    return {}
  })
  app.post('/sign-out', async (request) => {
    await request.session.destroy()
    return {}
  })
  const ready = app.ready()
  if (!server) throw new Error('Fastify made no server')
  return {
    server,
    store,
    ready,
    kind: 'fastify-session',
    sidOf: (value) => decodeURIComponent(value).split('.')[0] ?? '',
  }
}

export const onKoa: MakeLibraryApp = (options, gate, variant) => {
  const store = new KoaStore(options)
  const app = new Koa()
  app.keys = [SECRET]
  app.use(koaSession({ key: 'sid', store, maxAge: MAX_AGE_MS, ...variant }, app))
  app.use(async (context) => {
    const query = queryOf(context.req)
    const session = context['session'] as Data & { regenerate(): Promise<void> }
    context.body = {}
    if (context.path === '/me') context.body = ownData(JSON.parse(JSON.stringify(session)) as Data)
    if (context.path === '/set') {
      if (query.has('slow')) await gate.pass()
      session[query.get('key') ?? ''] = query.get('value') ?? 1
    }
    if (context.path === '/sign-in') {
      session['user'] = query.get('user')
      await session.regenerate()
    }
    if (context.path === '/sign-out') context['session'] = null
  })
  app.silent = true
  const handle = app.callback()
  return {
    server: createServer((...pair) => void handle(...pair)),
    store,
    kind: 'koa-session',
    sidOf: (value) => value,
  }
}
