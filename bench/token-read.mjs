/**
 * Reading a cached access token: the floor is what nobody who encrypts can go below (one HGET with a Buffer reply, AES-256-GCM
 * open, JSON.parse); beside it ours, and MSAL with its distributed cache plugin and one application object per request, as its
 * documentation advises, which reads and parses everything that the user has.
 */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto'
import { coatcheck, oidc } from 'coatcheck'
import { redisStore } from 'coatcheck/redis'
import { createClient } from 'redis'
import { compare } from './harness.mjs'
import { entraFields, homeOf, msalApplication } from './msal.mjs'
import { withRedis } from './redis.mjs'

const USERS = 100
const RESOURCES = [1, 10, 50]
const CONCURRENCY = [1, 64]
/** About the size of a token of Entra ID. */
const TOKEN_BYTES = 1500
const AS_BUFFERS = { timeout: 0, typeMapping: { 36: Buffer } }
const DAY_SECONDS = 86_400

export const title = 'token-read'
export const columns = [
  ['operations/s', (row) => row.opsPerSecond.toLocaleString('en')],
  ['ratio to floor', (row) => row.ratio.toFixed(2)],
  ['client CPU µs/op', (row) => row.cpuMicros.toFixed(1)],
  ['Redis commands/op', (row) => row.commandsPerOperation],
  ['bytes read/op', (row) => row.bytesPerOperation.toLocaleString('en')],
]

export async function run({ rounds, roundMs }) {
  return withRedis(async ({ url, commandCount, outputBytes }) => {
    const sections = []
    for (const resources of RESOURCES) {
      const subjects = await Promise.all([floorOf(url, resources), oursOf(url, resources), msalOf(url, resources)])
      for (const concurrency of CONCURRENCY) {
        const options = { concurrency, rounds, roundMs, commandCount, outputBytes }
        const rows = await compare(subjects, options)
        sections.push({ heading: `${resources} resources per user, concurrency ${concurrency}`, rows })
      }
      for (const { close } of subjects) await close()
    }
    return sections
  })
}

const resourceOf = (n) => `https://api-${n}.example`
const accessToken = () => randomBytes(TOKEN_BYTES / 2).toString('hex')

async function connected(url) {
  return createClient({ url, maintNotifications: 'disabled' })
    .on('error', () => undefined)
    .connect()
}

async function floorOf(url, resources) {
  const client = await connected(url)
  const key = createSecretKey(randomBytes(32))
  for (let user = 0; user < USERS; user++) {
    for (let n = 0; n < resources; n++) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      const entry = { accessToken: accessToken(), expiresAtMs: Date.now() + 3_600_000, scopes: ['read'] }
      const body = Buffer.concat([cipher.update(JSON.stringify(entry)), cipher.final()])
      const record = Buffer.concat([nonce, body, cipher.getAuthTag()])
      await client.sendCommand(['HSET', `floor:${resources}:${user}`, resourceOf(n), record])
    }
  }
  return {
    name: 'floor: raw HGET + AES-GCM open + JSON.parse',
    close: () => client.close(),
    run: async (i) => {
      const args = ['HGET', `floor:${resources}:${i % USERS}`, resourceOf(i % resources)]
      const record = await client.sendCommand(args, AS_BUFFERS)
      const decipher = createDecipheriv('aes-256-gcm', key, record.subarray(0, 12))
      decipher.setAuthTag(record.subarray(record.length - 16))
      const text = decipher.update(record.subarray(12, record.length - 16)).toString()
      decipher.final()
      return JSON.parse(text).accessToken
    },
  }
}

async function oursOf(url, resources) {
  const auth = coatcheck({
    store: redisStore({ url }),
    keys: randomBytes(32).toString('base64'),
    baseUrl: 'https://bench.example',
    prefix: `bench${resources}:`,
    providers: [oidc({ name: 'idp', issuer: 'https://idp.example', clientId: 'app', clientSecret: 'secret' })],
  })
  const expiresAt = Date.now() + DAY_SECONDS * 1000
  for (let user = 0; user < USERS; user++) {
    await auth.tokens.setUserTokens(`user-${user}`, { accessToken: accessToken(), refreshToken: 'r', expiresAt })
    for (let n = 0; n < resources; n++) {
      const tokens = { accessToken: accessToken(), expiresAt }
      await auth.tokens.setUserTokens(`user-${user}`, tokens, { resource: resourceOf(n) })
    }
  }
  return {
    name: 'coatcheck: tokens.getAccessToken',
    close: () => auth.close(),
    run: async (i) => {
      const token = await auth.tokens.getAccessToken(`user-${i % USERS}`, { resource: resourceOf(i % resources) })
      return token.accessToken
    },
  }
}

async function msalOf(url, resources) {
  const client = await connected(url)
  const requestToken = async (form) => {
    const user = form.get('code') ?? form.get('refresh_token')
    const tokens = { token_type: 'Bearer', expires_in: DAY_SECONDS, access_token: accessToken(), refresh_token: user }
    return { status: 200, body: { ...tokens, scope: form.get('scope'), ...entraFields(user) } }
  }
  const accounts = []
  for (let user = 0; user < USERS; user++) {
    const name = `user-${resources}-${user}`
    const app = msalApplication({ client, home: homeOf(name), requestToken })
    const redirectUri = 'http://localhost'
    const { account } = await app.acquireTokenByCode({ code: name, scopes: ['openid'], redirectUri })
    accounts.push(account)
    for (let n = 0; n < resources; n++) await app.acquireTokenSilent({ account, scopes: [`${resourceOf(n)}/read`] })
  }
  return {
    name: 'MSAL: acquireTokenSilent, distributed cache plugin, one object per request',
    close: () => client.close(),
    run: async (i) => {
      const account = accounts[i % USERS]
      const app = msalApplication({ client, home: account.homeAccountId, requestToken: refuse })
      const result = await app.acquireTokenSilent({ account, scopes: [`${resourceOf(i % resources)}/read`] })
      return result.accessToken
    },
  }
}

/** A read that asks the provider is none. */
function refuse() {
  throw new Error('a cached token was asked for at the provider')
}
