/**
 * Reading sessions: what is asked for together goes to the server as one `MGET`, so that a busy process pays for one command,
 * one deadline and one answer instead of dozens. Together means: in one turn of the event loop while an answer is awaited
 * (Nagle's rule), else in one run of promise callbacks, so that a read that is alone is one command and waits for nobody.
 * A server that answers an `MGET` treats each key by itself, so nobody's session depends on who else was read with it; what
 * fails the command (a deadline, a refused login) would have failed each of them.
 */
import type { RedisClientPort } from '../../redis/client-port.ts'
import type { RedisKeys } from '../../redis/keys.ts'
import type { SessionRef, StoredSession } from '../session-driver.ts'

/** Bounds the answer: 32 records of 2 KB are 64 KB. More reads than this begin the next command. */
const READS_PER_COMMAND = 32

interface WaitingRead {
  readonly hasGeneration: boolean
  readonly resolve: (stored: StoredSession) => void
  readonly reject: (error: unknown) => void
}

export class RedisReads {
  readonly #client: RedisClientPort
  readonly #keys: RedisKeys
  #waiting: WaitingRead[] = []
  #names: string[] = []
  #underWay = 0

  constructor(client: RedisClientPort, keys: RedisKeys) {
    this.#client = client
    this.#keys = keys
  }

  read({ kind, userKey, id }: SessionRef): Promise<StoredSession> {
    if (this.#waiting.length === 0) {
      // After the poll phase all requests have been seen that arrived with this one, from whatever connection.
      if (this.#underWay > 0) setImmediate(this.#send)
      else queueMicrotask(this.#send)
    }
    const hasGeneration = kind === 'user'
    this.#names.push(this.#keys.session(userKey, id))
    if (hasGeneration) this.#names.push(this.#keys.generation(userKey))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ hasGeneration, resolve, reject })
      if (this.#waiting.length === READS_PER_COMMAND) this.#send()
    })
  }

  readonly #send = (): void => {
    const waiting = this.#waiting
    const names = this.#names
    const [first] = names
    // A full command was sent before this turn was over.
    if (first === undefined) return
    this.#waiting = []
    this.#names = []
    const isOneRead = names.length === 1
    this.#underWay++
    this.#client.command(first, [isOneRead ? 'GET' : 'MGET', ...names]).then(
      (reply) => {
        this.#underWay--
        answer(waiting, (isOneRead ? [reply] : reply) as readonly (Buffer | null)[])
      },
      (error: unknown) => {
        this.#underWay--
        for (const read of waiting) read.reject(error)
      },
    )
  }
}

function answer(waiting: readonly WaitingRead[], values: readonly (Buffer | null)[]): void {
  let at = 0
  for (const { hasGeneration, resolve } of waiting) {
    const record = values[at++] ?? null
    resolve({ record, generation: hasGeneration ? (values[at++] ?? null) : null })
  }
}
