/**
 * Coatcheck on the built package, in a process of its own that does what its parent says: many callers of tokens, and the bad
 * days that only a process can have. Settings come from the environment; ends with its parent.
 */
import { coatcheck, isCoatcheckError, oidc } from 'coatcheck'
import { redisStore } from 'coatcheck/redis'

const { REDIS_URL, COATCHECK_KEYS, STORE = '{}', ISSUER, CLIENT_ID, CLIENT_SECRET } = process.env
const auth = coatcheck({
  store: redisStore({ url: REDIS_URL, ...JSON.parse(STORE) }),
  keys: COATCHECK_KEYS,
  baseUrl: 'https://tokens.example',
  providers: [oidc({ name: 'idp', issuer: ISSUER, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET })],
})
const seen = []
auth.events.onAny((name, event) => {
  if (name.startsWith('token.') && name !== 'token.hit' && name !== 'token.miss') seen.push({ name, ...event })
})
await auth.ready()

const operations = {
  /** As many callers at once; when each had its answer, by this machine's clock. */
  get: ({ user, callers = 1, options, abortAfterMs }) =>
    Promise.all(
      Array.from({ length: callers }, async () => {
        const signal = abortAfterMs === undefined ? undefined : AbortSignal.timeout(abortAfterMs)
        const result = await auth.tokens.getAccessToken(user, { ...options, signal }).then(
          ({ accessToken }) => ({ accessToken }),
          (error) => ({ code: isCoatcheckError(error) ? error.code : error.name }),
        )
        return { ...result, atMs: Date.now() }
      }),
    ),
  set: async ({ user, tokens }) => auth.tokens.setUserTokens(user, tokens),
  stored: async ({ user }) => auth.tokens.getUserTokens(user),
  status: async ({ user }) => auth.tokens.status(user),
  signIn: async ({ user }) => (await auth.sessions.create({ userId: user })).session.id,
  revoke: async ({ sessionId }) => auth.sessions.revoke(sessionId),
  events: async () => seen,
  block: async ({ forMs }) => {
    const end = Date.now() + forMs
    while (Date.now() < end);
  },
}

process.on('message', ({ id, operation, input }) => {
  operations[operation](input).then(
    (result) => process.send({ id, result }),
    (error) => process.send({ id, error: isCoatcheckError(error) ? error.code : String(error) }),
  )
})
process.on('disconnect', () => process.exit())
process.send({ id: 0 })
