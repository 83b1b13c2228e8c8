/** Auth.js with database sessions, on @auth/upstash-redis-adapter or ours. Users sign in with the link of a mail. */
import { Auth } from '@auth/core'
import { UpstashRedisAdapter } from '@auth/upstash-redis-adapter'
import { createClient } from 'redis'
import { cookieOf, handlerOf, ours } from './parts.mjs'

const ORIGIN = 'http://localhost:3000'
const PREFIXES = { baseKeyPrefix: 'nextauth:' }
const STANDARD = new Set(['id', 'email', 'emailVerified', 'name', 'image'])

export async function open({ build, url, keys, maxAge, secret }) {
  const client = build === 'old' ? await createClient({ url }).connect() : null
  const adapter = client ? UpstashRedisAdapter(upstashOn(client), PREFIXES) : await newAdapter({ url, keys }, build)
  /** Links by address: the mails. */
  const mails = new Map()
  const config = {
    ...{
      basePath: '/auth',
      secret,
      trustHost: true,
      adapter,
      session: { strategy: 'database', maxAge: maxAge / 1000 },
    },
    providers: [
      {
        ...{ id: 'email', type: 'email', name: 'Email', maxAge: 600, from: 'us@example.test' },
        sendVerificationRequest: ({ identifier, url: link }) => void mails.set(identifier, link),
      },
    ],
    callbacks: { session: ({ session, user }) => ({ expires: session.expires, user }) },
    logger: { debug: () => undefined, warn: () => undefined, error: (error) => console.error(error) },
  }
  const send = (path, cookie, body) =>
    Auth(
      new Request(new URL(path, ORIGIN), {
        headers: { cookie },
        ...(body && { method: 'POST', body: new URLSearchParams(body) }),
      }),
      config,
    )
  /** @returns the response to a form, which needs a token against forgery */
  const submit = async (path, cookie, fields) => {
    const first = await send('/auth/csrf', cookie)
    const { csrfToken } = await first.json()
    return send(path, cookieOf(first.headers.getSetCookie(), cookie), { csrfToken, ...fields })
  }
  const userOf = async (cookie) => (await (await send('/auth/session', cookie)).json())?.user ?? null

  return {
    handler: handlerOf({
      async me(cookie) {
        const response = await send('/auth/session', cookie)
        const user = (await response.json())?.user
        const cookies = response.headers.getSetCookie()
        if (!user) return { cookies }
        const name = user.email.split('@')[0]
        const owner = await adapter.getUserByAccount({ provider: 'idp', providerAccountId: name })
        if (owner?.id !== user.id) throw new Error(`the account of ${name} leads to ${owner?.id}`)
        return { cookies, data: { user: name, ...Object.fromEntries(Object.entries(user).filter(isOwn)) } }
      },
      async set(cookie, fields) {
        const user = await userOf(cookie)
        await adapter.updateUser({ id: user.id, ...fields })
        return {}
      },
      async signIn(cookie, { user: name }) {
        const email = `${name}@example.test`
        await submit('/auth/signin/email', '', { email })
        const cookies = (await send(mails.get(email), '')).headers.getSetCookie()
        const user = await userOf(cookieOf(cookies))
        const account = { type: 'oidc', provider: 'idp', providerAccountId: name }
        await adapter.linkAccount({ userId: user.id, ...account })
        return { cookies }
      },
      async signOut(cookie) {
        return { cookies: (await submit('/auth/signout', cookie, {})).headers.getSetCookie() }
      },
    }),
    close: () => (client ?? adapter).close(),
  }
}

async function newAdapter(server, mode) {
  const { CoatcheckAdapter } = await import('coatcheck/authjs')
  const { upstashAdapter } = await import('coatcheck/migrate')
  return CoatcheckAdapter({ ...(await ours(server)), migrateFrom: upstashAdapter({ mode, ...PREFIXES }) })
}

function isOwn([name]) {
  return !STANDARD.has(name)
}

/** The commands of Upstash' client that the adapter uses, on the client of this package: what copies of the adapter do. */
function upstashOn(client) {
  return {
    set: (key, value) => client.set(key, value),
    async get(key) {
      const text = await client.get(key)
      try {
        return JSON.parse(text)
      } catch {
        return text
      }
    },
    del: (...names) => client.del(names.filter((name) => name !== null)),
  }
}
