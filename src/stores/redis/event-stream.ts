/**
 * Writes lifecycle events to capped Redis streams, so that one of many workers handles each (`event-consumer.ts`). Best effort: no
 * operation waits for the write, and a failed write is only reported as an event. There are several streams, in different slots of a
 * cluster. The events of one user are in one stream, in order.
 */
import type { Clock } from '../../core/clock.ts'
import { isCoatcheckError } from '../../core/errors.ts'
import type { EventMap } from '../../core/event-map.ts'
import type { EventBus } from '../../core/events.ts'
import type { RedisClientPort } from '../../redis/client-port.ts'
import type { RedisKeys } from '../keys.ts'

/** Events that workers may act on. Per-request events and operator events are not among them. */
export const LIFECYCLE_EVENTS = [
  'session.created',
  'session.ended',
  'session.user-ended',
  'signin.completed',
  'signout',
  'provider.logout',
  'token.deleted',
  'token.revoked',
] as const satisfies readonly (keyof EventMap)[]

/** Names of the events that are written to the stream. */
export type LifecycleEventName = (typeof LIFECYCLE_EVENTS)[number]

export interface EventStreamOptions {
  /** Approximate number of entries that each stream keeps; the oldest go. Default 10,000. */
  readonly maxLength: number
  /** Number of streams. All processes and consumers must use the same number. Default 4. */
  readonly shards: number
}

/** A stream without writes expires, together with the groups that read it. */
export const STREAM_LIFE_MS = 7 * 86_400_000
const LIFE_AGAIN_MS = 3_600_000

export class EventStream {
  readonly #client: RedisClientPort
  readonly #keys: RedisKeys
  readonly #options: EventStreamOptions
  readonly #events: EventBus
  readonly #clock: Clock
  /** When the expiry of each stream was last set, by stream number. */
  readonly #livedAtMs = new Map<number, number>()
  /** Instances that share this store emit the same event object. */
  readonly #written = new WeakSet()

  constructor(
    client: RedisClientPort,
    keys: RedisKeys,
    options: EventStreamOptions,
    { events, clock }: { readonly events: EventBus; readonly clock: Clock },
  ) {
    this.#client = client
    this.#keys = keys
    this.#options = options
    this.#events = events
    this.#clock = clock
  }

  /** Writes the events of this instance from now on. Returns a function that stops it. */
  follow(events: EventBus): () => void {
    const stops = LIFECYCLE_EVENTS.map((name) =>
      events.on(name, (event) => {
        // Anonymous visitors can begin sessions without limit. Their events would displace events that workers have yet to read.
        if (this.#written.has(event) || ('kind' in event && event.kind === 'anonymous')) return
        this.#written.add(event)
        this.#write(name, event)
      }),
    )
    return () => {
      for (const stop of stops) stop()
    }
  }

  #write(name: LifecycleEventName, event: EventMap[LifecycleEventName]): void {
    const shard = shardOf(event, this.#options.shards)
    const key = this.#keys.events(String(shard))
    const { maxLength } = this.#options
    const fields = ['event', name, 'data', JSON.stringify(event)]
    this.#send(key, ['XADD', key, 'MAXLEN', '~', String(maxLength), '*', ...fields])
    const nowMs = this.#clock.monotonic()
    if (nowMs - (this.#livedAtMs.get(shard) ?? Number.NEGATIVE_INFINITY) < LIFE_AGAIN_MS) return
    this.#livedAtMs.set(shard, nowMs)
    this.#send(key, ['PEXPIRE', key, String(STREAM_LIFE_MS)])
  }

  #send(key: string, args: readonly string[]): void {
    const deadlineMs = this.#client.writeTimeoutMs
    this.#client.command(key, args, deadlineMs === undefined ? {} : { deadlineMs }).catch((error: unknown) => {
      const code = isCoatcheckError(error) ? error.code : 'UNKNOWN'
      this.#events.emit('error', { code, operation: 'events.write' })
    })
  }
}

/** By user, so that the user's events stay in order. Events without a user go to any stream. */
function shardOf(event: object, shards: number): number {
  const { sessionId, userKey } = event as { readonly sessionId?: string; readonly userKey?: string }
  const text = userKey ?? sessionId?.split('.', 1)[0] ?? ''
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return (hash >>> 0) % shards
}
