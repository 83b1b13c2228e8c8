/**
 * Computes memory, nodes and the first bottleneck from numbers of sessions and operations. It is pure and sends no command. Its figures are
 * those of the table in docs/sizing.md, which `npm run bench -- scale` measured; a test compares the two.
 */

/** The load to size for. Every number is 0 or more. */
export interface SizingInput {
  /** Live sessions of signed-in users at the peak. */
  readonly sessions: number
  /** Size of the application's data in one session as JSON, bytes. */
  readonly sessionBytes: number
  /** Users that are signed in at the peak. */
  readonly users: number
  /** Session reads per second, of all processes together. */
  readonly readsPerSecond: number
  /** Session writes per second, of all processes together. */
  readonly writesPerSecond: number
  /** Access tokens per user, besides one grant. 0: no tokens are stored. */
  readonly resourcesPerUser: number
  /** Replicas of each primary. */
  readonly replicas: number
  /** Share of each node's memory that stays free for snapshots, resynchronization and growth: from 0 to less than 1. */
  readonly headroom: number
  /** Memory of one node, bytes, more than 0. */
  readonly nodeBytes: number
  /** Application processes with a near cache. */
  readonly nearCacheProcesses: number
}

/** Values for the input of `sizeOf()` that `coatcheck size` assumes when a flag is missing. */
export const SIZING_DEFAULTS = {
  /** Bytes of data in a session. */
  sessionBytes: 512,
  /** Access tokens per user. */
  resourcesPerUser: 0,
  /** Replicas of each primary. */
  replicas: 1,
  /** Share of the memory that stays free. */
  headroom: 0.4,
  /** Memory of one node, bytes. */
  nodeBytes: 25 * 2 ** 30,
  /** Processes that use the near cache. */
  nearCacheProcesses: 0,
} as const

/** Measurements from docs/sizing.md, "Measured". Bytes, and microseconds of the server's only thread. */
export const MEASURED = {
  /** By bytes of JSON. Covers a session, its index entry and its generation, with one session per user. */
  sessionBytes: new Map([
    [300, 794],
    [512, 986],
    [1100, 1626],
    [3000, 3930],
    [6000, 6490],
  ]),
  /** 512 bytes of JSON in a cluster of three. */
  clusterSessionBytes: 1063,
  /** By number of resources, a grant included. */
  tokenBytes: new Map([
    [1, 5222],
    [4, 10_901],
    [11, 24_033],
  ]),
  readMicros: 4.1,
  writeMicros: 40.1,
  /** Nine reads and a write from four processes, per operation. In a cluster, a command reaches one slot, so reads share no command. */
  mixedMicros: 10.6,
  clusterMixedMicros: 20.4,
  /** Per write and per process with a near cache. */
  subscriberMicros: 1.3,
} as const

/** Assumed, not measured. */
export const ASSUMED = {
  /** Above this load, a server with one thread makes callers wait. */
  cpuShare: 0.5,
  /** 1 Gbit/s for each node, half used. */
  networkBytesPerSecond: 125_000_000 / 2,
} as const

export type SizingLimit = 'memory' | 'cpu' | 'network'

/** The Redis that a load needs, as `sizeOf()` computes it. */
export interface Sizing {
  /** Memory of all sessions in one copy, bytes. */
  readonly sessionsBytes: number
  /** Memory of all tokens in one copy, bytes. */
  readonly tokensBytes: number
  /** Memory of all data on all nodes, replicas included, bytes. */
  readonly totalBytes: number
  /** Number of primaries. */
  readonly primaries: number
  /** Number of nodes, replicas included. */
  readonly nodes: number
  /** Primaries that each resource alone needs, not rounded. The largest is the first bottleneck. */
  readonly needs: Readonly<Record<SizingLimit, number>>
  /** The first bottleneck, which decides the number of primaries. */
  readonly limit: SizingLimit
  /** Load of one primary. */
  readonly perPrimary: {
    /** Memory, bytes. */
    readonly bytes: number
    /** Reads per second. */
    readonly readsPerSecond: number
    /** Writes per second. */
    readonly writesPerSecond: number
    /** Busy share of the server's main thread. 1: fully busy. */
    readonly cpuShare: number
    /** Network traffic, bytes per second. */
    readonly networkBytesPerSecond: number
    /** Memory that Redis allocates at once when its key tables next double, bytes. */
    readonly tableBytes: number
  }
  /** Warnings in sentences. Empty: none. */
  readonly warnings: readonly string[]
}

const GIB = 2 ** 30
const BYTES_PER_TABLE_SLOT = 16
const KEYS_PER_SESSION = 2
/** NIST SP 800-38D: seals under one key with random nonces; there is a key for each of 256 shards. */
const SEALS = 2 ** 32 * 256
const DAY_SECONDS = 86_400
const SESSIONS_BESIDE_GENERATION = 8
const LARGE_NODE_BYTES = 50 * GIB

/**
 * Computes the Redis that a load needs, from the measurements in docs/sizing.md. Sends no command.
 * @throws {RangeError} when a number is negative or not finite, `headroom` is 1 or more, or `nodeBytes` is 0
 */
export function sizeOf(input: SizingInput): Sizing {
  for (const [name, value] of Object.entries(input) as [string, number][])
    if (!Number.isFinite(value) || value < 0) throw new RangeError(`${name} has to be a number of 0 or more.`)
  if (input.headroom >= 1) throw new RangeError('headroom has to be less than 1.')
  if (input.nodeBytes === 0) throw new RangeError('nodeBytes has to be more than 0.')

  const alone = sizeFor(input, { extraBytes: 0, cpuFactor: 1, least: 1 })
  if (alone.primaries === 1) return alone
  return sizeFor(input, {
    extraBytes: MEASURED.clusterSessionBytes - (MEASURED.sessionBytes.get(512) ?? 0),
    cpuFactor: MEASURED.clusterMixedMicros / MEASURED.mixedMicros,
    // Fewer primaries cannot agree on a failover.
    least: 3,
  })
}

/** @param form additional cost of a session and an operation, and the minimum number of primaries */
function sizeFor(input: SizingInput, form: { extraBytes: number; cpuFactor: number; least: number }): Sizing {
  const sessionsBytes = input.sessions * (along(MEASURED.sessionBytes, input.sessionBytes) + form.extraBytes)
  const hasTokens = input.resourcesPerUser > 0
  const tokensBytes = hasTokens ? input.users * along(MEASURED.tokenBytes, input.resourcesPerUser) : 0
  const bytes = sessionsBytes + tokensBytes
  const working = input.readsPerSecond * MEASURED.readMicros + input.writesPerSecond * MEASURED.writeMicros
  const notifying = input.writesPerSecond * input.nearCacheProcesses * MEASURED.subscriberMicros
  const cpu = (working * form.cpuFactor + notifying) / 1e6
  // A write arrives once, and is sent on to each replica.
  const network = (input.readsPerSecond + input.writesPerSecond * (1 + input.replicas)) * (input.sessionBytes + 160)
  const needs = {
    memory: bytes / (input.nodeBytes * (1 - input.headroom)),
    cpu: cpu / ASSUMED.cpuShare,
    network: network / ASSUMED.networkBytesPerSecond,
  }
  const [[limit, most]] = Object.entries(needs).sort(([, a], [, b]) => b - a) as [[SizingLimit, number]]
  const primaries = Math.max(form.least, Math.ceil(most))
  const keys = (input.sessions * KEYS_PER_SESSION + (hasTokens ? input.users : 0)) / primaries
  const perPrimary = {
    bytes: bytes / primaries,
    readsPerSecond: input.readsPerSecond / primaries,
    writesPerSecond: input.writesPerSecond / primaries,
    cpuShare: cpu / primaries,
    networkBytesPerSecond: network / primaries,
    tableBytes: BYTES_PER_TABLE_SLOT * 2 ** Math.ceil(Math.log2(Math.max(4, keys)) + 1e-9),
  }
  const sizing = {
    sessionsBytes,
    tokensBytes,
    totalBytes: bytes * (1 + input.replicas),
    primaries,
    nodes: primaries * (1 + input.replicas),
    needs,
    limit,
    perPrimary,
  }
  return { ...sizing, warnings: warningsOf(input, sizing, cpu === 0 ? 0 : notifying / 1e6 / cpu) }
}

function warningsOf(input: SizingInput, sizing: Omit<Sizing, 'warnings'>, nearCacheShare: number): string[] {
  const { perPrimary, primaries, tokensBytes, sessionsBytes } = sizing
  const sealsEnd = SEALS / Math.max(input.writesPerSecond, 1e-9) / DAY_SECONDS
  const all: readonly (readonly [boolean, string])[] = [
    [input.replicas === 0, 'Without a replica, a lost node signs out all users whose sessions were on it.'],
    [
      input.headroom < 0.25,
      'A snapshot or a full resynchronisation copies what is written meanwhile: keep a quarter free.',
    ],
    [
      input.nodeBytes > LARGE_NODE_BYTES,
      'Nodes this large take minutes to load, copy and fail over: more, smaller ones recover faster.',
    ],
    [
      perPrimary.tableBytes > input.nodeBytes * input.headroom,
      `The tables of keys take ${gib(perPrimary.tableBytes)} at once when they double next, more than is kept free.`,
    ],
    [
      primaries > 1,
      `One node does not suffice: Redis Cluster with ${primaries} primaries, because of ${sizing.limit}.`,
    ],
    [sizing.nodes > 1000, 'Redis Cluster is made for up to 1,000 nodes, replicas included.'],
    [
      input.users > 0 && input.sessions / input.users > SESSIONS_BESIDE_GENERATION,
      'Users with more than 8 sessions have an index of their own: set a limit of sessions per user if that is not meant.',
    ],
    [
      tokensBytes > sessionsBytes,
      'Tokens take more memory than sessions: ask for fewer resources, or for smaller tokens (fewer claims, no groups).',
    ],
    [
      nearCacheShare > 0.25,
      'Telling near caches of writes takes more than a quarter of the server: fewer processes, or none with a near cache.',
    ],
    [
      sealsEnd < 365,
      `Add a new key to COATCHECK_KEYS at least every ${Math.floor(sealsEnd)} days: one may not seal more than that.`,
    ],
  ]
  return all.flatMap(([isTrue, text]) => (isTrue ? [text] : []))
}

/** Interpolates linearly between measured points, and extends the outer lines beyond them. */
function along(points: ReadonlyMap<number, number>, at: number): number {
  const known = [...points]
  const after = known.findIndex(([x]) => x >= at)
  const right = after < 0 ? known.length - 1 : Math.max(1, after)
  const [[x0, y0], [x1, y1]] = known.slice(right - 1, right + 1) as [[number, number], [number, number]]
  return Math.max(0, y0 + ((at - x0) / (x1 - x0)) * (y1 - y0))
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`
}
