/**
 * A worker that handles lifecycle events. Each event goes to one worker of a group, which acknowledges it after handling. If that worker
 * dies, another one takes the event over. Delivery is at least once: a worker may die between handling and acknowledgement. So a handler
 * must tolerate repetition.
 *
 * The worker polls instead of blocking a connection. That works the same on one server, behind Sentinel and in a cluster.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { EventMap } from '../../core/event-map.ts'
import type { RedisClientPort, RedisReply } from '../../redis/client-port.ts'
import { LIFECYCLE_EVENTS, type LifecycleEventName, STREAM_LIFE_MS } from './event-stream.ts'
import type { RedisKeys } from '../keys.ts'

const PER_READ = 10
const PAUSE_AFTER_FAILURE_MS = 1000

/** An event of the stream. */
export interface LifecycleEvent<Name extends LifecycleEventName = LifecycleEventName> {
  /** Identifies the stream and the entry in it. The same when the event is delivered again. */
  readonly id: string
  /** Name of the event. */
  readonly name: Name
  /** Fields of the event. */
  readonly event: EventMap[Name]
  /** When the server wrote the event, epoch milliseconds of the server. */
  readonly atMs: number
}

export interface ConsumerSettings {
  readonly group: string
  /** Name of this worker, unique in the group. */
  readonly name: string
  readonly from: 'now' | 'oldest'
  readonly pollMs: number
  readonly claimAfterMs: number
  readonly shards: number
  handle(event: LifecycleEvent): Promise<void> | void
  failed(error: unknown, event: LifecycleEvent | null): void
}

export class EventConsumer {
  readonly #client: RedisClientPort
  readonly #settings: ConsumerSettings
  readonly #stopping = new AbortController()
  readonly #streams: readonly string[]
  readonly #done: Promise<unknown>

  constructor(client: RedisClientPort, keys: RedisKeys, settings: ConsumerSettings) {
    this.#client = client
    this.#settings = settings
    this.#streams = Array.from({ length: settings.shards }, (_, shard) => keys.events(String(shard)))
    this.#done = Promise.all(this.#streams.map((stream) => this.#work(stream)))
  }

  /** Resolves when the current event is handled and acknowledged, and this worker is removed from the server's list. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#done
    await Promise.all(this.#streams.map((stream) => this.#leave(stream).catch(() => undefined)))
  }

  /**
   * The server keeps a list of workers. A worker with unacknowledged events must stay on it; otherwise the server would forget these
   * events.
   */
  async #leave(stream: string): Promise<void> {
    const { group, name } = this.#settings
    const undone = (await this.#command(stream, [
      'XPENDING',
      stream,
      group,
      '-',
      '+',
      '1',
      name,
    ])) as readonly RedisReply[]
    if (undone.length === 0) await this.#command(stream, ['XGROUP', 'DELCONSUMER', stream, group, name])
  }

  async #work(stream: string): Promise<void> {
    let claimAtMs = 0
    let hadGroup = false
    while (!this.#stopping.signal.aborted) {
      let pauseMs = this.#settings.pollMs
      try {
        const isTimeToClaim = performance.now() >= claimAtMs
        if (isTimeToClaim) claimAtMs = performance.now() + this.#settings.claimAfterMs / 2
        const claimed = isTimeToClaim ? await this.#claim(stream) : []
        const entries = [...claimed, ...(await this.#read(stream))]
        hadGroup = true
        // The dead worker may have left more events.
        if (claimed.length === PER_READ) claimAtMs = 0
        await this.#handleAll(stream, entries)
        if (entries.length > 0) pauseMs = 0
      } catch (error) {
        // The group disappeared together with its stream, so the current stream only contains newer events.
        if (replyCodeOf(error) === 'NOGROUP') pauseMs = await this.#createGroup(stream, hadGroup)
        else {
          this.#failed(error, null)
          pauseMs = PAUSE_AFTER_FAILURE_MS
        }
      }
      if (pauseMs > 0) await sleep(pauseMs, null, { signal: this.#stopping.signal }).catch(() => undefined)
    }
  }

  async #handleAll(stream: string, entries: readonly Entry[]): Promise<void> {
    const inHand = new Set(entries.map(({ id }) => id))
    // Events that wait for their turn, or take long, are still being handled. This keeps other workers from taking them over.
    const timer = setInterval(() => void this.#extendClaim(stream, [...inHand]), this.#settings.claimAfterMs / 3)
    try {
      for (const { id, fields } of entries) {
        if (this.#stopping.signal.aborted) return
        const event = parse(stream, id, fields)
        if (event === null || (await this.#handle(event)))
          await this.#command(stream, ['XACK', stream, this.#group, id])
        inHand.delete(id)
      }
    } finally {
      clearInterval(timer)
    }
  }

  /** A listener that throws must not end the worker. */
  #failed(error: unknown, event: LifecycleEvent | null): void {
    try {
      this.#settings.failed(error, event)
    } catch {
      // The listener received the error. Its own failure is ignored.
    }
  }

  /** Returns false if the event was not acknowledged. It is delivered again after `claimAfterMs`. */
  async #handle(event: LifecycleEvent): Promise<boolean> {
    try {
      await this.#settings.handle(event)
      return true
    } catch (error) {
      this.#failed(error, event)
      return false
    }
  }

  async #read(stream: string): Promise<readonly Entry[]> {
    const { group, name } = this.#settings
    const args = ['XREADGROUP', 'GROUP', group, name, 'COUNT', String(PER_READ), 'STREAMS', stream, '>']
    const [first = null, second = null] = ((await this.#command(stream, args)) ?? []) as readonly RedisReply[]
    // RESP2 replies with pairs of stream and entries, RESP3 with one list of both.
    return entriesOf(Array.isArray(first) ? ((first as readonly RedisReply[])[1] ?? null) : second)
  }

  async #claim(stream: string): Promise<readonly Entry[]> {
    const { group, name, claimAfterMs } = this.#settings
    const args = ['XAUTOCLAIM', stream, group, name, String(claimAfterMs), '0-0', 'COUNT', String(PER_READ)]
    const reply = (await this.#command(stream, args)) as readonly RedisReply[]
    return entriesOf(reply[1] ?? null)
  }

  /** Restarts the idle time after which other workers may take the events over. */
  async #extendClaim(stream: string, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    const { group, name } = this.#settings
    await this.#command(stream, ['XCLAIM', stream, group, name, '0', ...ids, 'JUSTID']).catch(() => undefined)
  }

  async #createGroup(stream: string, isAgain: boolean): Promise<number> {
    const start = this.#settings.from === 'now' && !isAgain ? '$' : '0'
    try {
      await this.#command(stream, ['XGROUP', 'CREATE', stream, this.#group, start, 'MKSTREAM'])
      await this.#command(stream, ['PEXPIRE', stream, String(STREAM_LIFE_MS)])
      return 0
    } catch (error) {
      // Another worker created the group first.
      if (replyCodeOf(error) === 'BUSYGROUP') return 0
      this.#failed(error, null)
      return PAUSE_AFTER_FAILURE_MS
    }
  }

  get #group(): string {
    return this.#settings.group
  }

  #command(stream: string, args: readonly string[]): Promise<RedisReply> {
    const deadlineMs = this.#client.writeTimeoutMs
    return this.#client.command(stream, args, deadlineMs === undefined ? {} : { deadlineMs })
  }
}

interface Entry {
  readonly id: string
  readonly fields: readonly RedisReply[]
}

/** Redis 6.2 returns `null` for entries that the length cap removed. Later versions omit them. */
function entriesOf(reply: RedisReply): readonly Entry[] {
  if (!Array.isArray(reply)) return []
  return (reply as readonly RedisReply[]).flatMap((entry) => {
    const [id, fields] = (entry ?? []) as readonly RedisReply[]
    return id === undefined || !Array.isArray(fields) ? [] : [{ id: String(id), fields: fields as RedisReply[] }]
  })
}

/** Returns `null` for a foreign entry. The worker acknowledges it, so that it does not block the queue. */
function parse(stream: string, id: string, fields: readonly RedisReply[]): LifecycleEvent | null {
  const values = new Map<string, string>()
  for (let i = 0; i + 1 < fields.length; i += 2) values.set(String(fields[i]), String(fields[i + 1]))
  try {
    const name = LIFECYCLE_EVENTS.find((one) => one === values.get('event'))
    const event: unknown = JSON.parse(values.get('data') ?? '')
    if (name === undefined || typeof event !== 'object' || event === null || Array.isArray(event)) return null
    const shard = stream.slice(stream.lastIndexOf(':') + 1)
    return { id: `${shard}:${id}`, name, event: event as LifecycleEvent['event'], atMs: Number(id.split('-', 1)[0]) }
  } catch {
    return null
  }
}

/** The first word of the server's error reply, for codes that `diagnose.ts` does not map. */
function replyCodeOf(error: unknown): string | null {
  const { cause } = error instanceof Error ? error : {}
  return cause instanceof Error ? (cause.message.split(' ', 1)[0] ?? null) : null
}
