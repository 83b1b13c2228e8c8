/**
 * Stores each partition as one sealed value, in the hash of a user like all tokens. The process merges the waiting changes of one partition
 * into one write. So only processes compete for a partition, not their requests.
 */
import type { Clock } from '../../core/clock.ts'
import { TokenError } from '../../core/errors.ts'
import type { EventBus } from '../../core/events.ts'
import type { TokenCodec } from '../../token/token-codec.ts'
import type { TokenDriver, TokenWritten } from '../../token/token-driver.ts'
import { msalField } from '../../token/token-fields.ts'
import { endOfUse, mergeCaches, type MsalCache, parseCache } from './cache-merge.ts'

const ATTEMPTS = 16

export interface StoredPartition {
  readonly text: string | null
  readonly nonce: Buffer | null
}

/** The partitions as the cache plugin uses them. */
export interface Partitioned {
  /** For an empty name it returns an empty partition. */
  read(partition: string): Promise<StoredPartition>
  /**
   * Merges the changes between `before` and `now` into the stored partition.
   * @param known the last state that was read: the first compare and set expects it
   * @throws {TokenError} `COATCHECK_TOKEN_CONFLICT` after 16 lost races
   */
  change(partition: string, change: PartitionChange, known: StoredPartition): Promise<void>
}

export interface PartitionStore extends Partitioned {
  /**
   * Stores a partition if none exists. Returns false if one is stored.
   * @param endsAtMs its latest expiry, epoch milliseconds; absent: the default of all partitions
   */
  create(partition: string, cache: MsalCache, endsAtMs?: number): Promise<boolean>
}

export interface PartitionChange {
  readonly before: MsalCache
  readonly now: MsalCache
  /** The latest expiry that this change may give the partition, epoch milliseconds. Absent: the default of all partitions. */
  readonly endsAtMs?: number
}

interface Waiting extends PartitionChange {
  readonly known: StoredPartition
  readonly done: () => void
  readonly failed: (error: unknown) => void
}

export function createPartitionStore(deps: {
  readonly driver: TokenDriver
  readonly codec: TokenCodec
  /** The keyed hash under which a partition is stored. */
  readonly userKeyOf: (partition: string) => string
  /** How long a partition with a refresh token is kept without a change. */
  readonly grantLifetimeMs: number
  readonly clock: Clock
  readonly events: EventBus
}): PartitionStore {
  const { driver, codec, clock, events } = deps
  const queues = new Map<string, Waiting[]>()

  const openRecord = (userKey: string, record: Buffer | null): StoredPartition => {
    if (!record) return { text: null, nonce: null }
    const opened = codec.openMsal(userKey, msalField, record)
    if (typeof opened !== 'string') return { text: opened.value.cache, nonce: opened.nonce }
    // Treated as empty: the user signs in again, and the partition is written anew. Its nonce can still be compared.
    events.emit('error', {
      code: opened === 'key-unknown' ? 'COATCHECK_KEY_UNKNOWN' : 'unreadable',
      operation: 'msal.read',
    })
    return { text: null, nonce: codec.nonceOf(record) }
  }

  /**
   * One compare and set with all changes.
   * @returns the stored partition, if it is no longer `stored`
   */
  const attempt = async (
    userKey: string,
    changes: readonly PartitionChange[],
    stored: StoredPartition,
  ): Promise<{ readonly written: TokenWritten; readonly ours: StoredPartition }> => {
    const merged = changes.reduce((cache, { before, now }) => mergeCaches(before, now, cache), parseCache(stored.text))
    const { isEmpty, expiresAtMs } = endOfUse(merged)
    const ownMs = expiresAtMs === null ? deps.grantLifetimeMs : expiresAtMs - clock.now()
    const leftMs = changes.flatMap(({ endsAtMs }) => (endsAtMs === undefined ? [] : [endsAtMs - clock.now()]))
    const ttlMs = Math.min(ownMs, ...leftMs)
    const isKept = !isEmpty && ttlMs > 0
    const text = JSON.stringify(merged)
    const record = codec.sealMsal(userKey, msalField, { cache: text })
    const written = await driver.write(userKey, {
      set: new Map(isKept ? [[msalField, { record, ttlMs }]] : []),
      ...(!isKept && { remove: { fields: [msalField] } }),
      expect: { field: msalField, nonce: stored.nonce },
    })
    return { written, ours: isKept ? { text, nonce: codec.nonceOf(record) } : { text: null, nonce: null } }
  }

  /** Writes until no change waits. A change that arrives during an attempt goes into the next one, also into a repetition. */
  const drain = async (userKey: string, queue: Waiting[]): Promise<void> => {
    let stored = queue[0]?.known
    let lost = 0
    while (queue.length > 0 && stored) {
      const batch = [...queue]
      try {
        const { written, ours } = await attempt(userKey, batch, stored)
        if (written.status === 'conflict') {
          stored = openRecord(userKey, written.current)
          if (++lost < ATTEMPTS) continue
          throw new TokenError('COATCHECK_TOKEN_CONFLICT', { details: { operation: 'msal.write' } })
        }
        stored = ours
        for (const { done } of batch) done()
      } catch (error) {
        for (const { failed } of batch) failed(error)
        stored = queue[batch.length]?.known
      }
      lost = 0
      queue.splice(0, batch.length)
    }
    queues.delete(userKey)
  }

  return {
    async read(partition) {
      if (partition === '') return { text: null, nonce: null }
      const userKey = deps.userKeyOf(partition)
      const record = await driver.readVerified(
        userKey,
        [msalField],
        ([found]) => found ?? null,
        (found) => found === null || typeof codec.openMsal(userKey, msalField, found) === 'string',
      )
      return openRecord(userKey, record)
    },

    async create(partition, cache, endsAtMs) {
      const change = { before: {}, now: cache, ...(endsAtMs !== undefined && { endsAtMs }) }
      const { written } = await attempt(deps.userKeyOf(partition), [change], { text: null, nonce: null })
      return written.status === 'done'
    },

    change(partition, change, known) {
      const userKey = deps.userKeyOf(partition)
      return new Promise<void>((done, failed) => {
        const queue = queues.get(userKey)
        if (queue) {
          queue.push({ ...change, known, done, failed })
          return
        }
        const begun = [{ ...change, known, done, failed }]
        queues.set(userKey, begun)
        void drain(userKey, begun)
      })
    },
  }
}
