/** koa-session on an external store: the few lines on Redis that applications write, or ours. */
import Koa from 'koa'
import session from 'koa-session'
import { createClient } from 'redis'
import { ours, ownData, queryOf } from './parts.mjs'

export async function open({ build, url, keys, maxAge, secret }) {
  const client = build === 'old' ? await createClient({ url }).connect() : null
  const oldStore = {
    async get(key) {
      const text = await client.get(key)
      return text === null ? undefined : JSON.parse(text)
    },
    set: (key, data, ttlMs) => client.set(key, JSON.stringify(data), { PX: ttlMs }),
    destroy: (key) => client.del(key),
  }
  const store = client ? oldStore : await newStore({ url, keys }, build)
  const app = new Koa()
  app.keys = [secret]
  app.use(session({ store, maxAge }, app))
  app.use(async (context) => {
    const { session: data } = context
    context.body = {}
    if (context.path === '/me') context.body = ownData(data)
    if (context.path === '/set') for (const [key, value] of queryOf(context.url)) data[key] = value
    if (context.path === '/sign-in') {
      data.user = queryOf(context.url).get('user')
      await data.regenerate()
    }
    if (context.path === '/sign-out') context.session = null
  })
  return { handler: app.callback(), close: () => (client ?? store).close() }
}

async function newStore(server, mode) {
  const { koaSessionStore } = await import('coatcheck/migrate')
  const { CoatcheckStore } = await import('coatcheck/koa-session')
  const migrateFrom = koaSessionStore({ mode })
  return new CoatcheckStore({ ...(await ours(server)), userId: (data) => data.user, migrateFrom })
}
