/**
 * Batches session reads into one `MGET`, so that a busy process pays for one command, one deadline and one reply instead of dozens. Reads
 * are batched per event-loop turn while a reply is pending (Nagle's rule), otherwise per run of promise callbacks. So a single read is one
 * command and does not wait.
 * A read does not depend on the other reads of its batch: an `MGET` answers each key separately, and a failure of the whole command (a
 * deadline, a refused login) would have failed each read alone too.
 */
import { GENERATION_BYTES } from '../../keyring/record-layout.ts'
import type { RedisClientPort } from '../../redis/client-port.ts'
import type { RedisKeys } from '../keys.ts'
import { readReply } from '../../redis/reply-alignment.ts'
import { stringsReply } from '../../redis/reply-shape.ts'
import type { SessionRef, StoredSession } from '../../session/session-driver.ts'

/** Limits the size of a reply: 32 records of 2 KB are 64 KB. Further reads begin the next command. */
const READS_PER_COMMAND = 32

interface WaitingRead {
  readonly hasGeneration: boolean
  readonly resolve: (stored: StoredSession) => void
  readonly reject: (error: unknown) => void
}

interface Batch {
  readonly names: string[]
  readonly waiting: WaitingRead[]
}

export class RedisReads {
  readonly #client: RedisClientPort
  readonly #keys: RedisKeys
  /** One batch for all users. In a cluster, one batch per user, because a command reaches one slot only. */
  readonly #batches = new Map<string, Batch>()
  #underWay = 0

  constructor(client: RedisClientPort, keys: RedisKeys) {
    this.#client = client
    this.#keys = keys
  }

  read({ kind, userKey, id }: SessionRef): Promise<StoredSession> {
    if (this.#batches.size === 0) {
      // After the poll phase, all requests that arrived together have been seen, from all connections.
      if (this.#underWay > 0) setImmediate(this.#sendAll)
      else queueMicrotask(this.#sendAll)
    }
    const place = this.#client.isSharded ? userKey : ''
    let batch = this.#batches.get(place)
    if (batch === undefined) this.#batches.set(place, (batch = { names: [], waiting: [] }))
    const { names, waiting } = batch
    const hasGeneration = kind === 'user'
    names.push(this.#keys.session(userKey, id))
    if (hasGeneration) names.push(this.#keys.generation(userKey))
    return new Promise((resolve, reject) => {
      waiting.push({ hasGeneration, resolve, reject })
      if (waiting.length < READS_PER_COMMAND) return
      this.#batches.delete(place)
      this.#send({ names, waiting })
    })
  }

  readonly #sendAll = (): void => {
    const batches = [...this.#batches.values()]
    // Empty if a full command was sent before this turn ended.
    this.#batches.clear()
    for (const batch of batches) this.#send(batch)
  }

  #send({ names, waiting }: Batch): void {
    const isOneRead = names.length === 1
    const [first = ''] = names
    this.#underWay++
    const fail = (error: unknown): void => {
      for (const read of waiting) read.reject(error)
    }
    this.#client.command(first, [isOneRead ? 'GET' : 'MGET', ...names]).then(
      (reply) => {
        this.#underWay--
        // If a proxy confuses replies, the caller gets an error: neither "no session" nor the session of another user.
        try {
          const list = isOneRead ? [reply] : reply
          answer(
            waiting,
            readReply(this.#client, first, list, (all) => stringsReply(all, names.length)),
          )
        } catch (error) {
          fail(error)
        }
      },
      (error: unknown) => {
        this.#underWay--
        fail(error)
      },
    )
  }
}

function answer(waiting: readonly WaitingRead[], values: readonly (Buffer | null)[]): void {
  let at = 0
  for (const { hasGeneration, resolve } of waiting) {
    const record = values[at++] ?? null
    // The index of the user's sessions follows in the same value. Reads do not need it.
    const generation = hasGeneration ? (values[at++]?.subarray(0, GENERATION_BYTES) ?? null) : null
    resolve({ record, generation })
  }
}
