/**
 * Do operations stay flat while one Redis fills? One server for each number of sessions, all at once and in turns. Beside the
 * sessions that are worked on lie others of the same names, sizes and lives, written by a script: their bytes are noise.
 */
import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { coatcheck } from 'coatcheck'
import { redisStore } from 'coatcheck/redis'
import { median, quantile } from './harness.mjs'
import { payload } from './payload.mjs'
import { withRedis } from './redis.mjs'

const BYTES = 512
const CONCURRENCY = 16
const READ = 5000
const SESSIONS_OF_A_USER = 5
const LISTED_USERS = 200
const FILLED_PER_CALL = 2000
/** Names and values as the drivers write them: docs/redis-keys.md. */
const FILL = `
local record = redis.sha1hex(ARGV[1])
while #record < ${BYTES} + 111 do record = record .. record end
record = string.sub(record, 1, ${BYTES} + 111)
for i = 1, tonumber(ARGV[2]) do
  local name = redis.sha1hex(ARGV[1] .. i)
  local user, id = string.sub(name, 1, 16), string.sub(name, 17, 38)
  redis.call('SET', 'user:session:{' .. user .. '}:' .. id, record, 'PX', 29100000)
  redis.call('SET', 'user:{' .. user .. '}:gen', string.sub(name, 1, 8) .. id .. '1999999999999', 'PX', 86700000)
end`

const growthColumns = [
  ['operations/s', (row) => row.opsPerSecond.toLocaleString('en')],
  ['p50 ms', (row) => row.p50.toFixed(2)],
  ['p99 ms', (row) => row.p99.toFixed(2)],
  ['server CPU µs/op', (row) => row.serverMicros.toFixed(1)],
  ['server CPU to the smallest', (row) => row.ratio.toFixed(2)],
]

export async function growth({ sizes, rounds, roundMs }) {
  return withServers(sizes, [], async (stocks) => {
    const rows = []
    for (const operation of ['find', 'update', 'create', 'list', 'revoke by user']) {
      const samples = stocks.map(() => [])
      for (let round = 0; round < rounds + 1; round++) {
        for (let turn = 0; turn < stocks.length; turn++) {
          const at = (round + turn) % stocks.length
          const sample = await measured(stocks[at], operation, roundMs)
          // The first round warms up.
          if (round > 0) samples[at].push(sample)
        }
      }
      for (const [at, { sessions }] of stocks.entries()) {
        const of = (figure) => median(samples[at].map((sample) => sample[figure]))
        rows.push({
          name: `${operation}, ${sessions.toLocaleString('en')} sessions`,
          opsPerSecond: Math.round(of('opsPerSecond')),
          p50: of('p50'),
          p99: of('p99'),
          serverMicros: of('serverMicros'),
          ratio: median(samples[at].map((sample, i) => sample.serverMicros / samples[0][i].serverMicros)),
        })
      }
    }
    const heading = `Growth: ${BYTES} B of JSON, concurrency ${CONCURRENCY}; list and revoke by user: ${SESSIONS_OF_A_USER} sessions of a user`
    return { heading, rows, columns: growthColumns }
  })
}

async function withServers([sessions, ...others], stocks, use) {
  if (sessions === undefined) return use(stocks)
  return withRedis(async (redis) => {
    const stock = await filled(redis, sessions)
    try {
      return await withServers(others, [...stocks, stock], use)
    } finally {
      await stock.auth.close()
    }
  })
}

async function filled(redis, sessions) {
  for (let i = 0; i < sessions - READ; i += FILLED_PER_CALL) {
    const count = Math.min(FILLED_PER_CALL, sessions - READ - i)
    await redis.client.sendCommand(['EVAL', FILL, '0', `fill-${i}-`, String(count)])
  }
  const keys = randomBytes(32).toString('base64')
  const auth = coatcheck({ store: redisStore({ url: redis.url }), keys, baseUrl: 'https://bench.example' })
  await auth.ready()
  const data = payload(BYTES, 1)
  const make = async (userId) => (await auth.sessions.create({ userId, data })).ticket
  const tickets = await inLanes(READ - LISTED_USERS * SESSIONS_OF_A_USER, (i) => make(`reader-${i}`))
  await inLanes(LISTED_USERS * SESSIONS_OF_A_USER, (i) => make(`lister-${i % LISTED_USERS}`))
  return { redis, auth, sessions, tickets, make, made: 0 }
}

/** One round: what has to be there is made before the time begins, and what was made is gone after it. */
async function measured(stock, operation, roundMs) {
  const { auth, tickets, make } = stock
  if (operation === 'find') return timed(stock, roundMs, (i) => auth.sessions.find(tickets[i % tickets.length]))
  if (operation === 'update') {
    const change = (draft) => void (draft.locale = draft.locale === 'de-CH' ? 'fr-CH' : 'de-CH')
    return timed(stock, roundMs, (i) => auth.sessions.update(tickets[i % tickets.length], change))
  }
  if (operation === 'list') return timed(stock, roundMs, (i) => auth.sessions.listByUser(`lister-${i % LISTED_USERS}`))
  if (operation === 'create') {
    const first = stock.made
    const sample = await timed(stock, roundMs, (i) => (stock.made++, make(`new-${first + i}`)))
    await inLanes(stock.made - first, (i) => auth.sessions.revokeByUser(`new-${first + i}`))
    return sample
  }
  const users = Math.ceil(roundMs * 0.4)
  const first = stock.made
  stock.made += users
  await inLanes(users * SESSIONS_OF_A_USER, (i) => make(`new-${first + (i % users)}`))
  return timed(stock, Infinity, (i) => auth.sessions.revokeByUser(`new-${first + i}`), users)
}

async function timed({ redis }, roundMs, run, most = Infinity) {
  const times = []
  let next = 0
  const cpu = await redis.cpuMicros()
  const start = performance.now()
  const lane = async () => {
    while (next < most && performance.now() - start < roundMs) {
      const began = performance.now()
      await run(next++)
      times.push(performance.now() - began)
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, lane))
  const elapsed = performance.now() - start
  const serverMicros = ((await redis.cpuMicros()) - cpu) / times.length
  return {
    opsPerSecond: (times.length / elapsed) * 1000,
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
    serverMicros,
  }
}

async function inLanes(count, run) {
  const results = []
  let next = 0
  const lane = async () => {
    while (next < count) {
      const i = next++
      results[i] = await run(i)
    }
  }
  await Promise.all(Array.from({ length: 64 }, lane))
  return results
}
