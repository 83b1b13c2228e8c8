/**
 * What operators' commands cost the application: the GETs of another client, one at a time, while `sessions list`, `stats`,
 * `keys scan` and `keys rotate --dry-run` run as processes of their own on half a million keys; beside it the same client with
 * nothing else going on, just before. The promise: its p99 stays under three times that.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { createHistogram, performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { coatcheck } from 'coatcheck'
import { redisStore } from 'coatcheck/redis'
import { createClient } from 'redis'
import { payload } from './payload.mjs'
import { withRedis } from './redis.mjs'

const USERS = 200_000
const USERS_WITH_TOKENS = 100_000
const AT_ONCE = 64
const IDLE_MS = 5000
/** A short command is started again until there are enough GETs to tell a p99 from. */
const LEAST_MS = 5000
const PROMISED_RATIO = 3
const COMMANDS = [
  ['sessions list --user user-1', ['sessions', 'list', '--user', 'user-1']],
  ['stats', ['stats']],
  ['keys scan', ['keys', 'scan']],
  ['keys rotate --dry-run', ['keys', 'rotate', '--dry-run']],
]
const BIN = fileURLToPath(new URL('../dist/cli/bin.js', import.meta.url))
const KEYS = randomBytes(32).toString('base64')

export const title = 'admin-load'
export const columns = [
  ['keys', (row) => row.keys.toLocaleString('en')],
  ['GETs', (row) => row.gets.toLocaleString('en')],
  ['p50 ms', (row) => row.p50Ms.toFixed(3)],
  ['p99 ms', (row) => row.p99Ms.toFixed(3)],
  ['idle p99 ms', (row) => row.idleP99Ms.toFixed(3)],
  ['p99 ÷ idle', (row) => row.ratio.toFixed(2)],
  ['command s', (row) => row.seconds.toFixed(1)],
]

export async function run({ rounds }) {
  return withRedis(async ({ url }) => {
    await fill(url)
    const client = await createClient({ url })
      .on('error', () => undefined)
      .connect()
    const keys = await client.dbSize()
    const rows = []
    for (const [name, args] of COMMANDS) {
      const samples = []
      for (let round = 0; round < Math.min(rounds, 3); round++) samples.push(await measure(client, url, args))
      samples.sort((a, b) => a.ratio - b.ratio)
      const middle = samples[Math.floor(samples.length / 2)]
      rows.push({ name, keys, ...middle })
      if (middle.ratio >= PROMISED_RATIO)
        process.stderr.write(`${name}: p99 is ${middle.ratio.toFixed(2)} times idle\n`)
    }
    client.destroy()
    return [
      { heading: `another client's GETs, ${keys.toLocaleString('en')} keys; the middle one of up to 3 rounds`, rows },
    ]
  })
}

async function measure(client, url, args) {
  const idle = await gets(client, sleep(IDLE_MS))
  const begun = performance.now()
  let runs = 0
  const commands = (async () => {
    while (runs === 0 || performance.now() - begun < LEAST_MS) {
      await command(url, args)
      runs++
    }
  })()
  const busy = await gets(client, commands)
  const seconds = (performance.now() - begun) / 1000 / runs
  return { ...busy, idleP99Ms: idle.p99Ms, ratio: busy.p99Ms / idle.p99Ms, seconds }
}

/** One at a time, a millisecond apart, until it is over. */
async function gets(client, until) {
  const nanoseconds = createHistogram()
  let isOver = false
  const end = until.finally(() => (isOver = true))
  while (!isOver) {
    const begun = process.hrtime.bigint()
    await client.get('somebody:else')
    nanoseconds.record(process.hrtime.bigint() - begun)
    await sleep(1)
  }
  await end
  const at = (percentile) => nanoseconds.percentile(percentile) / 1e6
  return { gets: nanoseconds.count, p50Ms: at(50), p99Ms: at(99) }
}

async function command(url, args) {
  const env = { PATH: process.env.PATH, REDIS_URL: url, COATCHECK_KEYS: KEYS }
  const child = spawn(process.execPath, [BIN, ...args], { cwd: tmpdir(), env, stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`coatcheck ${args.join(' ')} ended with ${code}`)
}

async function fill(url) {
  const store = redisStore({ url, commandTimeoutMs: 30_000, writeTimeoutMs: 30_000 })
  const auth = coatcheck({ store, keys: KEYS, baseUrl: 'https://bench.example' })
  const client = await createClient({ url })
    .on('error', () => undefined)
    .connect()
  await client.set('somebody:else', 'x'.repeat(500))
  client.destroy()
  let next = 0
  const lane = async () => {
    for (let i = next++; i < USERS; i = next++) {
      const userId = `user-${i}`
      await auth.sessions.create({ userId, data: payload(300, i) })
      if (i >= USERS_WITH_TOKENS) continue
      const expiresAt = Date.now() + 3_600_000
      await auth.tokens.setUserTokens(userId, {
        accessToken: 'a'.repeat(800),
        refreshToken: 'r'.repeat(800),
        expiresAt,
      })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  await auth.close()
}
