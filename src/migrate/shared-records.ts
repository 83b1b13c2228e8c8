/** The port of records that old processes and Coatcheck share, by id. Each mode implements it; the drop-ins for text stores use it. */
import type { Clock } from '../core/clock.ts'
import type { Documents } from '../documents/documents.ts'
import { type JsonObject, mergeChanges } from '../documents/json-merge.ts'
import { linkOf } from '../documents/linked-json.ts'
import { createOldRecordRemoval, decideWithoutOld, endOldFirst, type OldRecordRemoval } from './dual-read-rules.ts'
import type { LateRemovals } from './late-removals.ts'
import type { SealedRecord, SealedRecords, TextChange } from './sealed-records.ts'
import type { OldRecord, OldRecordDriver } from './old-record-driver.ts'
import type { Report } from './origin.ts'

export interface SharedRecords {
  /** The text in the format of the sealed records. `null`: there is none, it has ended, or it cannot be read. */
  find(id: string): Promise<string | null>
  /**
   * Creates a record, or replaces one that is there.
   * @param isNew the library has just created the record, so the ended marker of an earlier one does not refuse it
   * @returns false: the record has ended, and nothing was stored
   */
  store(id: string, text: string, ttlMs: number, isNew?: boolean): Promise<boolean>
  /** Changes a stored record. `null`: none is stored (any more), or `change` returned `null`. */
  change(id: string, change: TextChange): Promise<string | null>
  /** Ends the record for old and new processes. False: there was none. */
  end(id: string): Promise<boolean>
}

export interface SharedRecordDeps {
  readonly sealed: SealedRecords
  readonly old: OldRecordDriver
  /** The servers of the old keys, as `placeOf` returns them. Default: those of the sealed records. */
  readonly place?: string | undefined
  readonly late: LateRemovals
  readonly clock: Clock
  readonly report: Report
  readonly keyOf: (id: string) => string
  /** The end that a text names itself, epoch milliseconds. `null`: it names none. */
  readonly endOf: (text: string) => number | null
  /** Life of a record that names no end, milliseconds. It never exceeds the remaining life of the key. */
  readonly defaultTtlMs: (text: string) => number
}

/** Applies the changes between `base` and `theirs` to `now`. All three are JSON objects as texts. */
export function mergedText(base: string, theirs: string, now: string): string {
  const [before, after, stored] = [base, theirs, now].map((text) => JSON.parse(text) as JsonObject)
  return JSON.stringify(mergeChanges(before ?? {}, after ?? {}, stored ?? {}))
}

/** Returns when a record ends, epoch milliseconds: never later than its old key. */
export function endOfLife(
  { clock, endOf, defaultTtlMs }: Pick<SharedRecordDeps, 'clock' | 'endOf' | 'defaultTtlMs'>,
  { text, endsAtMs }: Pick<OldRecord, 'text' | 'endsAtMs'>,
): { readonly endsAtMs: number; readonly isOver: boolean; readonly isAssumed: boolean } {
  const named = endOf(text)
  const ownMs = named ?? clock.now() + defaultTtlMs(text)
  const endMs = Math.min(ownMs, endsAtMs ?? ownMs)
  return { endsAtMs: endMs, isOver: endMs <= clock.now(), isAssumed: endsAtMs === null && named === null }
}

/** Deletes old keys whose value is a record of this library. */
export function oldRemoval({ sealed, old, late }: Pick<SharedRecordDeps, 'sealed' | 'old' | 'late'>): OldRecordRemoval {
  return createOldRecordRemoval({ old, late, isRecord: (text) => sealed.canonical(text) !== null })
}

/** Returns whether a listed document is alive: it is independent, or its old key still exists. */
export async function isAlive<T extends object>(
  { documents, old }: { readonly documents: Documents<T>; readonly old: OldRecordDriver },
  name: string,
): Promise<boolean> {
  const stored = await documents.read({ kind: documents.refOf('').kind, name })
  const link = stored && linkOf(stored.value)
  return stored !== null && (link === null || (await old.read(link.key)) !== null)
}

/** Decides about a record whose old key was missing. See `decideWithoutOld`. */
export async function findWithoutOld(
  { sealed, old, place = '', keyOf, report }: SharedRecordDeps,
  id: string,
): Promise<SealedRecord | 'again' | null> {
  const found = await decideWithoutOld({
    readOurs: () => sealed.read(id),
    copyOf: ({ copyOf }) => copyOf,
    here: { key: keyOf(id), place },
    hasOld: async () => (await old.read(keyOf(id))) !== null,
    endOurs: () => sealed.end(id, false),
    report,
  })
  return found === 'ended' ? null : found
}

/** Ends a record for old and new processes. */
export function endBoth(deps: SharedRecordDeps, id: string): Promise<boolean> {
  const isStored = async (): Promise<boolean> => (await deps.sealed.read(id)) !== null
  return endOldFirst(
    () => oldRemoval(deps).end({ key: deps.keyOf(id), isStored }),
    (alsoUnstored) => deps.sealed.end(id, alsoUnstored),
  )
}
