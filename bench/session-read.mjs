/**
 * Reading a session: the floor is what nobody who encrypts can go below with this client (one GET with a Buffer reply,
 * AES-256-GCM open, JSON.parse); beside it ours (MAC, MGET with the generation, open, secret, deadlines, frozen data) and what
 * teams run today, connect-redis get and touch, which neither encrypts nor checks anything.
 */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto'
import { RedisStore } from 'connect-redis'
import { coatcheck } from 'coatcheck'
import { redisStore } from 'coatcheck/redis'
import { createClient } from 'redis'
import { compare } from './harness.mjs'
import { payload } from './payload.mjs'
import { withRedis } from './redis.mjs'

const SESSIONS = 10_000
const SIZES = [512, 2048, 8192]
const CONCURRENCY = [1, 64]
const AS_BUFFERS = { timeout: 0, typeMapping: { 36: Buffer } }

export const title = 'session-read'

export async function run({ rounds, roundMs }) {
  return withRedis(async ({ url, commandCount }) => {
    const sections = []
    for (const bytes of SIZES) {
      const subjects = await prepare(url, bytes)
      for (const concurrency of CONCURRENCY) {
        const rows = await compare(subjects.list, { concurrency, rounds, roundMs, commandCount })
        sections.push({ heading: `${bytes} B of JSON, ${SESSIONS} sessions, concurrency ${concurrency}`, rows })
      }
      await subjects.close()
    }
    return sections
  })
}

async function prepare(url, bytes) {
  const floor = await floorSubject(url, bytes)
  const ours = await ourSubject(url, bytes)
  const theirs = await connectRedisSubject(url, bytes)
  return {
    list: [floor.subject, ours.subject, theirs.subject],
    close: async () => {
      await Promise.all([floor.close(), ours.close(), theirs.close()])
    },
  }
}

async function floorSubject(url, bytes) {
  const client = await createClient({ url, maintNotifications: 'disabled' })
    .on('error', () => undefined)
    .connect()
  const key = createSecretKey(randomBytes(32))
  const names = []
  for (let i = 0; i < SESSIONS; i++) {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', key, nonce)
    const body = Buffer.concat([cipher.update(JSON.stringify(payload(bytes, i))), cipher.final()])
    names.push(`floor:${bytes}:${randomBytes(16).toString('base64url')}`)
    await client.sendCommand(['SET', names[i], Buffer.concat([nonce, body, cipher.getAuthTag()]), 'EX', '3600'])
  }
  return {
    close: () => client.close(),
    subject: {
      name: 'floor: raw GET + AES-GCM open + JSON.parse',
      run: async (i) => {
        const record = await client.sendCommand(['GET', names[i % SESSIONS]], AS_BUFFERS)
        const decipher = createDecipheriv('aes-256-gcm', key, record.subarray(0, 12))
        decipher.setAuthTag(record.subarray(record.length - 16))
        const text = decipher.update(record.subarray(12, record.length - 16)).toString()
        decipher.final()
        return JSON.parse(text).locale
      },
    },
  }
}

export async function ourSubject(url, bytes, { name = 'coatcheck: sessions.find + session.data', ...options } = {}) {
  const auth = coatcheck({
    store: redisStore({ url, ...options }),
    keys: randomBytes(32).toString('base64'),
    baseUrl: 'https://bench.example',
    prefix: `bench${bytes}:`,
  })
  const tickets = []
  for (let i = 0; i < SESSIONS; i++) {
    tickets.push((await auth.sessions.create({ userId: `user-${i}`, data: payload(bytes, i) })).ticket)
  }
  return {
    close: () => auth.close(),
    subject: {
      name,
      run: async (i) => {
        const { session } = await auth.sessions.find(tickets[i % SESSIONS])
        return session.data.locale
      },
    },
  }
}

async function connectRedisSubject(url, bytes) {
  const client = await createClient({ url })
    .on('error', () => undefined)
    .connect()
  const store = new RedisStore({ client, prefix: `sess${bytes}:` })
  const ids = []
  for (let i = 0; i < SESSIONS; i++) {
    ids.push(randomBytes(24).toString('base64url'))
    await store.set(ids[i], { cookie: { originalMaxAge: 3_600_000 }, ...payload(bytes, i) })
  }
  return {
    close: () => client.close(),
    subject: {
      name: 'connect-redis: get + touch (plain text)',
      run: async (i) => {
        const id = ids[i % SESSIONS]
        const session = await store.get(id)
        await store.touch(id, session)
        return session.locale
      },
    },
  }
}
