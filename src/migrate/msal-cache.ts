/**
 * The origin `msalCache`: serialized caches of MSAL Node that MSAL's `DistributedCachePlugin`, or a plugin written by hand, stored in Redis.
 * In mode `read` the old value decides, and both sides merge into it. In mode `move` a user's entries are taken over once.
 */
import { mergeCaches } from '../drop-ins/msal/cache-merge.ts'
import type { PartitionChange, Partitioned, PartitionStore } from '../drop-ins/msal/partition-store.ts'
import { TokenError } from '../core/errors.ts'
import { createChangeQueue } from '../documents/change-queue.ts'
import { createLateRemovals } from './late-removals.ts'
import {
  cacheIn,
  filteredCache,
  homeOf,
  homesIn,
  isEmptyCache,
  type OldPartition,
  refreshTokensOf,
} from './msal-blob.ts'
import { createMsalTakeover } from './msal-takeover.ts'
import { keysMadeBy } from './old-keys.ts'
import type { OldRecord } from './old-record-driver.ts'
import { type Origin, type OriginDeps, reporter } from './origin.ts'
import { checkedOptions, type OriginOptions } from './origin-options.ts'
import { ATTEMPTS } from './remove-record.ts'

/** Options of `msalCache()`. */
export interface MsalCacheOptions extends OriginOptions {
  /** The old key of a partition, from what the option `partition` of the plugin returns, such as `(home) => \`msal:${home}\``. */
  readonly keyOf: (partition: string) => string
  /**
   * `user`: each key holds the cache of one user or session. `shared`: one key holds the cache of all users; partitions are then home
   * account ids. Default `user`.
   */
  readonly layout?: 'user' | 'shared'
}

/** The keys of an earlier cache plugin, for `msalCachePlugin({ migrateFrom })`. */
export interface MsalOrigin extends Origin {
  /** Called by the drop-in at its first use. */
  attach(
    deps: OriginDeps & {
      /** The partitions of the drop-in. */
      readonly partitions: PartitionStore
    },
  ): Partitioned
}

/**
 * Reads the keys of an earlier cache plugin of MSAL Node.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
 */
export function msalCache(options: MsalCacheOptions): MsalOrigin {
  const own = { keyOf: 'required function', layout: ['user', 'shared'] } as const
  const { keyOf, layout = 'user', mode = 'read', store } = checkedOptions('msalCache()', options, own)
  const name = 'msal'
  // The key of a shared cache names no user.
  const keys = layout === 'user' ? keysMadeBy(keyOf, (text) => cacheIn(text) !== null) : null
  return {
    ...{ name, mode, ...(store && { store }), ...(keys && { keys }) },
    attach({ old, events, closing, partitions: ours }) {
      const report = reporter(name, events)
      const late = createLateRemovals(closing)
      const queue = createChangeQueue<never>()
      const belongs = (partition: string) => (entry: unknown) => {
        const home = homeOf(entry)
        return layout === 'user' || home === '' || home === partition
      }

      /** Returns the partition in a record. `null`: there is no record, or it is no cache of MSAL. */
      const partitionIn = (partition: string, record: OldRecord | null): OldPartition | null => {
        const whole = record && cacheIn(record.text)
        if (record && !whole) report('unreadable')
        return record && whole && { record, whole, own: filteredCache(whole, belongs(partition)) }
      }
      const readOld = async (partition: string): Promise<OldPartition | null> =>
        partition === '' ? null : partitionIn(partition, await old.read(keyOf(partition)))

      /**
       * Applies a change to the old value, and keeps the remaining life of its key. `ours`: another process has taken the partition over, or
       * the key holds a value that is no cache of MSAL.
       */
      const changeOld = async (partition: string, { before, now }: PartitionChange): Promise<'done' | 'ours'> => {
        const key = keyOf(partition)
        for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
          const record = await old.read(key)
          const found = partitionIn(partition, record)
          // A value that is no cache of MSAL stays as it is.
          if (record && !found) return 'ours'
          // A process in mode `move` has deleted the old entries, and may have left an empty text.
          const isGone = !found || isEmptyCache(found.own)
          if (isGone && (await ours.read(partition)).text !== null) return 'ours'
          const text = JSON.stringify(mergeCaches(before, now, found?.whole ?? {}))
          const written = found
            ? await old.replace(key, found.record.text, text, null)
            : await old.create(key, text, null)
          if (written.status === 'written') return 'done'
          // The read found no string, and the write could not create one: the key has another type, and stays.
          if (!record && written.status === 'missing') return 'ours'
        }
        throw new TokenError('COATCHECK_TOKEN_CONFLICT', { details: { operation: 'msal.write' } })
      }

      /** Removes an account again 5 s later: an old process may have written it back from an earlier read. A new sign-in of the user stays. */
      const removeAgainLater = (partition: string, change: PartitionChange): void => {
        const left = new Set(homesIn(change.now))
        for (const home of homesIn(change.before).filter((one) => !left.has(one))) {
          const known = new Set(refreshTokensOf(change.before, home))
          late.add(`${keyOf(partition)} ${home}`, {
            isStored: () => Promise.resolve(false),
            async remove() {
              const found = await readOld(partition)
              const tokens = found ? refreshTokensOf(found.whole, home) : []
              if (tokens.length > 0 && tokens.every((token) => known.has(token))) await changeOld(partition, change)
            },
          })
        }
      }

      const takenOver = createMsalTakeover({ layout, keyOf, old, ours, late, report, readOld })

      return {
        async read(partition) {
          if (mode === 'move') return takenOver(partition)
          const [own, found] = await Promise.all([ours.read(partition), readOld(partition)])
          if (own.text !== null) return own
          if (!found || isEmptyCache(found.own)) {
            // Read again: a process in mode `move` may have taken it over in between.
            const again = await ours.read(partition)
            if (!found || again.text !== null) return again
          }
          report('unchanged')
          return { text: JSON.stringify(found.own), nonce: null }
        },

        async change(partition, change, known) {
          if (mode === 'move') {
            // First: after a crash between a takeover and the end of the old key, the account must not be taken over again.
            const isRemoval = homesIn(change.before).some((home) => !homesIn(change.now).includes(home))
            if (isRemoval && (await readOld(partition))) await changeOld(partition, change)
            return ours.change(partition, change, known)
          }
          const result = await queue.take(keyOf(partition), async () => {
            const isOurs = (await ours.read(partition)).text !== null
            return { result: isOurs ? ('ours' as const) : await changeOld(partition, change), latest: undefined }
          })
          removeAgainLater(partition, change)
          const own = await ours.read(partition)
          // Also after a write to the old value, because a process in mode `move` may have taken the partition over before that write.
          if (result === 'ours' || own.text !== null) await ours.change(partition, change, own)
        },
      }
    },
  }
}
