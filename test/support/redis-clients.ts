/**
 * The client library in its three supported majors, for tests that run on each of them: user-supplied, or behind the literal
 * `import('redis')` of the library loader.
 */
import {
  createClient as createClient6,
  createCluster as createCluster6,
  createSentinel as createSentinel6,
} from 'redis'
import { createClient as createClient4, createCluster as createCluster4 } from 'redis4'
import {
  createClient as createClient5,
  createCluster as createCluster5,
  createSentinel as createSentinel5,
} from 'redis5'
import { vi } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { EventBus } from '../../src/core/events.ts'
import type { RedisClientPort } from '../../src/redis/client-port.ts'
import type { SuppliedClient } from '../../src/redis/supplied-client.ts'
import type { RedisLibraryClient } from '../../src/redis/library.ts'
import { openRedisClient } from '../../src/redis/open-client.ts'
import { HANG_MS } from '../lab/limits.ts'
import { limitsOf } from '../../src/redis/options.ts'
import type { RedisStoreOptions } from '../../src/stores/redis/options.ts'
import { resolveDestination } from '../../src/redis/resolve-destination.ts'

export interface LibraryMajor {
  readonly major: string
  /** As a user would make one, with a strategy that recovers within a second. */
  create(url: string): RedisLibraryClient
  /** Likewise, from any of its nodes. */
  createCluster(url: string): SuppliedClient
  /** Major 4 has none. */
  createSentinel?(name: string, ports: readonly number[]): SuppliedClient
  /** What `import('redis')` gives from now on. */
  install(): void
}

const nodes = (ports: readonly number[]) => ports.map((port) => ({ host: '127.0.0.1', port }))
const socket = { reconnectStrategy: 100 }

export const libraryMajors: readonly LibraryMajor[] = [
  {
    major: '4',
    create: (url) => createClient4({ url, socket }),
    createCluster: (url) => createCluster4({ rootNodes: [{ url }] }),
    install: () => vi.doMock('redis', () => ({ createClient: createClient4, RESP_TYPES: undefined })),
  },
  {
    major: '5',
    create: (url) => createClient5({ url, socket }),
    createCluster: (url) => createCluster5({ rootNodes: [{ url }] }),
    createSentinel: (name, ports) => createSentinel5({ name, sentinelRootNodes: nodes(ports) }),
    install: () => vi.doMock('redis', () => ({ createClient: createClient5, RESP_TYPES: {} })),
  },
  {
    major: '6',
    create: (url) => createClient6({ url, socket }),
    createCluster: (url) => createCluster6({ rootNodes: [{ url }] }),
    createSentinel: (name, ports) => createSentinel6({ name, sentinelRootNodes: nodes(ports) }),
    install: () => vi.doMock('redis', () => ({ createClient: createClient6, RESP_TYPES: {} })),
  },
]

export interface OpenedRedis {
  readonly redis: RedisClientPort
  /** `status` or `status:code` of every `redis.status` event. */
  readonly statuses: string[]
  get(key: string): Promise<string | null>
  set(key: string, value: string): Promise<void>
}

const opened: RedisClientPort[] = []

/** A client port as `redisStore(options)` makes it, without the environment. Closed by `closeRedis`. */
export function openRedis(options: RedisStoreOptions): OpenedRedis {
  const events = new EventBus()
  const statuses: string[] = []
  events.on('redis.status', ({ status, code }) => statuses.push(code === undefined ? status : `${status}:${code}`))
  const to = options.client ?? resolveDestination(options, {})
  const redis = openRedisClient(to, limitsOf(options, {}), { clock: systemClock, events })
  opened.push(redis)
  return {
    redis,
    statuses,
    get: async (key) => (await redis.command(key, ['GET', key]))?.toString() ?? null,
    set: async (key, value) => {
      await redis.command(key, ['SET', key, value])
    },
  }
}

export async function closeRedis(): Promise<void> {
  await Promise.all(opened.splice(0).map((redis) => redis.close()))
}

/** Repeats until it succeeds. @returns how long that took, milliseconds */
export async function untilWorks(action: () => Promise<unknown>, limitMs = HANG_MS): Promise<number> {
  const start = performance.now()
  for (;;) {
    try {
      await action()
      return performance.now() - start
    } catch (error) {
      if (performance.now() - start > limitMs) throw error
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}

/** How an operation ended: its error code or `ok`, and after how many milliseconds. */
export async function outcome(operation: () => Promise<unknown>): Promise<{ code: string; ms: number }> {
  const start = performance.now()
  const code = await operation().then(
    () => 'ok',
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  )
  return { code, ms: performance.now() - start }
}
