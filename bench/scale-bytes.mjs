/** Bytes of Redis per session: what `used_memory` grows by, everything included, beside connect-redis' plain JSON. */
import { randomBytes } from 'node:crypto'
import { RedisStore } from 'connect-redis'
import { coatcheck } from 'coatcheck'
import { redisStore } from 'coatcheck/redis'
import { createClient } from 'redis'
import { payload } from './payload.mjs'
import { withRedis } from './redis.mjs'

/** Bytes of JSON: 0.3, 0.5, 1.1, 3 and 6 KB. */
const SIZES = [300, 512, 1100, 3000, 6000]
const AT_ONCE = 250

const bytesColumns = [
  ['coatcheck', (row) => row.ours.toLocaleString('en')],
  ['connect-redis', (row) => row.theirs.toLocaleString('en')],
  ['ratio', (row) => (row.ours / row.theirs).toFixed(2)],
  ['above the JSON', (row) => (row.ours - row.bytes).toLocaleString('en')],
]

export async function bytesPerSession({ count }) {
  const rows = []
  for (const bytes of SIZES) {
    const data = payload(bytes, 100_000)
    const ours = await withRedis((redis) => grown(redis, count, ourWriter(redis.url, data)))
    const theirs = await withRedis((redis) => grown(redis, count, connectRedisWriter(redis.url, data)))
    rows.push({ name: `${bytes.toLocaleString('en')} B of JSON`, bytes, ours, theirs })
  }
  const heading = `Bytes of Redis per session: ${count.toLocaleString('en')} sessions, one for each user; index, generation, sealing and TTLs included`
  return { heading, rows, columns: bytesColumns }
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

async function ourWriter(url, data) {
  const keys = randomBytes(32).toString('base64')
  const auth = coatcheck({ store: redisStore({ url }), keys, baseUrl: 'https://bench.example' })
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
