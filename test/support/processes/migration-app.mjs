/**
 * One small application on express-session, @fastify/session or koa-session, with the store of its old build (`BUILD=old`: connect-redis, or
 * for Koa a few lines on Redis) or with ours in the mode `read` or `move`. `GET /me`, `POST /set`, `/sign-in`, `/sign-out`.
 * Prints `listening <port>`; finishes its requests and ends when its standard input does.
 */
import { createServer } from 'node:http'
import { RedisStore } from 'connect-redis'
import { connectRedis, koaSessionStore } from 'coatcheck/migrate'
import { redisStore } from 'coatcheck/redis'
import { createClient } from 'redis'

const { HOST, BUILD, REDIS_URL, COATCHECK_KEYS, MAX_AGE_MS } = process.env
const secret = 'a secret of at least thirty-two characters'
const maxAge = Number(MAX_AGE_MS)
const options = {
  store: redisStore({ url: REDIS_URL, commandTimeoutMs: 3000, writeTimeoutMs: 5000 }),
  keys: COATCHECK_KEYS,
  userId: (data) => data.user,
}

const client = BUILD === 'old' ? await createClient({ url: REDIS_URL }).connect() : null
const { handler, store } = await { express: onExpress, fastify: onFastify, koa: onKoa }[HOST]()
const server = createServer(handler)
server.listen(0, '127.0.0.1', () => process.stdout.write(`listening ${server.address().port}\n`))
process.stdin.resume().on('end', () => {
  server.close(async () => {
    await store.close?.()
    await client?.close()
  })
})

function ownData({ cookie: _cookie, _expire, _maxAge, ...data }) {
  return data
}

function queryOf(url) {
  return new URL(url, 'http://localhost').searchParams
}

async function onExpress() {
  const { default: express } = await import('express')
  const { default: session } = await import('express-session')
  const { CoatcheckStore } = await import('coatcheck/express-session')
  const store = client
    ? new RedisStore({ client })
    : new CoatcheckStore({ ...options, migrateFrom: connectRedis({ mode: BUILD }) })
  const app = express()
  app.use(session({ store, secret, resave: false, saveUninitialized: false, cookie: { maxAge } }))
  app.get('/me', (request, response) => response.json(ownData(JSON.parse(JSON.stringify(request.session)))))
  app.post('/set', (request, response) => {
    for (const [key, value] of queryOf(request.url)) request.session[key] = value
    response.json({})
  })
  app.post('/sign-in', (request, response, next) => {
    request.session.regenerate((error) => {
      if (error) return next(error)
      request.session.user = queryOf(request.url).get('user')
      response.json({})
    })
  })
  app.post('/sign-out', (request, response, next) => {
    request.session.destroy((error) => (error ? next(error) : response.json({})))
  })
  return { handler: app, store }
}

async function onFastify() {
  const { default: fastify } = await import('fastify')
  const { default: cookie } = await import('@fastify/cookie')
  const { default: session } = await import('@fastify/session')
  const { CoatcheckStore } = await import('coatcheck/fastify-session')
  const store = client
    ? new RedisStore({ client })
    : new CoatcheckStore({ ...options, migrateFrom: connectRedis({ mode: BUILD }) })
  let handler
  const app = fastify({ serverFactory: (handle) => createServer((handler = handle)) })
  app.register(cookie)
  app.register(session, { store, secret, saveUninitialized: false, cookie: { secure: false, maxAge } })
  app.get('/me', async (request) => ownData(JSON.parse(JSON.stringify(request.session))))
  app.post('/set', async (request) => {
    for (const [key, value] of queryOf(request.url)) request.session[key] = value
    return {}
  })
  app.post('/sign-in', async (request) => {
    await request.session.regenerate()
    request.session.user = queryOf(request.url).get('user')
    return {}
  })
  app.post('/sign-out', async (request) => {
    await request.session.destroy()
    return {}
  })
  await app.ready()
  return { handler, store }
}

async function onKoa() {
  const { default: Koa } = await import('koa')
  const { default: session } = await import('koa-session')
  const { CoatcheckStore } = await import('coatcheck/koa-session')
  const oldStore = {
    async get(key) {
      const text = await client.get(key)
      return text === null ? undefined : JSON.parse(text)
    },
    set: (key, data, ttlMs) => client.set(key, JSON.stringify(data), { PX: ttlMs }),
    destroy: (key) => client.del(key),
  }
  const store = client ? oldStore : new CoatcheckStore({ ...options, migrateFrom: koaSessionStore({ mode: BUILD }) })
  const app = new Koa()
  app.keys = [secret]
  app.use(session({ store, maxAge }, app))
  app.use(async (context) => {
    const { session: data } = context
    context.body = {}
    if (context.path === '/me') context.body = ownData(JSON.parse(JSON.stringify(data)))
    if (context.path === '/set') for (const [key, value] of queryOf(context.url)) data[key] = value
    if (context.path === '/sign-in') {
      data.user = queryOf(context.url).get('user')
      await data.regenerate()
    }
    if (context.path === '/sign-out') context.session = null
  })
  return { handler: app.callback(), store }
}
