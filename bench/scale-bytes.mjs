/** Bytes of Redis per session and per user with tokens: what `used_memory` grows by, everything included, beside connect-redis' plain JSON. */
import { randomBytes } from 'node:crypto'
import { RedisStore } from 'connect-redis'
import { coatcheck, oidc } from 'coatcheck'
import { redisStore } from 'coatcheck/redis'
import { createClient } from 'redis'
import { payload } from './payload.mjs'
import { withCluster, withRedis } from './redis.mjs'

/** Bytes of JSON: 0.3, 0.5, 1.1, 3 and 6 KB. */
const SIZES = [300, 512, 1100, 3000, 6000]
const AT_ONCE = 50
/** About the sizes of tokens of Entra ID. */
const ACCESS_TOKEN_BYTES = 1500
const OTHER_TOKEN_BYTES = 1200
const RESOURCES = [1, 4, 11]

const bytesColumns = [
  ['coatcheck', (row) => row.ours.toLocaleString('en')],
  ['connect-redis', (row) => row.theirs?.toLocaleString('en') ?? ''],
  ['ratio', (row) => (row.theirs ? (row.ours / row.theirs).toFixed(2) : '')],
  ['above the JSON', (row) => (row.ours - row.bytes).toLocaleString('en')],
]

const tokenColumns = [['bytes per user', (row) => row.bytes.toLocaleString('en')]]

export async function bytesPerSession({ count }) {
  const rows = []
  for (const bytes of SIZES) {
    const data = payload(bytes, 100_000)
    const ours = await withRedis((redis) => grown(redis, count, ourWriter(redis.url, data)))
    const theirs = await withRedis((redis) => grown(redis, count, connectRedisWriter(redis.url, data)))
    rows.push({ name: `${bytes.toLocaleString('en')} B of JSON`, bytes, ours, theirs })
  }
  const ours = await withCluster((nodes) =>
    grown(allOf(nodes), count, ourWriter(nodes[0].url, payload(512, 100_000), true)),
  )
  rows.push({ name: '512 B of JSON, in a cluster of 3', bytes: 512, ours })
  const heading = `Bytes of Redis per session: ${count.toLocaleString('en')} sessions, one for each user; index, generation, sealing and TTLs included`
  return { heading, rows, columns: bytesColumns }
}

export async function bytesOfTokens({ count }) {
  const rows = []
  for (const resources of RESOURCES) {
    const bytes = await withRedis((redis) => grown(redis, count, tokenWriter(redis.url, resources)))
    rows.push({ name: `a grant and access tokens for ${resources} resources`, bytes })
  }
  const heading = `Bytes of Redis for the tokens of a user: access tokens of ${ACCESS_TOKEN_BYTES} B, refresh and ID token of ${OTHER_TOKEN_BYTES} B`
  return { heading, rows, columns: tokenColumns }
}

function allOf(nodes) {
  return {
    async usedMemory() {
      const each = await Promise.all(nodes.map((node) => node.usedMemory()))
      return each.reduce((sum, bytes) => sum + bytes, 0)
    },
  }
}

async function grown({ usedMemory }, count, opening) {
  const { write, close } = await opening
  const writeAll = async (first, last) => {
    for (let i = first; i < last; i += AT_ONCE)
      await Promise.all(Array.from({ length: AT_ONCE }, (_, k) => write(i + k)))
  }
  // Connections, buffers and scripts are there before it counts.
  await writeAll(-AT_ONCE * 2, 0)
  const before = await usedMemory()
  await writeAll(0, count)
  const after = await usedMemory()
  await close()
  return Math.round((after - before) / count)
}

async function ourWriter(url, data, cluster = false) {
  const keys = randomBytes(32).toString('base64')
  const auth = coatcheck({ store: redisStore({ url, cluster }), keys, baseUrl: 'https://bench.example' })
  await auth.ready()
  return {
    write: (i) => auth.sessions.create({ userId: `user-${100_000 + i}`, data }),
    close: () => auth.close(),
  }
}

async function connectRedisWriter(url, data) {
  const client = await createClient({ url })
    .on('error', () => undefined)
    .connect()
  const store = new RedisStore({ client, prefix: 'sess:' })
  const session = { cookie: { originalMaxAge: 3_600_000 }, ...data }
  return {
    write: () => store.set(randomBytes(24).toString('base64url'), session),
    close: () => client.close(),
  }
}

async function tokenWriter(url, resources) {
  const auth = coatcheck({
    store: redisStore({ url }),
    keys: randomBytes(32).toString('base64'),
    baseUrl: 'https://bench.example',
    providers: [oidc({ name: 'idp', issuer: 'https://idp.example', clientId: 'app', clientSecret: 'secret' })],
  })
  await auth.ready()
  const token = (bytes) => randomBytes(bytes / 2).toString('hex')
  const [accessToken, refreshToken, idToken] = [ACCESS_TOKEN_BYTES, OTHER_TOKEN_BYTES, OTHER_TOKEN_BYTES].map(token)
  const expiresAt = Date.now() + 3_600_000
  return {
    async write(i) {
      const user = `user-${100_000 + i}`
      for (let n = 0; n < resources; n++) {
        const target = n === 0 ? {} : { resource: `https://api-${n}.example` }
        await auth.tokens.setUserTokens(user, { accessToken, refreshToken, idToken, expiresAt }, target)
      }
    },
    close: () => auth.close(),
  }
}
