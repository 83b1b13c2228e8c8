/** The bridge of each old application, as its users would write it. */
import {
  fromAuth0,
  fromAuthJs,
  fromBetterAuth,
  fromExpressSession,
  fromFastifySession,
  fromIronSession,
  type StoredSession,
} from '../../src/entries/migrate.ts'
import type { CookieBridge } from '../../src/migrate/cookie-bridge.ts'
import { type BridgeChanges, cartOf, OLD_SECRET, type OldApp, type OldPackage } from './old-apps.ts'

type Make = (old: OldPackage, changes: BridgeChanges) => CookieBridge

function choices({ mode, extend }: BridgeChanges) {
  return { ...(mode && { mode }), ...(extend !== undefined && { extend }) }
}

function storedUser(changes: BridgeChanges) {
  return (old: StoredSession) => {
    changes.onUser?.(old)
    return { userId: old['userId'] as string, data: { cart: old['cart'] } }
  }
}

const authJs = ({ store }: OldPackage, { secret = OLD_SECRET, onUser, ...changes }: BridgeChanges): CookieBridge =>
  store
    ? fromAuthJs({
        store,
        ...choices(changes),
        user(old) {
          onUser?.(old)
          const userId = String(old.user['name'])
          return { userId, data: { cart: cartOf(userId) } }
        },
      })
    : fromAuthJs({
        ...{ secret, ...choices(changes) },
        user(token) {
          onUser?.(token)
          return { userId: token['sub'] as string, data: { cart: token['cart'] } }
        },
      })

const auth0: Make = ({ store }, { secret = OLD_SECRET, onUser, ...changes }) =>
  fromAuth0({
    ...{ secret, ...(store && { store: store as never }), ...choices(changes) },
    user(old) {
      onUser?.(old)
      return { userId: old.user.sub, data: { cart: old.user['cart'] } }
    },
  })

/** By the names of origins. */
const MAKE: Readonly<Record<string, Make>> = {
  'express-session': ({ store }, changes) =>
    fromExpressSession({
      ...{ secret: changes.secret ?? OLD_SECRET, store: store as never, user: storedUser(changes) },
      ...choices(changes),
    }),

  'fastify-session': ({ store, cookiePrefix = '' }, changes) =>
    fromFastifySession({
      ...{ secret: changes.secret ?? OLD_SECRET, store: store as never, cookiePrefix, user: storedUser(changes) },
      ...choices(changes),
    }),

  'better-auth': ({ store }, changes) =>
    fromBetterAuth({
      ...{ secret: changes.secret ?? OLD_SECRET, store: store as never, ...choices(changes) },
      user(old) {
        changes.onUser?.(old)
        const userId = String(old.user['name'])
        return { userId, data: { cart: cartOf(userId) } }
      },
    }),

  'authjs-jwt': authJs,
  'authjs-database': authJs,
  'nextjs-auth0': auth0,
  'nextjs-auth0-store': auth0,

  'iron-session': (_old, { secret, onUser, ...changes }) =>
    fromIronSession<{ userId: string; cart?: string }>({
      ...{ password: passwords(secret), cookieName: 'old-iron', ...choices(changes) },
      user(old) {
        onUser?.(old)
        return { userId: old.userId, data: { cart: old.cart } }
      },
    }),
}

/** iron-session numbers its passwords; the one that sealed the cookies here is number 1. */
function passwords(secret: string | readonly string[] | undefined): string | Record<string, string> {
  if (secret === undefined || typeof secret === 'string') return secret ?? OLD_SECRET
  return Object.fromEntries(secret.map((one, index) => [String(secret.length - index), one]))
}

export function bridgeOf(old: OldPackage, changes: BridgeChanges = {}): CookieBridge {
  const make = MAKE[old.origin]
  if (!make) throw new Error(`There is no bridge from ${old.origin}.`)
  return make(old, changes)
}

/** The application together with the bridge from it. */
export function withBridge(old: OldPackage): OldApp {
  return { ...old, bridge: (changes) => bridgeOf(old, changes) }
}
