/** @fastify/session on connect-redis. */
import { createServer } from 'node:http'
import cookie from '@fastify/cookie'
import session from '@fastify/session'
import { RedisStore } from 'connect-redis'
import fastify from 'fastify'
import { createClient } from 'redis'
import { ours, ownData, queryOf } from './parts.mjs'

export async function open({ build, url, keys, maxAge, secret }) {
  const client = build === 'old' ? await createClient({ url }).connect() : null
  const store = client ? new RedisStore({ client }) : await newStore({ url, keys }, build)
  let handler
  const app = fastify({ serverFactory: (handle) => createServer((handler = handle)) })
  app.register(cookie)
  app.register(session, { store, secret, saveUninitialized: false, cookie: { secure: false, maxAge } })
  app.get('/me', async (request) => ownData(request.session))
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
  return { handler, close: () => (client ?? store).close() }
}

async function newStore(server, mode) {
  const { connectRedis } = await import('coatcheck/migrate')
  const { CoatcheckStore } = await import('coatcheck/fastify-session')
  const migrateFrom = connectRedis({ mode })
  return new CoatcheckStore({ ...(await ours(server)), userId: (data) => data.user, migrateFrom })
}
