/** Reads the server status (`INFO`), summed over all servers. A field that a server version lacks counts as 0. */
import type { StoreServer } from '../stores/redis/operator-view.ts'
import { infoFields } from './info-fields.ts'
import { ask } from './scan.ts'

/** Facts about one server. */
export interface ServerFacts {
  /** Address of the server: `host:port`, or the path of a socket. */
  readonly endpoint: string
  /** Version of the server (`redis_version`), or `unknown`. */
  readonly version: string
  /** `master` or `slave`, as `INFO` names them, or `unknown`. */
  readonly role: string
}

/** Status of all servers at one time, summed up. Counters start at 0 when a server starts. */
export interface ServerReadings {
  /** When the servers were read, epoch milliseconds. */
  readonly atMs: number
  /** Facts about each server. */
  readonly servers: readonly ServerFacts[]
  /** Used memory of all servers, bytes. */
  readonly usedBytes: number
  /** Memory limit (`maxmemory`) of all servers, bytes. 0: no limit. */
  readonly maxBytes: number
  /** Eviction policy (`maxmemory-policy`). Several servers with different policies: all of them, separated by commas. */
  readonly policy: string
  /** Keys of all servers. */
  readonly keys: number
  /** Connected clients of all servers. */
  readonly clients: number
  /** Commands since the servers started. */
  readonly commands: number
  /** Keys that were evicted since the servers started. */
  readonly evicted: number
  /** Keys that expired since the servers started. */
  readonly expired: number
  /** Reads that found a key since the servers started. */
  readonly hits: number
  /** Reads that found no key since the servers started. */
  readonly misses: number
  /** Number of calls since the servers started: read commands (`get`, `mget`, `hget`, …), and scripts, as all writes are. */
  readonly calls: {
    /** Number of read commands. */
    readonly reads: number
    /** Number of script calls. */
    readonly scripts: number
  }
  /** Latency of `GET` and `MGET` on the server itself, without the network: the slowest server. `null`: before Redis 7. */
  readonly readLatency: {
    /** Median, milliseconds. */
    readonly p50Ms: number
    /** 99th percentile, milliseconds. */
    readonly p99Ms: number
  } | null
}

const READS = ['get', 'mget', 'hget', 'hmget', 'hgetall']
const SCRIPTS = ['eval', 'evalsha']

/**
 * Reads the status of all servers with `INFO` and `DBSIZE`.
 * @param server `context.server`
 * @param nowMs the current time, epoch milliseconds; becomes `atMs`
 * @throws {RedisError} `COATCHECK_REDIS_NOPERM` without the right to these commands; other codes during an outage
 */
export async function readServers(server: StoreServer, nowMs: number): Promise<ServerReadings> {
  const all = await Promise.all(
    server.client.servers().map(async (one) => {
      const sections = [['INFO'], ['INFO', 'commandstats'], ['INFO', 'latencystats'], ['DBSIZE']]
      const [main, commands, latency, size] = await Promise.all(sections.map((args) => ask(one, args)))
      return {
        endpoint: one.endpoint,
        fields: infoFields(String(main), String(commands), String(latency)),
        keys: Number(size),
      }
    }),
  )
  const sum = (name: string): number => all.reduce((total, { fields }) => total + number(fields.get(name)), 0)
  const calls = (names: readonly string[]): number =>
    all.reduce((total, { fields }) => total + names.reduce((of, name) => of + callsOf(fields, name), 0), 0)
  const policies = new Set(all.map(({ fields }) => fields.get('maxmemory_policy') ?? 'unknown'))
  return {
    atMs: nowMs,
    servers: all.map(({ endpoint, fields }) => ({
      endpoint,
      version: fields.get('redis_version') ?? 'unknown',
      role: fields.get('role') ?? 'unknown',
    })),
    usedBytes: sum('used_memory'),
    maxBytes: sum('maxmemory'),
    policy: [...policies].join(', '),
    keys: all.reduce((total, one) => total + one.keys, 0),
    clients: sum('connected_clients'),
    commands: sum('total_commands_processed'),
    evicted: sum('evicted_keys'),
    expired: sum('expired_keys'),
    hits: sum('keyspace_hits'),
    misses: sum('keyspace_misses'),
    calls: { reads: calls(READS), scripts: calls(SCRIPTS) },
    readLatency: latencyOf(all.map(({ fields }) => fields)),
  }
}

/** `cmdstat_get:calls=12,usec=…` */
function callsOf(fields: ReadonlyMap<string, string>, command: string): number {
  return number(/calls=(\d+)/.exec(fields.get(`cmdstat_${command}`) ?? '')?.[1])
}

/** `latency_percentiles_usec_mget:p50=3.007,p99=12.031,p99.9=…` */
function latencyOf(all: readonly ReadonlyMap<string, string>[]): ServerReadings['readLatency'] {
  const texts = all.flatMap((fields) =>
    ['get', 'mget'].flatMap((command) => fields.get(`latency_percentiles_usec_${command}`) ?? []),
  )
  if (texts.length === 0) return null
  const slowest = (percentile: string): number =>
    Math.max(...texts.map((text) => number(new RegExp(`${percentile}=([\\d.]+)`).exec(text)?.[1]))) / 1000
  return { p50Ms: slowest('p50'), p99Ms: slowest('p99') }
}

function number(text: string | undefined): number {
  return Number(text ?? 0)
}
