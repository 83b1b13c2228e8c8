/** One of the processes of the stampede: prepares a user with an expired token, and asks for it with many callers at once. */
import { coatcheck, oidc } from 'coatcheck'
import { redisStore } from 'coatcheck/redis'
import { createClient } from 'redis'
import { entraFields, homeOf, msalApplication } from './msal.mjs'

const { REDIS_URL, ISSUER, COATCHECK_KEYS } = process.env
const SCOPES = ['https://api.example/read']

const client = await createClient({ url: REDIS_URL })
  .on('error', () => undefined)
  .connect()
const auth = coatcheck({
  store: redisStore({ url: REDIS_URL }),
  keys: COATCHECK_KEYS,
  baseUrl: 'https://bench.example',
  providers: [oidc({ name: 'idp', issuer: ISSUER, clientId: 'app', clientSecret: 'secret' })],
})
await auth.ready()

async function requestToken(form) {
  const response = await fetch(`${ISSUER}/token`, { method: 'POST', body: form })
  return { status: response.status, body: await response.json() }
}

/** Tokens of a sign-in that have expired; MSAL takes what has less than five minutes left for expired. */
const expired = (user, refreshToken) => async (form) => ({
  status: 200,
  body: {
    token_type: 'Bearer',
    expires_in: 10,
    access_token: 'old',
    refresh_token: refreshToken,
    scope: form.get('scope'),
    ...entraFields(user),
  },
})

const contestants = {
  coatcheck: {
    prepare: (user, refreshToken) =>
      auth.tokens.setUserTokens(user, { accessToken: 'old', refreshToken, expiresAt: Date.now() - 1000 }),
    caller: (user) => () => auth.tokens.getAccessToken(user),
  },
  'msal-process': {
    prepare: prepareMsal,
    caller(user) {
      const app = msalApplication({ client, home: homeOf(user), requestToken })
      return () => silent(app, user)
    },
  },
  'msal-request': {
    prepare: prepareMsal,
    caller: (user) => () => silent(msalApplication({ client, home: homeOf(user), requestToken }), user),
  },
  authjs: {
    prepare: (user, refreshToken) =>
      client.set(`authjs:${user}`, JSON.stringify({ access_token: 'old', expires_at: 0, refresh_token: refreshToken })),
    caller: (user) => async () => {
      const account = JSON.parse(await client.get(`authjs:${user}`))
      if (Date.now() < account.expires_at * 1000) return account.access_token
      const form = { grant_type: 'refresh_token', client_id: 'app', refresh_token: account.refresh_token }
      const { status, body } = await requestToken(new URLSearchParams(form))
      if (status !== 200) throw new Error(body.error)
      const fresh = {
        access_token: body.access_token,
        expires_at: Math.floor(Date.now() / 1000 + body.expires_in),
        refresh_token: body.refresh_token ?? account.refresh_token,
      }
      await client.set(`authjs:${user}`, JSON.stringify(fresh))
      return fresh.access_token
    },
  },
}

async function prepareMsal(user, refreshToken) {
  const app = msalApplication({ client, home: homeOf(user), requestToken: expired(user, refreshToken) })
  const { account } = await app.acquireTokenByCode({ code: user, scopes: SCOPES, redirectUri: 'http://localhost' })
  if (account.homeAccountId !== homeOf(user)) throw new Error('another account')
}

async function silent(app, user) {
  const account = await app.getTokenCache().getAccountByHomeId(homeOf(user))
  return (await app.acquireTokenSilent({ account, scopes: SCOPES })).accessToken
}

async function get({ kind, user, callers }) {
  const call = contestants[kind].caller(user)
  return Promise.all(
    Array.from({ length: callers }, async () => {
      const start = performance.now()
      const isOk = await call().then(
        () => true,
        () => false,
      )
      return { isOk, ms: performance.now() - start }
    }),
  )
}

process.on('message', (message) => {
  const { id, operation, kind, user, refreshToken } = message
  const work = operation === 'get' ? get(message) : contestants[kind].prepare(user, refreshToken)
  Promise.resolve(work).then(
    (result) => process.send({ id, result: operation === 'get' ? result : null }),
    (error) => process.send({ id, error: String(error) }),
  )
})
process.on('disconnect', () => process.exit())
process.send({ id: 0 })
