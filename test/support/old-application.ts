/** An application on express-session, as far as a bridge sees it: signed cookies, and a store in memory. */
import { createHmac, randomBytes } from 'node:crypto'
import session from 'express-session'
import { fromExpressSession } from '../../src/entries/migrate.ts'
import type { CookieBridge } from '../../src/migrate/cookie-bridge.ts'
import type { OldApplication } from '../../src/testing/http-scenarios/adoption.ts'

const SECRET = 'the secret of the old application'
const NAME = 'connect.sid'

export function oldApplication(): OldApplication & { readonly bridge: CookieBridge } {
  const store = new session.MemoryStore()
  return {
    cookieName: NAME,
    async signIn(userId, lifeMs = 3_600_000) {
      const id = randomBytes(24).toString('base64url')
      const expires = new Date(Date.now() + lifeMs)
      const record = { cookie: { originalMaxAge: lifeMs, expires }, userId, cart: `cart of ${userId}` }
      await new Promise((resolve) => store.set(id, record, resolve))
      const signature = createHmac('sha256', SECRET).update(id).digest('base64').replace(/=+$/, '')
      return encodeURIComponent(`s:${id}.${signature}`)
    },
    isLive(value) {
      const id = decodeURIComponent(value).slice(2).split('.')[0] ?? ''
      return new Promise((resolve, reject) => {
        store.get(id, (error, found) => (error ? reject(error as Error) : resolve(Boolean(found))))
      })
    },
    bridge: fromExpressSession({
      ...{ secret: SECRET, store },
      user: (old) => ({ userId: old['userId'] as string, data: { cart: old['cart'] } }),
    }),
  }
}
