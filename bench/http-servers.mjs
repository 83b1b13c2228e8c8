/**
 * The servers of `bench -- http`, one process each: `node http-servers.mjs <subject> <bytes> <redis url>`. `POST /in?i=7` signs
 * somebody in with a session of that many bytes, `GET /me` reads it. Tells its port over the channel, and its CPU time on demand.
 */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { payload } from './payload.mjs'

const [, , subject, size, url] = process.argv
const bytes = Number(size)
const SECRET = 'a secret of the benchmark, long enough'
const KEYS = Buffer.alloc(32, 1).fill(2, 16).toString('base64')
const indexOf = (path) => Number(new URL(path, 'http://bench').searchParams.get('i'))
const shown = (data) => ({ locale: data?.locale ?? null })

const plain = { write: (text) => text, read: (text) => text, options: {}, headers: {} }
const key = createSecretKey(Buffer.from(KEYS, 'base64'))
const sealed = {
  write(text) {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', key, nonce)
    return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()])
  },
  read(record) {
    const decipher = createDecipheriv('aes-256-gcm', key, record.subarray(0, 12))
    decipher.setAuthTag(record.subarray(record.length - 16))
    const text = decipher.update(record.subarray(12, record.length - 16)).toString()
    decipher.final()
    return text
  },
  options: { typeMapping: { 36: Buffer } },
  headers: { 'cache-control': 'private, no-store', vary: 'Cookie' },
}

const servers = {
  'node:http': () => plainNode(async () => shown({ locale: 'de-CH' })),
  'node:http + coatcheck': nodeWithOurs,
  'node:http + iron-session': ironSession,
  Express: () => onExpress((app) => app.get('/me', (_request, response) => response.json(shown({ locale: 'de-CH' })))),
  'Express + raw GET + JSON.parse': () => expressWithRaw(plain),
  // What nobody can go below who encrypts, and forbids caches to store the answer.
  'Express + raw GET + AES-GCM open + JSON.parse + no-store': () => expressWithRaw(sealed),
  'Express + coatcheck': expressWithOurs,
  'Express + express-session + connect-redis': async () => expressSession(await connectRedis()),
  'Express + express-session + coatcheck': async () => {
    const { CoatcheckStore } = await import('coatcheck/express-session')
    return expressSession(new CoatcheckStore(await hosted()))
  },
  Fastify: () => onFastify((app) => app.get('/me', async () => shown({ locale: 'de-CH' }))),
  'Fastify + coatcheck': fastifyWithOurs,
  'Fastify + @fastify/session + connect-redis': async () => fastifySession(await connectRedis()),
  'Fastify + @fastify/session + coatcheck': async () => {
    const { CoatcheckStore } = await import('coatcheck/fastify-session')
    return fastifySession(new CoatcheckStore(await hosted()))
  },
  Hono: () => onHono((app) => app.get('/me', (context) => context.json(shown({ locale: 'de-CH' })))),
  'Hono + coatcheck': honoWithOurs,
  Koa: () => onKoa((context) => (context.body = shown({ locale: 'de-CH' }))),
  'Koa + koa-session + coatcheck': koaSession,
  'better-auth + redis': async () => betterAuth(await plainStorage()),
  'better-auth + coatcheck': async () => {
    const { secondaryStorage } = await import('coatcheck/better-auth')
    return betterAuth(secondaryStorage(await hosted()))
  },
}

const server = await servers[subject]()
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
process.on('message', () => process.send({ cpu: process.cpuUsage() }))
process.on('disconnect', () => process.exit(0))

async function hosted() {
  const { redisStore } = await import('coatcheck/redis')
  return { store: redisStore({ url }), keys: KEYS, prefix: `${bytes}:` }
}

async function ours() {
  const { coatcheck } = await import('coatcheck')
  const auth = coatcheck({ ...(await hosted()), baseUrl: 'https://bench.example' })
  await auth.ready()
  return auth
}

/** What all of our middlewares do to sign somebody in. */
const signIn = async (visit, path) =>
  visit.signIn({ userId: `user-${indexOf(path)}`, data: payload(bytes, indexOf(path)) })

async function redisClient() {
  const { createClient } = await import('redis')
  return createClient({ url })
    .on('error', () => undefined)
    .connect()
}

async function connectRedis() {
  const { RedisStore } = await import('connect-redis')
  return new RedisStore({ client: await redisClient(), prefix: `sess${bytes}:` })
}

function plainNode(me, enter = async () => ({})) {
  return createServer((request, response) => {
    const answer = request.method === 'POST' ? enter(request, response) : me(request, response)
    void answer.then((body) => {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(body))
    })
  })
}

async function nodeWithOurs() {
  const { nodeAuth } = await import('coatcheck/node')
  const web = nodeAuth(await ours())
  return plainNode(
    async (request, response) => shown((await web.getSession(request, response)).data),
    async (request, response) => ({ ...(await signIn(await web.getVisit(request, response), request.url)) }),
  )
}

async function ironSession() {
  const { getIronSession } = await import('iron-session')
  const options = { password: SECRET, cookieName: 'iron' }
  return plainNode(
    async (request, response) => shown(await getIronSession(request, response, options)),
    async (request, response) => {
      const session = await getIronSession(request, response, options)
      Object.assign(session, payload(bytes, indexOf(request.url)))
      await session.save()
      return {}
    },
  )
}

async function onExpress(mount) {
  const { default: express } = await import('express')
  const app = express()
  await mount(app)
  return createServer(app)
}

function expressWithRaw({ write, read, options, headers }) {
  return onExpress(async (app) => {
    const client = await redisClient()
    app.get('/me', async (request, response) => {
      const id = /sid=([^;]+)/.exec(request.headers.cookie ?? '')?.[1] ?? ''
      const record = await client.sendCommand(['GET', `raw${bytes}:${id}`], options)
      response.set(headers).json(shown(JSON.parse(read(record))))
    })
    app.post('/in', async (request, response) => {
      const id = randomBytes(16).toString('base64url')
      const record = write(JSON.stringify(payload(bytes, indexOf(request.url))))
      await client.sendCommand(['SET', `raw${bytes}:${id}`, record, 'EX', '3600'])
      response.setHeader('set-cookie', `sid=${id}; Path=/; HttpOnly`).json({})
    })
  })
}

function expressWithOurs() {
  return onExpress(async (app) => {
    const { expressAuth } = await import('coatcheck/express')
    const web = expressAuth(await ours())
    app.use(web)
    app.get('/me', async (request, response) => void response.json(shown((await web.getSession(request)).data)))
    app.post('/in', async (request, response) => {
      await signIn(await web.getVisit(request), request.url)
      response.json({})
    })
  })
}

function expressSession(store) {
  return onExpress(async (app) => {
    const { default: session } = await import('express-session')
    app.use(session({ store, secret: SECRET, resave: false, saveUninitialized: false, cookie: { maxAge: 3_600_000 } }))
    app.get('/me', (request, response) => response.json(shown(request.session)))
    app.post('/in', (request, response) => {
      Object.assign(request.session, payload(bytes, indexOf(request.url)))
      response.json({})
    })
  })
}

async function onFastify(mount) {
  const { default: fastify } = await import('fastify')
  let made = null
  const app = fastify({ serverFactory: (handler) => (made = createServer(handler)) })
  await mount(app)
  await app.ready()
  return made
}

function fastifyWithOurs() {
  return onFastify(async (app) => {
    const { fastifyAuth } = await import('coatcheck/fastify')
    const web = fastifyAuth(await ours())
    app.register(web)
    app.get('/me', async (request) => shown((await web.getSession(request)).data))
    app.post('/in', async (request) => {
      await signIn(await web.getVisit(request), request.url)
      return {}
    })
  })
}

function fastifySession(store) {
  return onFastify(async (app) => {
    const { default: cookie } = await import('@fastify/cookie')
    const { default: session } = await import('@fastify/session')
    app.register(cookie)
    app.register(session, { store, secret: SECRET, cookie: { secure: false, maxAge: 3_600_000 } })
    app.get('/me', async (request) => shown(request.session))
    app.post('/in', async (request) => {
      Object.assign(request.session, payload(bytes, indexOf(request.url)))
      return {}
    })
  })
}

async function onHono(mount) {
  const { Hono } = await import('hono')
  const { getRequestListener } = await import('@hono/node-server')
  const app = new Hono()
  await mount(app)
  return createServer(getRequestListener(app.fetch))
}

function honoWithOurs() {
  return onHono(async (app) => {
    const { honoAuth } = await import('coatcheck/hono')
    const web = honoAuth(await ours())
    app.use(web)
    app.get('/me', async (context) => context.json(shown((await web.getSession(context)).data)))
    app.post('/in', async (context) => {
      await signIn(await web.getVisit(context), context.req.url)
      return context.json({})
    })
  })
}

async function onKoa(me, mount = () => undefined) {
  const { default: Koa } = await import('koa')
  const app = new Koa()
  await mount(app)
  app.use(me)
  return createServer(app.callback())
}

async function koaSession() {
  const { default: session } = await import('koa-session')
  const { CoatcheckStore } = await import('coatcheck/koa-session')
  const store = new CoatcheckStore(await hosted())
  return onKoa(
    (context) => {
      if (context.method === 'POST') Object.assign(context.session, payload(bytes, indexOf(context.url)))
      context.body = shown(context.session)
    },
    (app) => {
      app.keys = [SECRET]
      app.use(session({ key: 'sid', store }, app))
    },
  )
}

async function plainStorage() {
  const client = await redisClient()
  return {
    get: (key) => client.get(`ba${bytes}:${key}`),
    getAndDelete: (key) => client.getDel(`ba${bytes}:${key}`),
    increment: (key) => client.incr(`ba${bytes}:${key}`),
    set: (key, value, ttl) => client.set(`ba${bytes}:${key}`, value, ttl ? { EX: ttl } : {}),
    delete: async (key) => void (await client.del(`ba${bytes}:${key}`)),
  }
}

async function betterAuth(secondaryStorage) {
  const { betterAuth: create } = await import('better-auth')
  const { memoryAdapter } = await import('better-auth/adapters/memory')
  const { toNodeHandler } = await import('better-auth/node')
  const auth = create({
    baseURL: 'http://localhost:3000',
    secret: SECRET,
    database: memoryAdapter({ user: [], account: [], session: [], verification: [] }),
    secondaryStorage,
    // The user is what is stored with the session: its data is as large as that of the others.
    user: { additionalFields: { data: { type: 'string', required: false } } },
    emailAndPassword: { enabled: true, password: { hash: async (text) => text, verify: async () => true } },
    rateLimit: { enabled: false },
    logger: { disabled: true },
    telemetry: { enabled: false },
  })
  const handle = toNodeHandler(auth)
  return createServer((request, response) => {
    if (request.method !== 'POST') {
      request.url = '/api/auth/get-session'
      return void handle(request, response)
    }
    const i = indexOf(request.url)
    const body = {
      email: `user${i}@example.test`,
      password: 'password',
      name: 'x',
      data: JSON.stringify(payload(bytes, i)),
    }
    auth.api.signUpEmail({ body, asResponse: true }).then((answer) => {
      response.setHeader('set-cookie', answer.headers.getSetCookie()).end('{}')
    })
  })
}
