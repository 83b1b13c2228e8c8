/**
 * 4 processes with 50 callers each meet one expired token, at a provider that takes 150 ms: how many requests it gets, how many
 * callers fail, whether the grant is alive afterwards, and how long the callers wait. Ours, MSAL with its distributed cache plugin,
 * and the refresh of Auth.js' documentation (read, ask when expired, write back).
 */
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { quantile } from './harness.mjs'
import { entraFields } from './msal.mjs'
import { withRedis } from './redis.mjs'

const PROCESSES = 4
const CALLERS = 50
const LATENCY_MS = 150
const KINDS = {
  coatcheck: 'coatcheck',
  'msal-process': 'MSAL, one application object per process',
  'msal-request': 'MSAL, one application object per request',
  authjs: "the refresh of Auth.js' documentation",
}

export const title = 'stampede'
export const columns = [
  ['requests (ideal 1)', (row) => row.requests],
  [`failed callers of ${PROCESSES * CALLERS}`, (row) => row.failed],
  ['grant alive', (row) => row.alive],
  ['wait p50 ms', (row) => row.p50],
  ['wait p99 ms', (row) => row.p99],
]

export async function run({ rounds }) {
  return withRedis(async ({ url }) => {
    const sections = []
    for (const rotation of ['strict', 'lenient']) {
      const provider = await startProvider(rotation)
      const clients = await startClients(url, provider.issuer)
      const samples = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, []]))
      for (let round = 0; round < rounds; round++) {
        for (const kind of Object.keys(KINDS)) samples[kind].push(await sample(clients, provider, kind))
      }
      for (const client of clients) client.kill('SIGKILL')
      provider.close()
      const rows = Object.entries(KINDS).map(([kind, name]) => ({ name, ...summary(samples[kind]) }))
      sections.push({ heading: `${rotation} rotation, ${rounds} rounds`, rows })
    }
    return sections
  })
}

async function startClients(redisUrl, issuer) {
  const env = {
    ...process.env,
    REDIS_URL: redisUrl,
    ISSUER: issuer,
    COATCHECK_KEYS: randomBytes(32).toString('base64'),
  }
  const file = fileURLToPath(new URL('./stampede-client.mjs', import.meta.url))
  const clients = Array.from({ length: PROCESSES }, () => fork(file, { env }))
  await Promise.all(clients.map((client) => once(client, 'message')))
  return clients
}

let users = 0

async function sample(clients, provider, kind) {
  const user = `user-${++users}`
  const refreshToken = provider.grant(user)
  await ask(clients[0], { operation: 'prepare', kind, user, refreshToken })
  const before = provider.requests()
  const answers = await Promise.all(
    clients.map((client) => ask(client, { operation: 'get', kind, user, callers: CALLERS })),
  )
  const waits = answers.flat()
  return {
    requests: provider.requests() - before,
    failed: waits.filter(({ isOk }) => !isOk).length,
    isAlive: provider.isAlive(user),
    waits: waits.map(({ ms }) => ms),
  }
}

let asked = 0

function ask(client, message) {
  const id = ++asked
  return new Promise((resolve, reject) => {
    const listen = (answer) => {
      if (answer.id !== id) return
      client.off('message', listen)
      if (answer.error) reject(new Error(answer.error))
      else resolve(answer.result)
    }
    client.on('message', listen)
    client.send({ id, ...message })
  })
}

function summary(samples) {
  const waits = samples.flatMap((one) => one.waits)
  const at = (share) => Math.round(quantile(waits, share))
  return {
    requests: span(samples.map((one) => one.requests)),
    failed: span(samples.map((one) => one.failed)),
    alive: `${samples.filter(({ isAlive }) => isAlive).length}/${samples.length}`,
    p50: at(0.5),
    p99: at(0.99),
  }
}

/** The median, and the range when there is one. */
function span(values) {
  const [least, middle, most] = [Math.min(...values), quantile(values, 0.5), Math.max(...values)]
  return least === most ? String(middle) : `${middle} (${least}–${most})`
}

/** A token endpoint: discovery, and the refresh grant. Strict: a refresh token that was used before ends the grant. */
async function startProvider(rotation) {
  const grants = new Map()
  let requests = 0
  let number = 0
  const server = createServer(async (request, response) => {
    const answer = (status, body) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (request.url.includes('openid-configuration')) return answer(200, metadata())
    let text = ''
    for await (const chunk of request) text += chunk
    const form = new URLSearchParams(text)
    requests++
    const token = form.get('refresh_token')
    const grant = grants.get(token?.split('/')[0])
    if (grant && rotation === 'strict' && grant.current !== token) grant.isAlive = false
    const isGood = grant?.isAlive === true
    if (isGood) grant.current = `${grant.user}/${++number}`
    const current = grant?.current
    await new Promise((resolve) => setTimeout(resolve, LATENCY_MS))
    if (!isGood) return answer(400, { error: 'invalid_grant', error_description: 'AADSTS70000' })
    const tokens = { token_type: 'Bearer', expires_in: 3600, access_token: `access-${number}`, refresh_token: current }
    return answer(200, {
      ...tokens,
      scope: form.get('scope') ?? 'openid',
      ...entraFields(grant.user),
      id_token: undefined,
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${server.address().port}`
  const metadata = () => ({
    issuer,
    token_endpoint: `${issuer}/token`,
    authorization_endpoint: `${issuer}/authorize`,
    jwks_uri: `${issuer}/keys`,
  })
  return {
    issuer,
    requests: () => requests,
    isAlive: (user) => grants.get(user).isAlive,
    grant(user) {
      const current = `${user}/${++number}`
      grants.set(user, { user, current, isAlive: true })
      return current
    },
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
