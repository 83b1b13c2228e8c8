/**
 * Takes the entries of one user over from an old MSAL cache, in mode `move`, and finishes a takeover that was cut off. First our partition is
 * stored, then the old entries go. A text that this file writes under the old key ends with random white space. So a process whose old entries
 * are gone sees whether another process has finished its takeover, or has removed the account.
 */
import {
  EMPTY_CACHE,
  mergeCaches,
  type MsalCache,
  newestEntrySeconds,
  parseCache,
} from '../drop-ins/msal/cache-merge.ts'
import type { PartitionStore, StoredPartition } from '../drop-ins/msal/partition-store.ts'
import { TokenError } from '../core/errors.ts'
import { systemRandom } from '../core/random.ts'
import type { LateRemovals } from './late-removals.ts'
import { cacheIn, filteredCache, homeOf, homesIn, isEmptyCache, type OldPartition } from './msal-blob.ts'
import type { OldRecordDriver } from './old-record-driver.ts'
import type { Report } from './origin.ts'
import { ATTEMPTS, removeRecord } from './remove-record.ts'

const MAX_REMEMBERED_PARTITIONS = 10_000

export interface MsalTakeoverDeps {
  readonly layout: 'user' | 'shared'
  readonly keyOf: (partition: string) => string
  readonly old: OldRecordDriver
  readonly ours: PartitionStore
  readonly late: LateRemovals
  readonly report: Report
  readonly readOld: (partition: string) => Promise<OldPartition | null>
}

/** Returns a function that reads a partition. Afterwards, the old cache holds no entry of it. */
export function createMsalTakeover(deps: MsalTakeoverDeps): (partition: string) => Promise<StoredPartition> {
  const { layout, keyOf, old, ours, late, report, readOld } = deps

  /** Partitions whose takeover has ended, as this process has seen. They need one read. */
  const finished = new Set<string>()
  const rememberFinished = (partition: string): void => {
    if (finished.size >= MAX_REMEMBERED_PARTITIONS) finished.clear()
    finished.add(partition)
  }

  /** Returns the text under the key without the entries of the partition. `null`: no account is left. */
  const without = (partition: string, { whole }: OldPartition): string | null => {
    const left = layout === 'user' ? {} : filteredCache(whole, (entry) => homeOf(entry) !== partition)
    return homesIn(left).length === 0 ? null : JSON.stringify(left)
  }

  const isOver = (text: string): boolean => {
    const cache = cacheIn(text)
    return cache !== null && (layout === 'user' ? isEmptyCache(cache) : homesIn(cache).length === 0)
  }

  /** Tokens of the application stay in a shared cache. They belong to no user, so they say nothing about a takeover. */
  const ofUser = ({ own }: OldPartition): MsalCache =>
    layout === 'user' ? own : filteredCache(own, (entry) => homeOf(entry) !== '')
  const hasNothing = (found: OldPartition): boolean => isEmptyCache(ofUser(found))

  /** Replaces the old text by one without the entries. False: the text has changed since. */
  const drop = async (
    partition: string,
    { found, left }: { found: OldPartition; left: string | null },
  ): Promise<boolean> =>
    (await old.replace(keyOf(partition), found.record.text, unique(left ?? EMPTY_CACHE), null)).status === 'written'

  /** Deletes the old entries that this process took over. `removed`: another process has removed the account meanwhile. */
  const dropTaken = async (partition: string, taken: OldPartition): Promise<'dropped' | 'finished' | 'removed'> => {
    let found = taken
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const left = without(partition, found)
      if (await drop(partition, { found, left })) {
        // A process in mode `read` that writes in between writes its change into ours as well.
        if (left === null) await removeRecord(old, keyOf(partition), isOver)
        return 'dropped'
      }
      const changed = await readOld(partition)
      if (!changed) return 'removed'
      if (hasNothing(changed)) {
        if (!isUnique(changed.record.text)) return 'removed'
        // The other process has left the empty text for this one to see.
        await removeRecord(old, keyOf(partition), isOver)
        return 'finished'
      }
      // A process in mode `read` has written in between.
      await ours.change(partition, { before: found.own, now: changed.own }, await ours.read(partition))
      found = changed
    }
    throw new TokenError('COATCHECK_TOKEN_CONFLICT', { details: { operation: 'msal.move' } })
  }

  /**
   * Merges a newer sign-in than ours: after a rollback, old processes stored it. The change begins at our entries, so an account that another
   * process removes meanwhile stays removed.
   */
  const mergeNewer = async (partition: string, found: OldPartition): Promise<void> => {
    const stored = await ours.read(partition)
    const before = parseCache(stored.text)
    if (stored.text === null || newestEntrySeconds(ofUser(found)) <= newestEntrySeconds(before)) return
    const { endsAtMs } = found.record
    const now = mergeCaches({}, found.own, before)
    await ours.change(partition, { before, now, ...(endsAtMs !== null && { endsAtMs }) }, stored)
  }

  /**
   * Deletes old entries that a process left that took them over. The empty text goes only 5 s later: that process may be slow, and has to see
   * who deleted the entries.
   */
  const finish = async (partition: string): Promise<void> => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const found = await readOld(partition)
      if (found && !hasNothing(found)) {
        await mergeNewer(partition, found)
        if (!(await drop(partition, { found, left: without(partition, found) }))) continue
        report('moved')
      }
      const key = keyOf(partition)
      if (found) late.add(key, { isStored: () => Promise.resolve(false), remove: () => removeRecord(old, key, isOver) })
      rememberFinished(partition)
      return
    }
    throw new TokenError('COATCHECK_TOKEN_CONFLICT', { details: { operation: 'msal.move' } })
  }

  const takeOver = async (partition: string): Promise<StoredPartition> => {
    const found = await readOld(partition)
    // Read again: another process may have taken it over in between.
    if (!found) return ours.read(partition)
    if (isEmptyCache(found.own)) {
      // An account was removed, and MSAL stored what was left.
      if (layout === 'user') await old.remove(keyOf(partition), found.record.text)
      return ours.read(partition)
    }
    if (!(await ours.create(partition, found.own, found.record.endsAtMs ?? undefined))) return ours.read(partition)
    const dropped = await dropTaken(partition, found)
    if (dropped === 'dropped') report('moved')
    if (dropped === 'removed') {
      await ours.change(partition, { before: found.own, now: {} }, await ours.read(partition))
      report('ended')
    }
    rememberFinished(partition)
    return ours.read(partition)
  }

  return async (partition) => {
    const own = await ours.read(partition)
    if (own.text === null) return takeOver(partition)
    if (finished.has(partition)) return own
    await finish(partition)
    return ours.read(partition)
  }
}

/**
 * The same JSON in a text that no other process writes: it ends with random white space. A client that reconnects may send a replacement
 * again, which answers "written" if the text stands there already. So only the process that made the text gets that answer.
 */
function unique(json: string): string {
  const bits = [...systemRandom.bytes(8)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return json + bits.replaceAll('0', ' ').replaceAll('1', '\t')
}

/** Returns whether `unique` made the text. */
function isUnique(text: string): boolean {
  return /[ \t]{64}$/.test(text)
}
