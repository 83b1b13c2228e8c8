/** better-auth with a secondary storage: that of its documentation, or ours. The tables of the application are on database 1. */
import { betterAuth } from 'better-auth'
import { createClient } from 'redis'
import { handlerOf, ours } from './parts.mjs'
import { sharedTables } from './shared-tables.mjs'

const ORIGIN = 'http://localhost:3000'
const PASSWORD = 'a password of the test'

export async function open({ build, url, keys, maxAge, secret }) {
  const tables = await createClient({ url, database: 1 }).connect()
  const client = build === 'old' ? await createClient({ url }).connect() : null
  const storage = client ? documentedStorage(client) : await newStorage({ url, keys }, build)
  const auth = betterAuth({
    ...{ baseURL: ORIGIN, secret, database: sharedTables(tables), secondaryStorage: storage },
    session: { expiresIn: maxAge / 1000 },
    user: { additionalFields: { fields: { type: 'string', required: false } } },
    emailAndPassword: {
      enabled: true,
      password: { hash: async (text) => text, verify: async ({ hash, password }) => hash === password },
    },
    ...{ rateLimit: { enabled: false }, logger: { disabled: true }, telemetry: { enabled: false } },
  })
  const send = async (method, path, cookie, body) => {
    const headers = { origin: ORIGIN, cookie, ...(body && { 'content-type': 'application/json' }) }
    const init = { method, headers, ...(body && { body: JSON.stringify(body) }) }
    const response = await auth.handler(new Request(`${ORIGIN}/api/auth${path}`, init))
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return { cookies: response.headers.getSetCookie(), json: await response.json() }
  }
  return {
    handler: handlerOf({
      async me(cookie) {
        const { cookies, json } = await send('GET', '/get-session', cookie)
        if (json === null) return { cookies }
        const all = (await send('GET', '/list-sessions', cookie)).json
        if (all.length !== 1) throw new Error(`${json.user.name} has ${all.length} sessions`)
        return { cookies, data: { user: json.user.name, ...JSON.parse(json.user.fields ?? '{}') } }
      },
      async set(cookie, fields) {
        const { user } = (await send('GET', '/get-session', cookie)).json
        const next = { ...JSON.parse(user.fields ?? '{}'), ...fields }
        return send('POST', '/update-user', cookie, { fields: JSON.stringify(next) })
      },
      signIn: (_cookie, { user: name }) =>
        send('POST', '/sign-up/email', '', { email: `${name}@example.test`, password: PASSWORD, name, fields: '{}' }),
      signOut: (cookie) => send('POST', '/sign-out', cookie, {}),
    }),
    close: () => Promise.all([tables.close(), (client ?? storage).close()]),
  }
}

async function newStorage(server, mode) {
  const { secondaryStorage } = await import('coatcheck/better-auth')
  const { betterAuthStorage } = await import('coatcheck/migrate')
  return secondaryStorage({ ...(await ours(server)), migrateFrom: betterAuthStorage({ mode }) })
}

function documentedStorage(client) {
  return {
    get: (key) => client.get(key),
    set: async (key, value, ttl) => {
      await (ttl ? client.set(key, value, { EX: ttl }) : client.set(key, value))
    },
    delete: async (key) => {
      await client.del(key)
    },
    getAndDelete: (key) => client.getDel(key),
    increment: async (key, ttl) => {
      const count = await client.incr(key)
      if (count === 1) await client.expire(key, ttl)
      return count
    },
  }
}
