/** The origin of another library, or no origin, where one is wanted: a coded error names the one that fits. */
import { describe, expect, it } from 'vitest'
import { coatcheck } from '../../src/app/coatcheck.ts'
import { CoatcheckAdapter } from '../../src/app/drop-ins/authjs.ts'
import { secondaryStorage } from '../../src/app/drop-ins/better-auth.ts'
import { CoatcheckStore } from '../../src/app/drop-ins/express-session.ts'
import { msalCachePlugin } from '../../src/app/drop-ins/msal.ts'
import { sessionDataStore } from '../../src/app/drop-ins/nextjs-auth0.ts'
import {
  auth0Store,
  betterAuthStorage,
  connectRedis,
  fromAuth0,
  fromAuthJs,
  fromBetterAuth,
  fromExpressSession,
  fromFastifySession,
  jsonSessions,
  koaSessionStore,
  upstashAdapter,
} from '../../src/entries/migrate.ts'

const secret = 'the secret of the old application, 32 characters or more'
const user = (): null => null
const auth0 = auth0Store({ keyOf: (id) => id })
const partition = (): null => null

describe('migrateFrom', () => {
  it.each<[string, (migrateFrom: never) => unknown, unknown, RegExp]>([
    [
      'express-session',
      (migrateFrom) => new CoatcheckStore({ migrateFrom }),
      upstashAdapter(),
      /result of connectRedis/,
    ],
    [
      'express-session',
      (migrateFrom) => new CoatcheckStore({ migrateFrom }),
      fromExpressSession({ secret, user, store: connectRedis() }),
      /result of connectRedis/,
    ],
    ['Auth.js', (migrateFrom) => CoatcheckAdapter({ migrateFrom }), connectRedis(), /result of upstashAdapter/],
    ['better-auth', (migrateFrom) => secondaryStorage({ migrateFrom }), auth0, /result of betterAuthStorage/],
    ['nextjs-auth0', (migrateFrom) => sessionDataStore({ migrateFrom }), betterAuthStorage(), /result of auth0Store/],
    ['MSAL', (migrateFrom) => msalCachePlugin({ migrateFrom, partition }), null, /result of msalCache/],
  ])('of %s refuses another origin', (_library, make, origin, message) => {
    expect(() => make(origin as never)).toThrow(
      expect.objectContaining({ code: 'COATCHECK_CONFIG_INVALID', message: expect.stringMatching(message) as string }),
    )
  })
})

describe('the option store of a bridge', () => {
  it.each<[string, (store: never) => unknown, unknown, RegExp]>([
    [
      'fromExpressSession()',
      (store) => fromExpressSession({ secret, user, store }),
      undefined,
      /methods get and destroy/,
    ],
    [
      'fromExpressSession()',
      (store) => fromExpressSession({ secret, user, store }),
      koaSessionStore(),
      /express-session.*"koa-session"/,
    ],
    [
      'fromFastifySession()',
      (store) => fromFastifySession({ secret, user, store }),
      upstashAdapter(),
      /fastify-session.*"auth-js"/,
    ],
    [
      'fromBetterAuth()',
      (store) => fromBetterAuth({ secret, user, store }),
      connectRedis(),
      /better-auth.*"connect-redis"/,
    ],
    ['fromBetterAuth()', (store) => fromBetterAuth({ secret, user, store }), undefined, /methods get and delete/],
    ['fromAuthJs()', (store) => fromAuthJs({ user, store }), auth0, /auth-js.*"nextjs-auth0"/],
    ['fromAuth0()', (store) => fromAuth0({ secret, user, store }), betterAuthStorage(), /nextjs-auth0.*"better-auth"/],
  ])('of %s refuses another origin', (_bridge, make, store, message) => {
    expect(() => make(store as never)).toThrow(
      expect.objectContaining({
        code: 'COATCHECK_INVALID_ARGUMENT',
        message: expect.stringMatching(message) as string,
      }),
    )
  })

  it.each<[string, (store: never) => unknown, unknown]>([
    ['fromExpressSession()', (store) => fromExpressSession({ secret, user, store }), connectRedis()],
    [
      'fromFastifySession()',
      (store) => fromFastifySession({ secret, user, store }),
      jsonSessions({ keyOf: (id) => id }),
    ],
    ['fromBetterAuth()', (store) => fromBetterAuth({ secret, user, store }), betterAuthStorage()],
    ['fromAuthJs()', (store) => fromAuthJs({ user, store }), upstashAdapter()],
    ['fromAuth0()', (store) => fromAuth0({ secret, user, store }), auth0],
  ])('of %s takes its own', (_bridge, make, store) => {
    expect(() => make(store as never)).not.toThrow()
  })
})

it('auth.tokens.adopt() refuses an origin of sessions', () => {
  expect(() => coatcheck().tokens.adopt(connectRedis() as never)).toThrow(
    expect.objectContaining({ code: 'COATCHECK_INVALID_ARGUMENT' }),
  )
})
