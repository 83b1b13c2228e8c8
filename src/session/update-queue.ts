/**
 * The update queue keeps every change when many requests change one session at the same time, in this process and in others. It collects
 * the changes of one process to one session and writes them together, one compare-and-set at a time. If another process wrote
 * first, the reply holds the current record, and the queue applies the changes to it and writes again. It writes at most 16 times. A change is committed
 * when its promise resolves. A write never creates a record.
 * If you change this, also run the races in test/integration (two processes, 200 parallel increments).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { SessionError } from '../core/errors.ts'
import type { EventBus } from '../core/events.ts'
import type { SessionRecord } from './session-codec.ts'
import type { SessionDriver, SessionLife } from './session-driver.ts'
import { sessionIdOf } from './ticket.ts'
import type { Loaded } from './loaded.ts'
import { openConflict, sealedNonce, type Vault } from './session-vault.ts'

const MAX_ATTEMPTS = 16
/** The queue retries the first conflicts immediately. Later it waits before each retry, so that one of the writers succeeds. */
const EAGER_ATTEMPTS = 3
const MAX_BACKOFF_MS = 40

/**
 * Computes the new record. Pure, because it is applied again after a conflict. It throws to refuse. If it returns the same record, the
 * queue writes nothing.
 */
export type Transition = (record: SessionRecord) => SessionRecord

interface Waiting {
  readonly transition: Transition
  readonly resolve: (loaded: Loaded) => void
  readonly reject: (error: unknown) => void
}

interface Queue {
  newest: Loaded
  readonly waiting: Waiting[]
}

export interface UpdateQueue {
  /** @param from the record as the caller read it. While changes of the same session wait, the queue's own record is used in its place. */
  submit(from: Loaded, transition: Transition): Promise<Loaded>
}

export function createUpdateQueue(deps: {
  driver: SessionDriver
  vault: Vault
  events: EventBus
  lifeOf: (record: SessionRecord) => SessionLife
  /** Returns a number in [0, 1): spreads the retries after a conflict. */
  jitter: () => number
}): UpdateQueue {
  const queues = new Map<string, Queue>()

  /** Applies the batch in order. If one transition refuses, only that one is rejected, and the others are applied without it. */
  const applyAll = (record: SessionRecord, batch: Waiting[]): SessionRecord => {
    let result = record
    for (const waiting of [...batch]) {
      try {
        result = waiting.transition(result)
      } catch (error) {
        batch.splice(batch.indexOf(waiting), 1)
        waiting.reject(error)
      }
    }
    return result
  }

  const writeBatch = async (from: Loaded, batch: Waiting[]): Promise<Loaded> => {
    let current = from
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const next = applyAll(current.record, batch)
      if (batch.length === 0 || next === current.record) return current
      const loaded = deps.vault.seal(current.ref, next)
      const expected = sealedNonce(current)
      const { ref } = current
      const opens = (sealed: Buffer): boolean => deps.vault.opens(ref, sealed)
      const reply = await deps.driver.replace(ref, expected, loaded.sealed, deps.lifeOf(next), opens)
      if (reply.status === 'done') {
        deps.events.emit('session.updated', {
          sessionId: sessionIdOf(current.ref),
          attempts: attempt,
          changes: batch.length,
        })
        return loaded
      }
      if (reply.status === 'gone') throw new SessionError('COATCHECK_SESSION_ENDED')
      current = openConflict(deps.vault, ref, reply.record)
      if (attempt > EAGER_ATTEMPTS)
        await sleep(deps.jitter() * Math.min(2 ** (attempt - EAGER_ATTEMPTS), MAX_BACKOFF_MS))
    }
    throw new SessionError('COATCHECK_SESSION_CONFLICT', { details: { attempts: MAX_ATTEMPTS } })
  }

  const drain = async (key: string, queue: Queue): Promise<void> => {
    // Starts one microtask later, so that all changes of this tick go out in one write.
    await Promise.resolve()
    while (queue.waiting.length > 0) {
      const batch = queue.waiting.splice(0)
      try {
        queue.newest = await writeBatch(queue.newest, batch)
        for (const waiting of batch) waiting.resolve(queue.newest)
      } catch (error) {
        for (const waiting of batch) waiting.reject(error)
      }
    }
    queues.delete(key)
  }

  return {
    submit(from, transition) {
      const key = sessionIdOf(from.ref)
      return new Promise((resolve, reject) => {
        const waiting = { transition, resolve, reject }
        const queue = queues.get(key)
        if (queue) {
          queue.waiting.push(waiting)
          return
        }
        const started: Queue = { newest: from, waiting: [waiting] }
        queues.set(key, started)
        // `drain` passes every failure to the waiting callers and never rejects itself.
        void drain(key, started)
      })
    },
  }
}
