/**
 * Two servers of which one replicates the other, behind one address that moves with a promotion, as managed services have it. What
 * goes between the two goes through a proxy, and can be cut. Rounds on it are cheap: no server is started or stopped.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { startFaultProxy } from '../../src/testing/fault-proxy.ts'
import { type RedisServer, startRedisServer } from './redis-server.ts'
import { until } from './redis-topologies.ts'

const IN_FLIGHT_MS = 50

export interface ReplicatedPair {
  /** Of whoever is the primary. */
  readonly url: string
  readonly primary: RedisServer
  readonly replica: RedisServer
  /** Resolves when the replica has everything. */
  replicasCaughtUp(): Promise<void>
  /** Nothing reaches the replica any more. `silently`: the primary does not notice, and still counts it. */
  cut(silently: boolean): void
  /** The replica is the primary from here on, and the address leads to it; connections to the old one are cut. */
  promote(): Promise<void>
  /** The same after the primary has stopped dead, which nobody notices but by its silence. What it has acknowledged the replica has. */
  failOver(): Promise<void>
  /** The old primary replicates the new one. Resolves when it is in step. */
  heal(): Promise<void>
  stop(): Promise<void>
}

export interface ReplicatedPairOptions {
  /** Of the servers, the first of which begins as the primary. */
  readonly env?: (number: number) => NodeJS.ProcessEnv
}

export async function startReplicatedPair({ env = () => ({}) }: ReplicatedPairOptions = {}): Promise<ReplicatedPair> {
  const args = ['--repl-diskless-sync-delay', '0']
  const servers = [await startRedisServer({ args, env: env(0) }), await startRedisServer({ args, env: env(1) })]
  const links = await Promise.all(servers.map(({ port }) => startFaultProxy({ target: { port } })))
  const target = { port: servers[0]?.port ?? 0 }
  const address = await startFaultProxy({ target })
  let current = 0
  const server = (at: number): RedisServer => servers[at % 2] as RedisServer
  const follow = async (): Promise<void> => {
    await server(current + 1).cli('replicaof', '127.0.0.1', String(links[current]?.port))
    await pair.replicasCaughtUp()
  }

  const pair: ReplicatedPair = {
    url: address.url,
    get primary() {
      return server(current)
    },
    get replica() {
      return server(current + 1)
    },
    replicasCaughtUp: () =>
      until(async () => {
        const info = await server(current).cli('info', 'replication')
        const offset = /master_repl_offset:(\d+)/.exec(info)?.[1]
        // A lag of 0 or 1 says that it answers: WAIT counts only those.
        return new RegExp(`state=online,offset=${offset},lag=[01]\\b`).test(info)
      }),
    cut(silently) {
      links[current]?.set({ kind: silently ? 'swallow' : 'cut' })
    },
    async promote() {
      await server(current + 1).cli('replicaof', 'no', 'one')
      current = (current + 1) % 2
      address.set({ kind: 'cut' })
      target.port = server(current).port
      address.set({ kind: 'pass' })
    },
    async failOver() {
      pair.primary.pause()
      // What had left the primary is on its way.
      await sleep(IN_FLIGHT_MS)
      await pair.promote()
    },
    async heal() {
      pair.replica.resume()
      for (const link of links) link.set({ kind: 'pass' })
      await follow()
    },
    async stop() {
      for (const one of servers) one.resume()
      await Promise.all([address, ...links].map((proxy) => proxy.close()))
      await Promise.all(servers.map((one) => one.stop()))
    },
  }
  await follow()
  return pair
}
