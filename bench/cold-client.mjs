/**
 * One process of `session-cold`: `prepare` stores sessions and writes their names to a file, `read` reads each of them
 * once in random order and prints its figures as JSON. A process of its own, so that no subject pays for the garbage of another.
 */
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { performance, PerformanceObserver } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { RedisStore } from 'connect-redis'
import { payload } from './payload.mjs'

const AS_BUFFERS = { timeout: 0, typeMapping: { 36: Buffer } }
const WARM_UP_SHARE = 0.2
const LANES = 64

const [action, subject, bytes, count, url, file] = process.argv.slice(2)
const open = { floor, ours, 'connect-redis': connectRedis }
const opened = await open[subject.split('@')[0]](subject.split('@')[1])
if (action === 'prepare') await prepare()
else await read()
await opened.close()

async function prepare() {
  const names = []
  let next = 0
  await lanes(async () => {
    while (next < count) {
      const i = next++
      names[i] = await opened.create(payload(Number(bytes), i), i)
    }
  })
  writeFileSync(file, names.join('\n'))
}

async function read() {
  const names = shuffled(readFileSync(file, 'utf8').split('\n'))
  const warm = Math.floor(names.length * WARM_UP_SHARE)
  let next = 0
  const until = async (end) => {
    await lanes(async () => {
      while (next < end) await opened.read(names[next++])
    })
  }
  await until(warm)
  let gcMs = 0
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) gcMs += duration
  })
  observer.observe({ entryTypes: ['gc'] })
  globalThis.gc()
  await sleep(20)
  gcMs = 0
  const startCpu = process.cpuUsage()
  const start = performance.now()
  await until(names.length)
  const elapsedMs = performance.now() - start
  const cpu = process.cpuUsage(startCpu)
  await sleep(20)
  const whileReadingMs = gcMs
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  const operations = names.length - warm
  const cpuMs = (cpu.user + cpu.system) / 1000
  process.stdout.write(
    JSON.stringify({
      opsPerSecond: (operations / elapsedMs) * 1000,
      cpuMicros: (cpuMs / operations) * 1000,
      gcShare: whileReadingMs / cpuMs,
      memoryMiB: (heapUsed + external) / 1024 / 1024,
    }),
  )
}

async function lanes(run) {
  await Promise.all(Array.from({ length: LANES }, run))
}

function shuffled(values) {
  for (let i = values.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    ;[values[i], values[j]] = [values[j], values[i]]
  }
  return values
}

/** What nobody who encrypts can go below with this client: one `GET` with a Buffer reply, AES-256-GCM, `JSON.parse`. */
async function floor() {
  const { createClient } = await import('redis')
  const client = await connected(createClient({ url, maintNotifications: 'disabled' }))
  const key = createSecretKey(Buffer.alloc(32, 7))
  return {
    close: () => client.close(),
    async create(data) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      const body = Buffer.concat([cipher.update(JSON.stringify(data)), cipher.final()])
      const name = `floor:${bytes}:${randomBytes(16).toString('base64url')}`
      await client.sendCommand(['SET', name, Buffer.concat([nonce, body, cipher.getAuthTag()]), 'EX', '36000'])
      return name
    },
    async read(name) {
      const record = await client.sendCommand(['GET', name], AS_BUFFERS)
      const decipher = createDecipheriv('aes-256-gcm', key, record.subarray(0, 12))
      decipher.setAuthTag(record.subarray(record.length - 16))
      const text = decipher.update(record.subarray(12, record.length - 16)).toString()
      decipher.final()
      return JSON.parse(text).locale
    },
  }
}

async function ours() {
  const { coatcheck } = await import('coatcheck')
  const { redisStore } = await import('coatcheck/redis')
  const auth = coatcheck({
    store: redisStore({ url }),
    keys: Buffer.from('a key of the benchmark, 32 bytes').toString('base64'),
    baseUrl: 'https://bench.example',
    prefix: `bench${bytes}:`,
  })
  return {
    close: () => auth.close(),
    create: async (data, i) => (await auth.sessions.create({ userId: `user-${i}`, data })).ticket,
    async read(ticket) {
      const { session } = await auth.sessions.find(ticket)
      return session.data.locale
    },
  }
}

/** @param variant `6`: redis 6 in its defaults; `6-best`, `5-best`: with its time limit off */
async function connectRedis(variant) {
  const { createClient } = await import(variant.startsWith('5') ? 'redis5' : 'redis')
  const best = variant.endsWith('best')
  const options = best
    ? { url, commandOptions: { timeout: 0 }, ...(variant[0] === '6' && { maintNotifications: 'disabled' }) }
    : { url }
  const client = await connected(createClient(options))
  const store = new RedisStore({ client, prefix: `sess${bytes}:` })
  return {
    close: () => client.close(),
    async create(data) {
      const id = randomBytes(24).toString('base64url')
      await store.set(id, { cookie: { originalMaxAge: 36_000_000 }, ...data })
      return id
    },
    async read(id) {
      const session = await store.get(id)
      await store.touch(id, session)
      return session.locale
    },
  }
}

function connected(client) {
  return client.on('error', () => undefined).connect()
}
