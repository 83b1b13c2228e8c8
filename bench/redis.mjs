/** Redis servers of our own for a benchmark: free ports, no persistence, stopped by process id. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from 'redis'

/**
 * @typedef {object} BenchRedis
 * @property {string} url
 * @property {import('redis').RedisClientType} client a connection beside those that are measured
 * @property {() => Promise<number>} commandCount
 * @property {() => Promise<number>} outputBytes
 * @property {() => Promise<number>} cpuMicros of the server since its start
 * @property {() => Promise<number>} usedMemory bytes
 */

/** @param {(redis: BenchRedis) => Promise<T>} use @template T */
export async function withRedis(use) {
  const server = await startRedis()
  try {
    return await use(server)
  } finally {
    await server.stop()
  }
}

/** A cluster of three primaries. @param {(nodes: BenchRedis[]) => Promise<T>} use @template T */
export async function withCluster(use) {
  const folder = mkdtempSync(join(tmpdir(), 'bench-cluster-'))
  const nodes = []
  try {
    for (let i = 0; i < 3; i++) {
      const bus = await freePort()
      const config = join(folder, `nodes-${i}.conf`)
      nodes.push(
        await startRedis(['--cluster-enabled', 'yes', '--cluster-port', String(bus), '--cluster-config-file', config]),
      )
    }
    const addresses = nodes.map(({ url }) => url.replace('redis://', ''))
    execFileSync('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-yes'], { stdio: 'ignore' })
    for (const { client } of nodes) {
      const knowsAll = async () =>
        (await client.sendCommand(['CLUSTER', 'INFO'])).includes('cluster_state:ok') &&
        (await client.sendCommand(['CLUSTER', 'SLOTS'])).length === nodes.length
      while (!(await knowsAll())) await sleep(50)
    }
    // Agreed on by all, and busy machines gossip slowly.
    await sleep(1000)
    return await use(nodes)
  } finally {
    for (const node of nodes) await node.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @returns {Promise<BenchRedis & { stop: () => Promise<void> }>} */
async function startRedis(args = []) {
  const port = await freePort()
  const own = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...args]
  const server = spawn('redis-server', own, { stdio: 'ignore' })
  const kill = () => server.kill('SIGKILL')
  process.setMaxListeners(50).once('exit', kill)
  const url = `redis://127.0.0.1:${port}`
  const client = await createClient({ url })
    .on('error', () => undefined)
    .connect()
  const figure = async (section, pattern) => Number(pattern.exec(await client.info(section))?.[1])
  return {
    url,
    client,
    outputBytes: () => figure('stats', /total_net_output_bytes:(\d+)/),
    commandCount: () => figure('stats', /total_commands_processed:(\d+)/),
    usedMemory: () => figure('memory', /used_memory:(\d+)/),
    async cpuMicros() {
      const cpu = await client.info('cpu')
      return (Number(/used_cpu_user:([\d.]+)/.exec(cpu)?.[1]) + Number(/used_cpu_sys:([\d.]+)/.exec(cpu)?.[1])) * 1e6
    },
    async stop() {
      client.destroy()
      kill()
      await once(server, 'exit')
      process.off('exit', kill)
    },
  }
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}
