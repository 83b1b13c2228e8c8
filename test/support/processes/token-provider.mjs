/**
 * A small OAuth token endpoint in a process of its own, for loops that the development provider is too slow for. With
 * `strict` rotation the reuse of a refresh token ends its grant (RFC 9700 section 4.14); with `lenient` an old one stays valid,
 * as at Entra ID. What arrives is counted before anything else. Commands come over IPC; a fault strikes the next requests.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

const ROTATION = process.env.ROTATION
/** Refresh token to `{ grant, isUsed }`; a grant that ended stays known as such. */
const refreshTokens = new Map()
const endedGrants = new Set()
const faults = []
const revoked = []
let requests = []
let issued = 0
let gate = null
let arrived = []

const now = () => performance.timeOrigin + performance.now()
const issueRefreshToken = (grant) => {
  const token = `refresh-${++issued}`
  refreshTokens.set(token, { grant, isUsed: false })
  return token
}

/** The refresh grant of RFC 6749 section 6. @returns status and body */
function refresh(form) {
  const old = refreshTokens.get(form.get('refresh_token'))
  if (!old || endedGrants.has(old.grant)) return [400, { error: 'invalid_grant' }]
  if (old.isUsed && ROTATION === 'strict') {
    endedGrants.add(old.grant)
    return [400, { error: 'invalid_grant' }]
  }
  old.isUsed = true
  const audience = form.get('resource') ?? 'sign-in'
  const access_token = `access-${++issued}@${audience}`
  const refresh_token = issueRefreshToken(old.grant)
  return [200, { access_token, refresh_token, token_type: 'bearer', expires_in: 3600 }]
}

async function answer(request, response) {
  const { pathname } = new URL(request.url, issuer)
  let body = ''
  for await (const chunk of request) body += chunk
  const form = new URLSearchParams(body)
  const send = (status, content, headers = { 'content-type': 'application/json' }) =>
    response.writeHead(status, headers).end(typeof content === 'string' ? content : JSON.stringify(content))
  if (pathname === '/.well-known/openid-configuration') return send(200, metadata)
  if (pathname === '/revoke') {
    revoked.push(form.get('token'))
    return send(200, {})
  }
  const seen = { atMs: now(), answeredAtMs: 0, isGone: false, refreshToken: form.get('refresh_token') }
  response.once('close', () => (seen.isGone = true))
  requests.push(seen)
  arrived = arrived.filter((resolve) => !resolve())
  const fault = faults[0]
  if (fault && --fault.times <= 0) faults.shift()
  if (fault?.delayMs) await sleep(fault.delayMs)
  const held = gate
  if (held && fault?.drop !== 'before' && !fault?.status) await held.opened
  if (fault?.drop === 'before') return request.socket.resetAndDestroy()
  if (fault?.status) return send(fault.status, fault.body ?? '', fault.headers)
  // Whoever has died meanwhile has not been answered, and nothing was rotated for it.
  if (request.socket.destroyed) return
  const [status, content] = refresh(form)
  if (fault?.drop === 'after') return request.socket.resetAndDestroy()
  seen.answeredAtMs = now()
  send(status, content)
}

const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1')
await once(server, 'listening')
server.keepAliveTimeout = 60_000
const issuer = `http://127.0.0.1:${server.address().port}`
const metadata = {
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  revocation_endpoint: `${issuer}/revoke`,
  jwks_uri: `${issuer}/keys`,
  response_types_supported: ['code'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['RS256'],
  token_endpoint_auth_methods_supported: ['client_secret_post'],
}

const commands = {
  issuer: () => issuer,
  issue: ({ grants }) => grants.map(issueRefreshToken),
  isAlive: ({ grant }) => !endedGrants.has(grant),
  requests: () => requests,
  revoked: () => revoked,
  clear() {
    requests = []
    faults.length = 0
  },
  fail: ({ fault }) => void faults.push({ times: 1, ...fault }),
  close() {
    const opened = Promise.withResolvers?.() ?? deferred()
    gate = { opened: opened.promise, open: opened.resolve }
  },
  open() {
    gate?.open()
    gate = null
  },
  arrival: ({ count }) =>
    new Promise((resolve) => {
      const check = () => {
        if (requests.length < count) return false
        resolve()
        return true
      }
      if (!check()) arrived.push(check)
    }),
}

function deferred() {
  let resolve
  const promise = new Promise((done) => (resolve = done))
  return { promise, resolve }
}

process.on('message', async ({ id, name, input }) => {
  process.send({ id, value: (await commands[name](input ?? {})) ?? null })
})
process.on('disconnect', () => process.exit())
process.send({ ready: true })
