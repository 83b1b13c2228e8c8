/**
 * What `coatcheck migrate sessions` costs the application: GETs and SETs of another client, one at a time, while 300,000 sessions of
 * connect-redis are looked at (dry run) and taken over (mode move), interrupted on the way and resumed; beside it the same client with
 * nothing else going on, just before. The promise: its p99 stays under three times that, and each session is moved once.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { createHistogram, performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createClient } from 'redis'
import { withRedis } from './redis.mjs'

const SESSIONS = 300_000
const USERS_PER_SESSION = 1 / 3
const PER_BATCH = 1000
const IDLE_MS = 10_000
const PROMISED_RATIO = 3
const BIN = fileURLToPath(new URL('../dist/cli/bin.js', import.meta.url))
const KEYS = randomBytes(32).toString('base64')
const MOVE = ['--from', 'connect-redis', '--user-id', 'passport.user', '--mode', 'move', '--write', '--yes']

export const title = 'migrate'
export const roundsOf = () => 1
export const columns = [
  ['old keys', (row) => row.keys.toLocaleString('en')],
  ['moved', (row) => row.moved.toLocaleString('en')],
  ['seconds', (row) => row.seconds.toFixed(0)],
  ['p50 ms', (row) => row.p50Ms.toFixed(3)],
  ['p99 ms', (row) => row.p99Ms.toFixed(3)],
  ['idle p99 ms', (row) => row.idleP99Ms.toFixed(3)],
  ['p99 ÷ idle', (row) => row.ratio.toFixed(2)],
]

export async function run({ quick }) {
  const sessions = quick ? SESSIONS / 50 : SESSIONS
  return withRedis(async ({ url, client }) => {
    await fill(client, sessions)
    const other = await createClient({ url })
      .on('error', () => undefined)
      .connect()
    const rows = [
      { name: 'dry run', ...(await measure(other, url, ['--from', 'connect-redis'])) },
      { name: 'run, interrupted', ...(await measure(other, url, MOVE, () => isPartDone(client, sessions))) },
      { name: 'run, resumed', ...(await measure(other, url, MOVE)) },
    ]
    other.destroy()
    // Too short for a p99: it finds nothing.
    const again = await migrate(url, MOVE)
    const moved = rows.reduce((sum, row) => sum + row.moved, again.outcomes?.moved ?? 0)
    if (moved !== sessions || (await oldKeysLeft(client)) !== 0) throw new Error(`moved ${moved} of ${sessions}`)
    for (const { name, ratio } of rows)
      if (ratio >= PROMISED_RATIO) process.stderr.write(`${name}: p99 is ${ratio.toFixed(2)} times idle\n`)
    const count = sessions.toLocaleString('en')
    return [{ heading: `another client's GETs and SETs, ${count} old sessions of connect-redis`, rows }]
  })
}

/** @param isEnough SIGINT as soon as it is true */
async function measure(other, url, args, isEnough) {
  const idle = await calls(other, sleep(IDLE_MS))
  const begun = performance.now()
  let ended = null
  const command = migrate(url, args, isEnough).then((report) => (ended = report))
  const busy = await calls(other, command)
  const seconds = (performance.now() - begun) / 1000
  const keys = ended.keys ?? ended.families.reduce((sum, family) => sum + family.keys, 0)
  const ratio = busy.p99Ms / idle.p99Ms
  return { ...busy, idleP99Ms: idle.p99Ms, ratio, seconds, keys, moved: ended.outcomes?.moved ?? 0 }
}

/** One at a time, two milliseconds apart, until it is over. */
async function calls(client, until) {
  const nanoseconds = createHistogram()
  let isOver = false
  const end = until.finally(() => (isOver = true))
  for (let i = 0; !isOver; i++) {
    const begun = process.hrtime.bigint()
    await (i % 2 === 0 ? client.get('other:key') : client.set('other:key', 'x'.repeat(500)))
    nanoseconds.record(process.hrtime.bigint() - begun)
    await sleep(2)
  }
  await end
  return { p50Ms: nanoseconds.percentile(50) / 1e6, p99Ms: nanoseconds.percentile(99) / 1e6 }
}

async function migrate(url, args, isEnough) {
  const env = { PATH: process.env.PATH, REDIS_URL: url, COATCHECK_KEYS: KEYS }
  const all = [BIN, 'migrate', 'sessions', ...args, '--json']
  const child = spawn(process.execPath, all, { cwd: tmpdir(), env, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (more) => (text += more))
  const ended = once(child, 'close')
  if (isEnough) {
    while (!(await isEnough())) await sleep(200)
    child.kill('SIGINT')
  }
  const [code] = await ended
  if (code !== (isEnough ? 130 : 0)) throw new Error(`coatcheck migrate sessions ended with ${code}`)
  return JSON.parse(text)
}

/** Of an old key, a record of ours and the set of its user are made: the sets show how far the run is. */
async function isPartDone(client, sessions) {
  return (await client.dbSize()) > sessions * (1 + 0.75 * USERS_PER_SESSION)
}

async function oldKeysLeft(client) {
  let count = 0
  for await (const keys of client.scanIterator({ MATCH: 'sess:*', COUNT: 2000 })) count += keys.length
  return count
}

async function fill(client, sessions) {
  await client.set('other:key', 'x'.repeat(500))
  for (let from = 0; from < sessions; from += PER_BATCH) {
    const batch = client.multi()
    for (let i = from; i < Math.min(sessions, from + PER_BATCH); i++) {
      const seconds = [3000, 40_000, 300_000, 1_500_000][i % 4]
      const expires = new Date(Date.now() + seconds * 1000).toISOString()
      const cookie = { originalMaxAge: seconds * 1000, expires, httpOnly: true, path: '/' }
      const data = {
        cookie,
        passport: { user: `user-${i % Math.floor(sessions * USERS_PER_SESSION)}` },
        cart: 'x'.repeat(300),
      }
      batch.set(`sess:${String(i).padStart(32, 's')}`, JSON.stringify(data), { EX: seconds })
    }
    await batch.execAsPipeline()
  }
}
