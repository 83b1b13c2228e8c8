/**
 * Coatcheck's records of a library's sessions during a migration: sealed documents. A copy names its old key, and the old record decides about
 * it. An independent record decides itself. Of processes that change the same record at once, compare and set lets one win.
 */
import { ENDED_REMEMBERED_MS } from '../core/time-to-live.ts'
import type { Clock } from '../core/clock.ts'
import type { DocumentDriver, DocumentRef } from '../documents/document-driver.ts'
import type { Documents, StoredDocument } from '../documents/documents.ts'
import type { OldRecordRemoval } from './dual-read-rules.ts'
import { type Link, linkOf, oldKeyOf, withLink } from '../documents/linked-json.ts'

/** Converts the texts of a library to documents and back. */
export interface SealedRecordFormat<T extends object> {
  readonly documents: Documents<T>
  readonly clock: Clock
  /** `null`: the text is no record of this library. */
  toValue(text: string): T | null
  toText(value: T): string
  /** Returns the sets that the record enters before it is stored, such as the set of its user. */
  setsOf(value: T): readonly DocumentRef[]
}

/** A sealed record as it was read. */
export interface SealedRecord {
  readonly text: string
  /** The old key that it is a copy of, and where. `null`: it is independent. */
  readonly copyOf: Link | null
  /** The old key whose record it took over, and which may still exist. `null`: there is none. */
  readonly takenFrom: string | null
  readonly stored: StoredDocument<object>
}

export interface SealedRecords {
  read(id: string): Promise<SealedRecord | null>
  /** The text as `read` would return it, or `null` when it is no record of this library. */
  canonical(text: string): string | null
  /**
   * Stores a record if none is stored. `taken`: one is stored. `ended`: the ended marker refuses it.
   * @param endsAtMs epoch milliseconds. The time until the record is stored is part of its life.
   */
  create(id: string, text: string, endsAtMs: number, link: Link): Promise<'saved' | 'taken' | 'ended'>
  /** Adds the record to its sets. From then on, ending all records of a set includes this one. */
  enter(id: string, text: string, endsAtMs: number): Promise<void>
  /** Replaces a copy, if it is still the one that was read. False: another process was first. */
  replace(id: string, seen: SealedRecord, text: string, endsAtMs: number, link: Link): Promise<boolean>
  /**
   * Changes an independent record. `null`: there is none, or `change` returned `null`.
   * @param isOldGone the old key that it took over no longer exists, so the record drops its name
   */
  change(id: string, change: TextChange, isOldGone?: boolean): Promise<string | null>
  end(id: string, alsoUnstored: boolean): Promise<boolean>
  /** Lets a new record be stored under the id of an ended one. */
  reopen(id: string): Promise<void>
}

/** Changes a text. May be called again with the text that another process wrote meanwhile. `null`: no change. */
export type TextChange = (text: string) => { readonly text: string; readonly ttlMs: number } | null

export function createSealedRecords<T extends object>(format: SealedRecordFormat<T>): SealedRecords {
  const { documents, clock, toText } = format
  const { driver, refOf } = documents
  const valueOf = (text: string): T => {
    const value = format.toValue(text)
    if (value === null) throw new TypeError('A text of another format reached the sealed records.')
    return value
  }
  const lifeUntil = (endsAtMs: number): number => Math.max(1, endsAtMs - clock.now())
  const enter = async (ref: DocumentRef, value: T, endsAtMs: number): Promise<void> => {
    const ttlMs = lifeUntil(endsAtMs)
    await Promise.all(format.setsOf(value).map((set) => driver.enter(set, ref.name, ttlMs)))
  }

  return {
    async read(id) {
      const stored = await documents.read(refOf(id))
      if (!stored) return null
      const { value } = stored
      return { text: toText(value), copyOf: linkOf(value), takenFrom: takenLinkOf(value)?.key ?? null, stored }
    },

    canonical(text) {
      const value = format.toValue(text)
      return value === null ? null : toText(value)
    },

    async create(id, text, endsAtMs, link) {
      const [ref, value] = [refOf(id), withLink(valueOf(text), link)]
      await enter(ref, value, endsAtMs)
      const { status } = await documents.put(ref, value, { ttlMs: lifeUntil(endsAtMs), isNew: true })
      return status === 'gone' ? 'taken' : status
    },

    enter: (id, text, endsAtMs) => enter(refOf(id), valueOf(text), endsAtMs),

    async replace(id, seen, text, endsAtMs, link) {
      const [ref, value] = [refOf(id), withLink(valueOf(text), link)]
      await enter(ref, value, endsAtMs)
      const known = seen.stored as StoredDocument<T>
      const changed = await documents.change(
        ref,
        (now) => (now === known.value ? value : null),
        () => lifeUntil(endsAtMs),
        known,
      )
      return changed.status === 'saved' && changed.document.value === value
    },

    async change(id, change, isOldGone = false) {
      const ref = refOf(id)
      let endsAtMs = 0
      let changedText: string | null = null
      const changed = await documents.change(
        ref,
        async (now) => {
          const next = linkOf(now) === null ? change(toText(now)) : null
          changedText = next?.text ?? null
          if (next === null) return null
          endsAtMs = clock.now() + next.ttlMs
          const value = withLink(valueOf(next.text), isOldGone ? null : takenLinkOf(now))
          await enter(ref, value, endsAtMs)
          return value
        },
        () => lifeUntil(endsAtMs),
      )
      return changed.status === 'saved' ? changedText : null
    },

    end: (id, alsoUnstored) => driver.end(refOf(id), ENDED_REMEMBERED_MS, alsoUnstored),
    reopen: (id) => driver.reopen(refOf(id)),
  }
}

function takenLinkOf(value: object): Link | null {
  const key = linkOf(value) === null ? oldKeyOf(value) : null
  return key === null ? null : { key, isCopy: false }
}

/**
 * Returns the documents of a drop-in with one difference: before a document ends, the driver deletes the old key that it comes from. So
 * each end of sessions, by name, by user or by logout token, also ends them for old processes.
 */
export function endingOldKeys<T extends object>(
  documents: Documents<T>,
  removal: Pick<OldRecordRemoval, 'end'>,
): Documents<T> {
  const end: DocumentDriver['end'] = async (ref, rememberMs, alsoUnstored) => {
    const stored = await documents.read(ref)
    const key = stored && oldKeyOf(stored.value)
    const isStored = async (): Promise<boolean> => (await documents.read(ref)) !== null
    const isRemoved = key !== null && (await removal.end({ key, isStored }))
    return documents.driver.end(ref, rememberMs, alsoUnstored === true || isRemoved)
  }
  // A prototype, not a copy: methods of a driver may be those of a class.
  const driver: DocumentDriver = Object.create(documents.driver, { end: { value: end } }) as DocumentDriver
  return { ...documents, driver }
}
