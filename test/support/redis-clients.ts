/**
 * The client library in its three supported majors, for tests that run on each of them: handed in, or behind the literal
 * `import('redis')` of the library loader.
 */
import { createClient as createClient6 } from 'redis'
import { createClient as createClient4 } from 'redis4'
import { createClient as createClient5 } from 'redis5'
import { vi } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import { EventBus } from '../../src/core/events.ts'
import { RedisClient } from '../../src/redis/client.ts'
import type { RedisLibraryClient } from '../../src/redis/library.ts'
import { limitsOf, type RedisStoreOptions, resolveTarget } from '../../src/redis/options.ts'

export interface LibraryMajor {
  readonly major: string
  /** As a user would make one, with a strategy that recovers within a second. */
  create(url: string): RedisLibraryClient
  /** What `import('redis')` gives from now on. */
  install(): void
}

const socket = { reconnectStrategy: 100 }

export const libraryMajors: readonly LibraryMajor[] = [
  {
    major: '4',
    create: (url) => createClient4({ url, socket }),
    install: () => vi.doMock('redis', () => ({ createClient: createClient4 })),
  },
  {
    major: '5',
    create: (url) => createClient5({ url, socket }),
    install: () => vi.doMock('redis', () => ({ createClient: createClient5 })),
  },
  {
    major: '6',
    create: (url) => createClient6({ url, socket }),
    install: () => vi.doMock('redis', () => ({ createClient: createClient6 })),
  },
]

export interface OpenedRedis {
  readonly redis: RedisClient
  /** `status` or `status:code` of every `redis.status` event. */
  readonly statuses: string[]
  get(key: string): Promise<string | null>
  set(key: string, value: string): Promise<void>
}

const opened: RedisClient[] = []

/** A client port as `redisStore(options)` makes it, without the environment. Closed by `closeRedis`. */
export function openRedis(options: RedisStoreOptions): OpenedRedis {
  const events = new EventBus()
  const statuses: string[] = []
  events.on('redis.status', ({ status, code }) => statuses.push(code === undefined ? status : `${status}:${code}`))
  const source = options.client ?? resolveTarget(options, {})
  const redis = new RedisClient(source, limitsOf(options), { clock: systemClock, events })
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
export async function untilWorks(action: () => Promise<unknown>, limitMs = 10_000): Promise<number> {
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
