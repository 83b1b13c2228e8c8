/**
 * Reading sessions: what is asked for together goes to the server as one `MGET`, so that a busy process pays for one command,
 * one deadline and one answer instead of dozens. Together means: in one turn of the event loop while an answer is awaited
 * (Nagle's rule), else in one run of promise callbacks, so that a read that is alone is one command and waits for nobody.
 * A server that answers an `MGET` treats each key by itself, so nobody's session depends on who else was read with it; what
 * fails the command (a deadline, a refused login) would have failed each of them.
 */
import type { RedisClientPort } from '../../redis/client-port.ts'
import type { RedisKeys } from '../keys.ts'
import { readReply } from '../../redis/reply-alignment.ts'
import { stringsReply } from '../../redis/reply-shape.ts'
import { GENERATION_BYTES, type SessionRef, type StoredSession } from '../../session/session-driver.ts'

/** Bounds the answer: 32 records of 2 KB are 64 KB. More reads than this begin the next command. */
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
  /** One for all; in a cluster one for each user, since a command reaches one slot only. */
  readonly #batches = new Map<string, Batch>()
  #underWay = 0

  constructor(client: RedisClientPort, keys: RedisKeys) {
    this.#client = client
    this.#keys = keys
  }

  read({ kind, userKey, id }: SessionRef): Promise<StoredSession> {
    if (this.#batches.size === 0) {
      // After the poll phase all requests have been seen that arrived with this one, from whatever connection.
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
    // Empty when a full command was sent before this turn was over.
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
        // A proxy that confuses answers gets an error: neither "no session", nor the session of somebody else.
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
    // The index of the user's sessions follows in the same value; no read needs it.
    const generation = hasGeneration ? (values[at++]?.subarray(0, GENERATION_BYTES) ?? null) : null
    resolve({ record, generation })
  }
}
