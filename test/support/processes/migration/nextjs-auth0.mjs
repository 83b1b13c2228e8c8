/** The stateful sessions of nextjs-auth0 4, below its middleware, on a store written by hand or ours. */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { NextRequest } from 'next/server.js'
import { createClient } from 'redis'
import { handlerOf, ours } from './parts.mjs'

const dist = (file) => pathToFileURL(resolve('node_modules/@auth0/nextjs-auth0/dist/server', file)).href
const { StatefulSessionStore } = await import(dist('session/stateful-session-store.js'))
const { ResponseCookies } = await import(dist('cookies.js'))
const keyOf = (id) => `sessions:${id}`

export async function open({ build, url, keys, maxAge, secret }) {
  const client = build === 'old' ? await createClient({ url }).connect() : null
  const seconds = maxAge / 1000
  const store = client ? oldStore(client, seconds) : await newStore({ url, keys }, build, seconds)
  const sdk = new StatefulSessionStore({ secret, inactivityDuration: seconds, store })
  const requestOf = (cookie) => new NextRequest('http://localhost:3000/', { headers: { cookie } }).cookies
  const responding = () => {
    const headers = new Headers()
    return { jar: new ResponseCookies(headers), lines: () => headers.getSetCookie() }
  }
  return {
    handler: handlerOf({
      async me(cookie) {
        const session = await sdk.get(requestOf(cookie))
        return { data: session ? { user: session.user.sub, ...session.fields } : {} }
      },
      async set(cookie, fields) {
        const session = await sdk.get(requestOf(cookie))
        const { jar, lines } = responding()
        await sdk.set(requestOf(cookie), jar, { ...session, fields: { ...session.fields, ...fields } })
        return { cookies: lines() }
      },
      async signIn(cookie, { user }) {
        const now = Math.floor(Date.now() / 1000)
        const session = {
          ...{ user: { sub: user }, tokenSet: { accessToken: `at-${user}`, expiresAt: now + 3600 } },
          ...{ internal: { sid: `sid-${user}`, createdAt: now }, fields: {} },
        }
        const { jar, lines } = responding()
        await sdk.set(requestOf(cookie), jar, session, true)
        return { cookies: lines() }
      },
      async signOut(cookie) {
        const { jar, lines } = responding()
        await sdk.delete(requestOf(cookie), jar)
        return { cookies: lines() }
      },
    }),
    close: () => (client ?? store).close(),
  }
}

async function newStore(server, mode, seconds) {
  const { auth0Store } = await import('coatcheck/migrate')
  const { sessionDataStore } = await import('coatcheck/nextjs-auth0')
  const migrateFrom = auth0Store({ mode, keyOf })
  return sessionDataStore({ ...(await ours(server)), inactivityDuration: `${seconds}s`, migrateFrom })
}

function oldStore(client, seconds) {
  return {
    async get(id) {
      const text = await client.get(keyOf(id))
      return text === null ? null : JSON.parse(text)
    },
    async set(id, session) {
      await client.set(keyOf(id), JSON.stringify(session), { EX: seconds })
    },
    async delete(id) {
      await client.del(keyOf(id))
    },
  }
}
