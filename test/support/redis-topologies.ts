/**
 * Real Sentinel and Cluster set-ups of redis-servers on free ports, made fast: replicas in sync before the sentinels look,
 * one second until a server counts as down.
 */
import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { HANG_MS } from '../lab/limits.ts'
import { freePort, type RedisServer, startRedisServer } from './redis-server.ts'

const run = promisify(execFile)
const READY_MS = HANG_MS

export interface SentinelGroup {
  readonly name: string
  readonly servers: readonly RedisServer[]
  readonly sentinels: readonly RedisServer[]
  /** What the sentinels say. */
  primary(): Promise<RedisServer>
  replicas(): Promise<readonly RedisServer[]>
  stop(): Promise<void>
}

export interface ClusterGroup {
  /** Three primaries with a replica each, unless `replicas` was 0. */
  readonly servers: readonly RedisServer[]
  readonly url: string
  /** The primary that holds the key, and its replicas. */
  primaryOf(key: string): Promise<RedisServer>
  replicaOf(primary: RedisServer): Promise<RedisServer>
  primaries(): Promise<readonly RedisServer[]>
  /** Until every node says that all slots are served. */
  settled(): Promise<void>
  stop(): Promise<void>
}

export interface SentinelGroupOptions {
  /** For each server, by its port: where replicas and sentinels reach it instead (a proxy). */
  readonly announced?: (port: number) => Promise<number>
  readonly replicas?: number
  /** How long the primary may be silent. Default 1,000. */
  readonly downAfterMs?: number
  /** Environment of single servers, by number: the first is the primary. */
  readonly env?: (number: number) => NodeJS.ProcessEnv
  readonly args?: readonly string[]
}

export async function startSentinelGroup(options: SentinelGroupOptions = {}): Promise<SentinelGroup> {
  const {
    announced = (port: number) => Promise.resolve(port),
    replicas = 2,
    downAfterMs = 1000,
    env = () => ({}),
    args = [],
  } = options
  const name = 'mymaster'
  const ports: number[] = []
  const shown: number[] = []
  for (let i = 0; i <= replicas; i++) {
    const port = await freePort()
    ports.push(port)
    shown.push(await announced(port))
  }
  const servers: RedisServer[] = []
  for (const [i, port] of ports.entries()) {
    servers.push(
      await startRedisServer({
        port,
        env: env(i),
        args: [
          ...['--repl-diskless-sync', 'yes', '--repl-diskless-sync-delay', '0', '--repl-timeout', '5'],
          ...['--replica-announce-ip', '127.0.0.1', '--replica-announce-port', String(shown[i])],
          ...(i === 0 ? [] : ['--replicaof', '127.0.0.1', String(shown[0])]),
          ...args,
        ],
      }),
    )
  }
  const [first] = servers as [RedisServer]
  await until(async () => count(await first.cli('info', 'replication'), /state=online/g) === replicas)
  const sentinels: RedisServer[] = []
  for (let i = 0; i < 3; i++) {
    sentinels.push(
      await startRedisServer({
        sentinel: [
          `sentinel monitor ${name} 127.0.0.1 ${shown[0]} 2`,
          `sentinel down-after-milliseconds ${name} ${downAfterMs}`,
          `sentinel failover-timeout ${name} 3000`,
        ],
      }),
    )
  }
  for (const sentinel of sentinels) {
    await until(async () => {
      const fields = await sentinel.cli('sentinel', 'master', name)
      return fieldOf(fields, 'num-slaves') === replicas && fieldOf(fields, 'num-other-sentinels') === 2
    })
  }
  const byShown = (port: number): RedisServer => servers[shown.indexOf(port)] as RedisServer
  const primary = async (): Promise<RedisServer> => {
    const answers = await Promise.all(
      sentinels.map((one) => one.cli('sentinel', 'get-master-addr-by-name', name).catch(() => '')),
    )
    return byShown(Number(answers.find((answer) => answer !== '')?.split('\n')[1]))
  }
  return {
    name,
    servers,
    sentinels,
    primary,
    async replicas() {
      const current = await primary()
      return servers.filter((server) => server !== current)
    },
    async stop() {
      await Promise.all([...sentinels, ...servers].map((server) => server.stop()))
    },
  }
}

export async function startClusterGroup({
  replicas = 1,
  args = [],
}: { replicas?: 0 | 1; args?: readonly string[] } = {}): Promise<ClusterGroup> {
  const servers: RedisServer[] = []
  for (let i = 0; i < 3 * (replicas + 1); i++) {
    const busPort = await freePort()
    servers.push(
      await startRedisServer({
        args: [
          ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--cluster-node-timeout', '1000'],
          ...['--repl-diskless-sync-delay', '0', '--cluster-config-file', 'nodes.conf', ...args],
        ],
      }),
    )
  }
  const addresses = servers.map(({ port }) => `127.0.0.1:${port}`)
  const create = ['--cluster', 'create', ...addresses, '--cluster-replicas', String(replicas), '--cluster-yes']
  await run('redis-cli', create, { timeout: READY_MS })
  const settled = async (): Promise<void> => {
    for (const server of servers) {
      await until(async () => (await server.cli('cluster', 'info')).includes('cluster_state:ok'))
    }
  }
  await settled()
  for (const server of servers) {
    if (replicas > 0) {
      await until(async () => !(await server.cli('info', 'replication')).includes('master_link_status:down'))
      await until(async () => count(await server.cli('cluster', 'nodes'), /slave [0-9a-f]{40} /g) === 3 * replicas)
    }
  }
  const byPort = (port: number): RedisServer => servers.find((server) => server.port === port) as RedisServer
  /** Of whoever answers. */
  const nodes = async (): Promise<string[][]> => {
    const asked = servers.map((server) => server.cli('cluster', 'nodes'))
    return (await Promise.any(asked)).split('\n').map((line) => line.split(' '))
  }
  const portOf = ([, address = '']: readonly string[]): number => Number(/:(\d+)@/.exec(address)?.[1])
  const isLivePrimary = ([, , flags = '']: readonly string[]): boolean =>
    flags.includes('master') && !flags.includes('fail')
  return {
    servers,
    url: servers[0]?.url ?? '',
    async primaryOf(key) {
      const [server] = servers as [RedisServer]
      const slot = Number(await server.cli('cluster', 'keyslot', key))
      const owner = (await nodes()).find((node) => {
        return isLivePrimary(node) && node.slice(8).some((range) => holds(range, slot))
      })
      return byPort(portOf(owner ?? []))
    },
    async replicaOf(primary) {
      const all = await nodes()
      const id = all.find((node) => portOf(node) === primary.port)?.[0]
      return byPort(portOf(all.find((node) => node[3] === id) ?? []))
    },
    async primaries() {
      return (await nodes()).filter(isLivePrimary).map((node) => byPort(portOf(node)))
    },
    settled,
    async stop() {
      await Promise.all(servers.map((server) => server.stop()))
    },
  }
}

export async function until(condition: () => Promise<boolean>, limitMs = READY_MS): Promise<void> {
  const end = performance.now() + limitMs
  while (!(await condition().catch(() => false))) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${condition.toString()}`)
    await sleep(20)
  }
}

function holds(range: string, slot: number): boolean {
  const [first, last = first] = range.split('-').map(Number)
  return first !== undefined && last !== undefined && slot >= first && slot <= last
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0
}

function fieldOf(lines: string, name: string): number {
  const all = lines.split('\n')
  return Number(all[all.indexOf(name) + 1])
}
