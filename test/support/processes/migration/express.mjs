/** express-session on connect-redis: `OLD_STORE` names the package, `OLD_CLIENT` the client; by default the current ones. */
import express from 'express'
import session from 'express-session'
import { ours, ownData, queryOf } from './parts.mjs'

const { OLD_STORE = 'connect-redis', OLD_CLIENT = 'redis' } = process.env

export async function open({ build, url, keys, maxAge, secret }) {
  const { store, close } = await (build === 'old' ? oldStore(url) : newStore({ url, keys }, build))
  const app = express()
  app.use(session({ store, secret, resave: false, saveUninitialized: false, cookie: { maxAge } }))
  app.get('/me', (request, response) => response.json(ownData(request.session)))
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
  return { handler: app, close }
}

async function newStore(server, mode) {
  const { connectRedis } = await import('coatcheck/migrate')
  const { CoatcheckStore } = await import('coatcheck/express-session')
  const migrateFrom = connectRedis({ mode })
  const store = new CoatcheckStore({ ...(await ours(server)), userId: (data) => data.user, migrateFrom })
  return { store, close: () => store.close() }
}

async function oldStore(url) {
  const old = await import(OLD_STORE)
  // A named export since version 8.
  const RedisStore = old.RedisStore ?? old.default
  const { client, close } = await connectedClient(url)
  return { store: new RedisStore({ client }), close }
}

async function connectedClient(url) {
  const { createClient, Redis } = await import(OLD_CLIENT)
  if (OLD_CLIENT.startsWith('ioredis')) {
    const client = new Redis(url)
    return { client, close: () => client.quit() }
  }
  const client = createClient({ url })
  await client.connect()
  return { client, close: () => client.quit() }
}
