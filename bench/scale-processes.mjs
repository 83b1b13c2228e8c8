/**
 * Scale in processes: a cluster of three nodes against one node, with four client processes; and what each process with a near
 * cache costs the server and itself. The processes are `scale-client.mjs`.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import { median } from './harness.mjs'
import { withCluster, withRedis } from './redis.mjs'

const CLIENTS = 4
const SUBSCRIBERS = [0, 1, 4, 16]

const clusterColumns = [
  ['operations/s', (row) => Math.round(row.opsPerSecond).toLocaleString('en')],
  ['client CPU µs/op', (row) => row.clientMicros.toFixed(1)],
  ['server CPU µs/op, all nodes', (row) => row.serverMicros.toFixed(1)],
  ['busiest node', (row) => `${Math.round(row.busiest * 100)} %`],
]
const nearColumns = [
  ['writes/s', (row) => Math.round(row.opsPerSecond).toLocaleString('en')],
  ['server CPU µs/write', (row) => row.serverMicros.toFixed(1)],
  ['CPU µs/write in each subscriber', (row) => (row.subscribers === 0 ? '' : row.subscriberMicros.toFixed(1))],
]

export async function clusterAgainstOne({ rounds, roundMs }) {
  const [one, three] = await withRedis((redis) =>
    withCluster(async (nodes) => {
      const subjects = [await group([redis], 'false'), await group(nodes, 'true')]
      const samples = [[], []]
      for (let round = 0; round < rounds; round++)
        for (const [at, subject] of subjects.entries()) samples[at].push(await subject.drive(roundMs * 3))
      for (const subject of subjects) subject.stop()
      return samples
    }),
  )
  const heading = `${CLIENTS} client processes, 512 B of JSON, 9 finds and 1 update of ten operations, concurrency 16 each`
  const rows = [
    { name: 'one node', ...medians(one) },
    { name: 'cluster of 3 nodes', ...medians(three) },
  ]
  return { heading, rows, columns: clusterColumns }
}

/** Client processes on some nodes, which work all at once and tell what they did. */
async function group(nodes, cluster) {
  const env = { REDIS_URL: nodes[0].url, REDIS_CLUSTER: cluster, COATCHECK_KEYS: randomBytes(32).toString('base64') }
  const clients = []
  for (let i = 0; i < CLIENTS; i++) clients.push(await start('drive', { ...env, NAME: `c${i}` }))
  const cpuOfNodes = () => Promise.all(nodes.map((node) => node.cpuMicros()))
  const countOfNodes = () => Promise.all(nodes.map((node) => node.commandCount()))
  return {
    async drive(ms) {
      const [cpu, counts] = [await cpuOfNodes(), await countOfNodes()]
      const done = await Promise.all(clients.map((client) => ask(client, { ms })))
      const [cpuAfter, countsAfter] = [await cpuOfNodes(), await countOfNodes()]
      const operations = sum(done.map((one) => one.operations))
      const commands = countsAfter.map((count, i) => count - counts[i])
      return {
        opsPerSecond: sum(done.map((one) => one.operations / (one.elapsedMs / 1000))),
        clientMicros: sum(done.map((one) => one.cpuMicros)) / operations,
        serverMicros: sum(cpuAfter.map((micros, i) => micros - cpu[i])) / operations,
        busiest: Math.max(...commands) / sum(commands),
      }
    },
    stop: () => clients.forEach((client) => client.kill()),
  }
}

export async function nearCacheCost({ rounds, roundMs }) {
  const rows = await withRedis(async (redis) => {
    const env = { REDIS_URL: redis.url, REDIS_CLUSTER: 'false', COATCHECK_KEYS: randomBytes(32).toString('base64') }
    const writer = await start('write', { ...env, NAME: 'w' })
    const listeners = await start('listen', { ...env, NAME: 'l' })
    const samples = SUBSCRIBERS.map(() => [])
    for (let round = 0; round < rounds; round++) {
      for (const [at, subscribers] of SUBSCRIBERS.entries()) {
        await ask(listeners, { subscribers })
        const [cpu, own] = [await redis.cpuMicros(), await ask(listeners, { cpu: true })]
        const { operations, elapsedMs } = await ask(writer, { ms: roundMs })
        const [cpuAfter, ownAfter] = [await redis.cpuMicros(), await ask(listeners, { cpu: true })]
        samples[at].push({
          opsPerSecond: (operations / elapsedMs) * 1000,
          serverMicros: (cpuAfter - cpu) / operations,
          subscriberMicros: (ownAfter.cpuMicros - own.cpuMicros) / operations / Math.max(1, subscribers),
        })
      }
    }
    writer.kill()
    listeners.kill()
    return SUBSCRIBERS.map((subscribers, at) => ({
      name: `${subscribers} processes with a near cache`,
      subscribers,
      ...medians(samples[at]),
    }))
  })
  return { heading: 'Near cache: what a write costs that is told to each subscriber', rows, columns: nearColumns }
}

async function start(role, env) {
  const client = fork(new URL('./scale-client.mjs', import.meta.url), [role], { env: { ...process.env, ...env } })
  process.setMaxListeners(50).once('exit', () => client.kill())
  await answerOf(client)
  return client
}

async function ask(client, question) {
  client.send(question)
  return answerOf(client)
}

async function answerOf(client) {
  const over = new AbortController()
  const died = once(client, 'exit', { signal: over.signal }).then(([code]) => {
    throw new Error(`A client process ended with ${code}.`)
  })
  died.catch(() => undefined)
  try {
    const [answer] = await Promise.race([once(client, 'message', { signal: over.signal }), died])
    return answer
  } finally {
    over.abort()
  }
}

function medians(samples) {
  return Object.fromEntries(Object.keys(samples[0]).map((key) => [key, median(samples.map((sample) => sample[key]))]))
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0)
}
