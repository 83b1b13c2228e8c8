/** What the servers say of themselves (`INFO`), summed over all of them. Fields that a version does not have count as nothing. */
import type { StoreServer } from '../store.ts'
import { infoFields } from './info-fields.ts'
import { ask } from './walk.ts'

export interface ServerFacts {
  readonly endpoint: string
  readonly version: string
  readonly role: string
}

/** A moment of all servers together. Counters grow from the start of the server on. */
export interface ServerReadings {
  /** When the readings were taken, epoch milliseconds. */
  readonly atMs: number
  /** Facts about each server. */
  readonly servers: readonly ServerFacts[]
  /** Used memory of all servers, bytes. */
  readonly usedBytes: number
  /** 0: no limit. */
  readonly maxBytes: number
  /** `noeviction`, or what differs from it. */
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
  /** Calls by command, for reads (`get`, `mget`, `hget`, …) and scripts, which all our writes are. */
  readonly calls: {
    /** Calls of read commands. */
    readonly reads: number
    /** Calls of scripts. */
    readonly scripts: number
  }
  /** Of `GET` and `MGET` on the server itself, ms, the slowest server; `null` before Redis 7. */
  readonly readLatency: {
    /** Median, milliseconds. */
    readonly p50Ms: number
    /** 99th percentile, milliseconds. */
    readonly p99Ms: number
  } | null
}

const READS = ['get', 'mget', 'hget', 'hmget', 'hgetall']
const SCRIPTS = ['eval', 'evalsha']

/** @throws {RedisError} `COATCHECK_REDIS_DENIED` without the right to `INFO` and `DBSIZE` */
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
