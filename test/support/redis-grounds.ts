/** Redis in its forms, each with the options that lead to it: what conformance cases and HTTP scenarios stand on. */
import { readFileSync } from 'node:fs'
import type { SuppliedClient } from '../../src/redis/supplied-client.ts'
import type { RedisStoreOptions } from '../../src/stores/redis/options.ts'
import { createCertificates, tlsArguments } from './certificates.ts'
import type { LibraryMajor } from './redis-clients.ts'
import { freePort, type RedisServer, startRedisServer } from './redis-server.ts'
import { startClusterGroup, startSentinelGroup } from './redis-topologies.ts'

/** What a world stands on. */
export interface Context {
  readonly options: RedisStoreOptions
  readonly primaries: readonly RedisServer[]
  stop(): Promise<void>
}

export const single = async (library: LibraryMajor): Promise<Context> => {
  const server = await startRedisServer()
  return { options: { client: library.create(server.url) }, primaries: [server], stop: () => server.stop() }
}

export const cluster = async (client?: (url: string) => SuppliedClient): Promise<Context> => {
  const group = await startClusterGroup({ replicas: 0 })
  const options = client ? { client: client(group.url) } : { url: group.url, cluster: true }
  return { options, primaries: group.servers, stop: () => group.stop() }
}

export const sentinel = async (library?: LibraryMajor): Promise<Context> => {
  const group = await startSentinelGroup({ replicas: 1, downAfterMs: 60_000 })
  const ports = group.sentinels.map(({ port }) => port)
  const client = library?.createSentinel?.(group.name, ports)
  const sentinels = ports.map((port) => `127.0.0.1:${port}`)
  const options = client ? { client } : { url: `redis://${group.name}`, sentinels }
  return { options, primaries: [await group.primary()], stop: () => group.stop() }
}

export const overTls = async (): Promise<Context> => {
  const certificates = createCertificates()
  const port = await freePort()
  // Besides a plain port, for redis-cli.
  const server = await startRedisServer({ args: tlsArguments(certificates, port, 'no') })
  const tls = { ca: certificates.file('ca.pem'), servername: 'redis.test' }
  return {
    options: { url: `rediss://127.0.0.1:${port}`, tls },
    primaries: [server],
    async stop() {
      await server.stop()
      certificates.remove()
    },
  }
}

/** The user of docs/redis-acl.md. */
export const underAcl = async (): Promise<Context> => {
  const server = await startRedisServer()
  const rules = /ACL SETUSER coatcheck (on >password [^`]+)/.exec(readFileSync('docs/redis-acl.md', 'utf8'))?.[1] ?? ''
  // Conformance cases of documents use a prefix.
  await server.cli('acl', 'setuser', 'coatcheck', ...rules.trim().split(/\s+/), '~a[[]pp]\\*:*')
  const options = { url: server.url, username: 'coatcheck', password: 'password' }
  return { options, primaries: [server], stop: () => server.stop() }
}
