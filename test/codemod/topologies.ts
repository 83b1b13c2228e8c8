/** A cluster and a sentinel group for the steps of `app/src/topologies`, with the keyspaces of all their primaries as one. */
import { startClusterGroup, startSentinelGroup } from '../support/redis-topologies.ts'
import { startRedisServer } from '../support/redis-server.ts'
import { type Keyspace, openKeyspace } from './keyspace.ts'

export interface Topologies {
  readonly env: Readonly<Record<string, string>>
  readonly keyspace: Keyspace
  stop(): Promise<void>
}

export async function startTopologies(): Promise<Topologies> {
  const cluster = await startClusterGroup({ replicas: 0 })
  const group = await startSentinelGroup({ replicas: 1 })
  const plain = await startRedisServer()
  const primary = await group.primary()
  const spaces = await Promise.all([...cluster.servers, primary, plain].map(({ url }) => openKeyspace(url)))
  return {
    env: {
      REDIS_URL: plain.url,
      REDIS_PORT: String(plain.port),
      REDIS_CLUSTER_PORTS: cluster.servers.map(({ port }) => port).join(','),
      REDIS_SENTINEL_PORTS: group.sentinels.map(({ port }) => port).join(','),
    },
    keyspace: {
      read: async () => (await Promise.all(spaces.map((space) => space.read()))).flat(),
      flush: async () => {
        await Promise.all(spaces.map((space) => space.flush()))
      },
      close: () => spaces.forEach((space) => space.close()),
    },
    async stop() {
      await Promise.all([cluster.stop(), group.stop(), plain.stop()])
    },
  }
}
