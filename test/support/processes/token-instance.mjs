/**
 * One instance of an application with a token cache, on the built package. Commands come over IPC, since what is asked here
 * are many calls at once and when each returned; the process ends with its parent.
 */
import { coatcheck, oidc } from 'coatcheck'
import { redisStore } from 'coatcheck/redis'

const { REDIS_URL, COATCHECK_KEYS, ISSUER, CLIENT_ID, CLIENT_SECRET, SCOPES } = process.env
const auth = coatcheck({
  store: redisStore({ url: REDIS_URL }),
  keys: COATCHECK_KEYS,
  baseUrl: 'https://tokens.example',
  providers: [
    oidc({ name: 'idp', issuer: ISSUER, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, scopes: SCOPES.split(' ') }),
  ],
})
await auth.ready()

const failures = []
auth.events.onAny((name, event) => {
  if (name === 'token.refresh-failed' || name === 'error') failures.push({ name, ...event })
})
const now = () => performance.timeOrigin + performance.now()

/** One caller. Never rejects: failing is a result. */
async function ask(userId, { abortAfterMs, ...options }) {
  const signal = abortAfterMs === undefined ? {} : { signal: AbortSignal.timeout(abortAfterMs) }
  try {
    const { accessToken } = await auth.tokens.getAccessToken(userId, { ...options, ...signal })
    return { token: accessToken, code: null, atMs: now() }
  } catch (error) {
    return { token: null, code: String(error.code ?? error.name), atMs: now() }
  }
}

const commands = {
  ask: ({ userId, options = {}, callers = 1 }) =>
    Promise.all(Array.from({ length: callers }, () => ask(userId, options))),
  askEach: ({ calls }) => Promise.all(calls.map(({ userId, options = {} }) => ask(userId, options))),
  store: ({ users }) => Promise.all(users.map(({ userId, tokens }) => auth.tokens.setUserTokens(userId, tokens))),
  find: ({ userId }) => auth.tokens.getUserTokens(userId),
  status: ({ userId }) => auth.tokens.status(userId),
  async signIn({ userIds }) {
    const created = await Promise.all(userIds.map((userId) => auth.sessions.create({ userId })))
    return created.map(({ session }) => session.id)
  },
  signOut: ({ sessionIds }) => Promise.all(sessionIds.map((id) => auth.sessions.revoke(id))),
  failures: () => failures.splice(0),
  /** Nothing else happens in this process for so long. */
  block({ ms }) {
    const untilMs = performance.now() + ms
    while (performance.now() < untilMs);
  },
}

process.on('message', async ({ id, name, input }) => {
  try {
    process.send({ id, value: (await commands[name](input ?? {})) ?? null })
  } catch (error) {
    process.send({ id, error: `${error.code ?? ''} ${error.message}` })
  }
})
process.on('disconnect', () => process.exit())
process.send({ ready: true })
