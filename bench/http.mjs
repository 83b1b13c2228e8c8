/**
 * `GET /me` over HTTP: each host without a session, with ours, with what it is usually run with. Servers are processes of their
 * own, all of them running; they are loaded one after the other in short rounds, each round beginning with another one.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import autocannon from 'autocannon'
import { median } from './harness.mjs'
import { withRedis } from './redis.mjs'

const SIZES = [512, 2048, 8192]
const SESSIONS = 200
const CONNECTIONS = 32
/** Each host without a session, and behind it what is compared with it. */
const HOSTS = [
  ['node:http', 'node:http + coatcheck', 'node:http + iron-session'],
  [
    'Express',
    'Express + raw GET + JSON.parse',
    'Express + raw GET + AES-GCM open + JSON.parse + no-store',
    'Express + coatcheck',
    'Express + express-session + connect-redis',
    'Express + express-session + coatcheck',
  ],
  [
    'Fastify',
    'Fastify + coatcheck',
    'Fastify + @fastify/session + connect-redis',
    'Fastify + @fastify/session + coatcheck',
  ],
  ['Hono', 'Hono + coatcheck'],
  ['Koa', 'Koa + koa-session + coatcheck'],
  ['better-auth + redis', 'better-auth + coatcheck'],
]

export const title = 'http'
export const columns = [
  ['requests/s', (row) => (row.refused ? '–' : row.perSecond.toLocaleString('en'))],
  ['ratio to the first of the host', (row) => (row.refused ? row.refused : row.ratio.toFixed(2))],
  ['p99 ms', (row) => (row.refused ? '–' : row.p99)],
  ['server CPU µs/request', (row) => (row.refused ? '–' : row.cpuMicros.toFixed(0))],
  ['Redis commands/request', (row) => (row.refused ? '–' : row.commands)],
]

export async function run({ rounds }) {
  return withRedis(async ({ url, commandCount }) => {
    const sections = []
    for (const bytes of SIZES) {
      for (const host of HOSTS) {
        const rows = await compareHost(host, bytes, url, rounds, commandCount)
        sections.push({ heading: `${bytes} B of JSON: ${host[0]}`, rows })
      }
    }
    return sections
  })
}

async function compareHost(names, bytes, url, rounds, commandCount) {
  const subjects = []
  for (const name of names) subjects.push(await start(name, bytes, url))
  try {
    const able = subjects.filter(({ refused }) => !refused)
    for (const subject of able) await load(subject)
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < able.length; turn++) {
        const subject = able[(round + turn) % able.length]
        subject.samples.push(await load(subject))
      }
    }
    for (const subject of able) subject.commands = await commandsOf(subject, commandCount)
    return subjects.map(({ name, refused, samples, commands }) =>
      refused
        ? { name, refused }
        : {
            name,
            perSecond: Math.round(median(samples.map((sample) => sample.perSecond))),
            ratio: median(samples.map((sample, round) => sample.perSecond / subjects[0].samples[round].perSecond)),
            p99: median(samples.map((sample) => sample.p99)),
            cpuMicros: median(samples.map((sample) => sample.cpuMicros)),
            commands,
          },
    )
  } finally {
    for (const { child } of subjects) child.kill('SIGKILL')
  }
}

async function start(name, bytes, url) {
  const child = fork(new URL('./http-servers.mjs', import.meta.url), [name, String(bytes), url], {
    stdio: ['ignore', 'ignore', 2, 'ipc'],
  })
  const [{ port }] = await once(child, 'message')
  const origin = `http://127.0.0.1:${port}`
  const cookies = []
  let refused = null
  for (let i = 0; i < SESSIONS && !refused; i++) {
    const response = await fetch(`${origin}/in?i=${i}`, { method: 'POST', signal: AbortSignal.timeout(5000) }).catch(
      () => null,
    )
    if (!response) refused = 'refuses'
    else
      cookies.push(
        response.headers
          .getSetCookie()
          .map((line) => line.split(';')[0])
          .join('; '),
      )
  }
  return { name, child, origin, cookies, refused, samples: [] }
}

async function load({ child, origin, cookies }) {
  const before = await cpuOf(child)
  const result = await autocannon({
    url: `${origin}/me`,
    connections: CONNECTIONS,
    duration: 1,
    requests: cookies.map((cookie) => ({ method: 'GET', path: '/me', headers: cookie ? { cookie } : {} })),
  })
  const after = await cpuOf(child)
  const total = result.requests.total
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${origin}: ${result.non2xx} refused, ${result.errors} errors`)
  return { perSecond: total / result.duration, p99: result.latency.p99, cpuMicros: (after - before) / total }
}

async function commandsOf({ origin, cookies }, commandCount) {
  const before = await commandCount()
  for (const cookie of cookies) await (await fetch(`${origin}/me`, { headers: cookie ? { cookie } : {} })).arrayBuffer()
  return Math.round((((await commandCount()) - before - 1) / cookies.length) * 10) / 10
}

async function cpuOf(child) {
  child.send('cpu')
  const [{ cpu }] = await once(child, 'message')
  return cpu.user + cpu.system
}
