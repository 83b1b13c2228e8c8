/**
 * One of the processes of `scale-processes.mjs`. `drive`: finds and updates; `write`: updates only; `listen`: as many stores with
 * a near cache as it is told to open, which do nothing but hear of changes. Answers each message with one.
 */
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { coatcheck } from 'coatcheck'
import { redisStore } from 'coatcheck/redis'
import { payload } from './payload.mjs'

const [role] = process.argv.slice(2)
const { REDIS_URL: url, COATCHECK_KEYS: keys, NAME, REDIS_CLUSTER } = process.env
const SESSIONS = 1008
const CONCURRENCY = 16
const WRITES = role === 'write' ? 1 : 10

function open(options) {
  const store = redisStore({ url, cluster: REDIS_CLUSTER === 'true', ...options })
  return coatcheck({ store, keys, baseUrl: 'https://bench.example' })
}

/** On a busy machine a start takes longer than a connection is waited for. */
async function ready(auth) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await auth.ready()
    } catch (error) {
      if (attempt === 20) throw error
      await sleep(250)
    }
  }
}

async function worker() {
  const auth = open()
  await ready(auth)
  const data = payload(512, 1)
  const tickets = []
  while (tickets.length < SESSIONS) {
    const some = Array.from({ length: CONCURRENCY }, (_, i) =>
      auth.sessions.create({ userId: `${NAME}-${tickets.length + i}`, data }),
    )
    tickets.push(...(await Promise.all(some)).map(({ ticket }) => ticket))
  }
  let next = 0
  const step = async () => {
    const i = next++
    const ticket = tickets[(i * 7) % SESSIONS]
    if (i % WRITES !== 0) return auth.sessions.find(ticket)
    return auth.sessions.update(ticket, (draft) => {
      draft.locale = i % 2 ? 'de-CH' : 'fr-CH'
    })
  }
  return async ({ ms }) => {
    let operations = 0
    const cpu = process.cpuUsage()
    const start = performance.now()
    const lane = async () => {
      while (performance.now() - start < ms) {
        await step()
        operations++
      }
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, lane))
    const elapsedMs = performance.now() - start
    return { operations, elapsedMs, cpuMicros: cpuMicros(cpu) }
  }
}

function listeners() {
  const opened = []
  return async ({ subscribers }) => {
    if (subscribers !== undefined) {
      await Promise.all(opened.splice(0).map((auth) => auth.close()))
      for (let i = 0; i < subscribers; i++) {
        // Stores of one process with the same options share one connection; these are to stand for processes.
        const auth = open({ nearCache: { maxEntries: 1000 + i, maxStaleMs: 2000 } })
        const isHeard = new Promise((resolve) => auth.events.on('redis.tracking', ({ isOn }) => isOn && resolve()))
        await ready(auth)
        await isHeard
        opened.push(auth)
      }
    }
    return { cpuMicros: cpuMicros() }
  }
}

function cpuMicros(before) {
  const { user, system } = process.cpuUsage(before)
  return user + system
}

const answer = role === 'listen' ? listeners() : await worker()
process.on('message', (question) => void answer(question).then((reply) => process.send(reply)))
process.on('disconnect', () => process.exit(0))
process.send('ready')
