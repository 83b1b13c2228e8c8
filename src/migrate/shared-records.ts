/** Records that the old library and Coatcheck both know, as the drop-ins use them: what is found, stored, changed and ended by id. */
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
   * @param isNew the library has just created it: an ended record of the same id does not refuse it
   * @returns false: the record has ended, and nothing was stored
   */
  store(id: string, text: string, ttlMs: number, isNew?: boolean): Promise<boolean>
  /** Changes a record that is there. `null`: there is none (any more), or `change` left it. */
  change(id: string, change: TextChange): Promise<string | null>
  /** Ends the record for old and new processes. False: there was none. */
  end(id: string): Promise<boolean>
}

export interface SharedRecordDeps {
  readonly sealed: SealedRecords
  readonly old: OldRecordDriver
  readonly late: LateRemovals
  readonly clock: Clock
  readonly report: Report
  readonly keyOf: (id: string) => string
  /** The end that a text names itself, epoch milliseconds. `null`: it names none. */
  readonly endOf: (text: string) => number | null
  /** Life of a record that names no end, milliseconds. The remaining life of its key limits it. */
  readonly defaultTtlMs: (text: string) => number
}

/** Applies to `now` what changed between `base` and `theirs`: JSON objects as texts. */
export function mergedText(base: string, theirs: string, now: string): string {
  const [before, after, stored] = [base, theirs, now].map((text) => JSON.parse(text) as JsonObject)
  return JSON.stringify(mergeChanges(before ?? {}, after ?? {}, stored ?? {}))
}

/** The end of a record, epoch milliseconds: never later than that of the old key. In the past: it is over. */
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

/** Whether a listed document of ours is alive: one that stands on its own, or one whose old key is still there. */
export async function isAlive<T extends object>(
  { documents, old }: { readonly documents: Documents<T>; readonly old: OldRecordDriver },
  name: string,
): Promise<boolean> {
  const stored = await documents.read({ kind: documents.refOf('').kind, name })
  const link = stored && linkOf(stored.value)
  return stored !== null && (link === null || (await old.read(link)) !== null)
}

/** Decides about a record whose old key was missing. See `decideWithoutOld`. */
export async function findWithoutOld(
  { sealed, old, keyOf, report }: SharedRecordDeps,
  id: string,
): Promise<SealedRecord | 'again' | null> {
  const found = await decideWithoutOld({
    readOurs: () => sealed.read(id),
    isCopy: ({ copyOf }) => copyOf !== null,
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
