/**
 * The source of a connection: an address, a user-supplied client, or the primary that the sentinels name (`sentinel.ts`).
 * The connection asks its source for a client each time it starts again.
 */
import { RedisError } from '../core/errors.ts'
import type { RedisLibraryClient } from './library.ts'
import { createLibraryClient } from './library.ts'
import { nameOfAddress, type RedisTarget } from './target.ts'

export interface RedisSource {
  /** For messages. */
  readonly endpoint: string
  /** True if Coatcheck created the client, so Coatcheck may close and replace it. */
  readonly isOwn: boolean
  /** True if the next connect may reach another server. A broken connection is then replaced, not repaired. */
  readonly isMoving: boolean
  /** Target of an endpoint probe, if a probe is possible. */
  readonly target: RedisTarget | null
  /**
   * Returns a client that is not connected yet, or the user-supplied client.
   * @param reconnectDelayMs called after each failed attempt of the client; `null` ends its attempts
   */
  client(reconnectDelayMs: (retries: number) => number | null): Promise<RedisLibraryClient>
  /** Creates a second client for the same server, with its own library options. `null` if none can be made. */
  further(reconnectDelayMs: (retries: number) => number | null, options?: object): Promise<RedisLibraryClient | null>
  /** Throws if the server answers but cannot be used: a replica in place of the primary. */
  check?(client: RedisLibraryClient): Promise<void>
  /** Calls back when the server changed, until the source is closed. */
  follow?(moved: () => void): void
  /** True while no command can be sent. The source then polls for a new server often. */
  hurry?(isUrgent: boolean): void
  close?(): Promise<void>
}

export function addressSource(target: RedisTarget): RedisSource {
  return {
    endpoint: nameOfAddress(target.address),
    isOwn: true,
    isMoving: false,
    target,
    client: (reconnectDelayMs) => createLibraryClient(target, reconnectDelayMs),
    further: (reconnectDelayMs, options) => createLibraryClient(target, reconnectDelayMs, options),
  }
}

/** A further connection to the same server. The first connection decides when it moves. */
export function furtherSource(source: RedisSource): RedisSource {
  return {
    get endpoint() {
      return source.endpoint
    },
    isOwn: true,
    isMoving: source.isMoving,
    target: source.target,
    async client(reconnectDelayMs) {
      const client = await source.further(reconnectDelayMs)
      if (client === null) throw new RedisError('COATCHECK_REDIS_UNREACHABLE')
      return client
    },
    further: () => Promise.resolve(null),
    ...(source.check && { check: (client) => source.check?.(client) ?? Promise.resolve() }),
    ...(source.follow && { follow: (moved) => source.follow?.(moved) }),
  }
}

export function suppliedClientSource(client: RedisLibraryClient): RedisSource {
  return {
    endpoint: 'the user-supplied client',
    isOwn: false,
    isMoving: false,
    target: null,
    client: () => Promise.resolve(client),
    further: (_, options) => Promise.resolve(client.duplicate?.(options) ?? null),
  }
}
