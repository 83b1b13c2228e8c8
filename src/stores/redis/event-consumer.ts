/**
 * A worker that handles lifecycle events: each goes to one worker of a group, is acknowledged when it has been handled, and is
 * taken over by another one when its worker has died. At least once: a worker that dies between the two has handled it all
 * the same, so what a handler does may happen twice and must not matter then.
 *
 * It asks again and again instead of blocking a connection: that works on one server, behind Sentinel and in a cluster alike.
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
  /** Of the stream and of the entry in it; the same when it is delivered again. */
  readonly id: string
  /** Name of the event. */
  readonly name: Name
  /** Fields of the event. */
  readonly event: EventMap[Name]
  /** When it was written, epoch milliseconds of the server. */
  readonly atMs: number
}

export interface ConsumerSettings {
  readonly group: string
  /** Of this worker, unlike any other's. */
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

  /** Resolves when the event under way has been handled and acknowledged, and this worker has been taken off the server's list. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#done
    await Promise.all(this.#streams.map((stream) => this.#leave(stream).catch(() => undefined)))
  }

  /** The server keeps a list of workers. One that has left something undone stays on it, or that would be forgotten too. */
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
        // There may be more of a worker that has died.
        if (claimed.length === PER_READ) claimAtMs = 0
        await this.#handleAll(stream, entries)
        if (entries.length > 0) pauseMs = 0
      } catch (error) {
        // A group that was there has gone with its stream: whatever stands there now has been written since.
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
    // Whoever waits for its turn, or takes long, is still in good hands: nobody else shall take it over.
    const timer = setInterval(() => void this.#hold(stream, [...inHand]), this.#settings.claimAfterMs / 3)
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
      // It was told. What it makes of it is its own business.
    }
  }

  /** False: not acknowledged, so it is delivered again after `claimAfterMs`. */
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
    // RESP2 answers with pairs of stream and entries, RESP3 with one list of both.
    return entriesOf(Array.isArray(first) ? ((first as readonly RedisReply[])[1] ?? null) : second)
  }

  async #claim(stream: string): Promise<readonly Entry[]> {
    const { group, name, claimAfterMs } = this.#settings
    const args = ['XAUTOCLAIM', stream, group, name, String(claimAfterMs), '0-0', 'COUNT', String(PER_READ)]
    const reply = (await this.#command(stream, args)) as readonly RedisReply[]
    return entriesOf(reply[1] ?? null)
  }

  /** Starts the time anew after which others may take them over. */
  async #hold(stream: string, ids: readonly string[]): Promise<void> {
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
      // Another worker was faster.
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

/** Entries that the cap has taken are `null` on Redis 6.2, and not named by later ones. */
function entriesOf(reply: RedisReply): readonly Entry[] {
  if (!Array.isArray(reply)) return []
  return (reply as readonly RedisReply[]).flatMap((entry) => {
    const [id, fields] = (entry ?? []) as readonly RedisReply[]
    return id === undefined || !Array.isArray(fields) ? [] : [{ id: String(id), fields: fields as RedisReply[] }]
  })
}

/** `null` for an entry that is none of ours: it is acknowledged, so that it is in nobody's way. */
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

/** The first word of what the server said, which `diagnose.ts` knows nothing of. */
function replyCodeOf(error: unknown): string | null {
  const { cause } = error instanceof Error ? error : {}
  return cause instanceof Error ? (cause.message.split(' ', 1)[0] ?? null) : null
}
