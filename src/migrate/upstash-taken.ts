/**
 * What Coatcheck has taken over of a user or an account of the old Auth.js adapter. Our document carries a mark, sealed with it, until nothing
 * of the old record is left. So the next request sees that a takeover was cut off, and finishes it.
 */
import type { Documents } from '../documents/documents.ts'
import { oldKeyOf, takenTextOf, withLink } from '../documents/linked-json.ts'
import type { StoredDates } from '../drop-ins/dated-json.ts'

/**
 * `begun`: the document is stored, and its address is not claimed yet. `taken`: the document has taken in the old record, whose keys may still
 * exist. `whole`: the takeover has ended, or the user never was a record of the old library.
 */
export type TakenState = 'begun' | 'taken' | 'whole'

export function takenStateOf(value: StoredDates): TakenState {
  if (oldKeyOf(value) === null) return 'whole'
  return takenTextOf(value) === null ? 'begun' : 'taken'
}

/** Returns the value with a mark. @param text the old text that the value has taken in; absent: the takeover has only begun */
export function marked(value: StoredDates, key: string, text?: string): StoredDates {
  return withLink(value, { key, isCopy: false, ...(text !== undefined && { text }) })
}

/** Returns the value without its mark. */
export function unmarked(value: StoredDates): StoredDates {
  return withLink(value, null)
}

/** Returns the documents with one difference: a change keeps the mark. Without it, an update would hide that a takeover was cut off. */
export function keepingMarks(documents: Documents<StoredDates>): Documents<StoredDates> {
  return {
    ...documents,
    change: (ref, change, ttlMs, known) =>
      documents.change(
        ref,
        async (now) => {
          const next = await change(now)
          const key = oldKeyOf(now)
          return next === null || key === null ? next : marked(next, key, takenTextOf(now) ?? undefined)
        },
        ttlMs,
        known,
      ),
  }
}

/** Returns the documents with one difference: each stored document carries a mark of this key. */
export function addingMarks(
  documents: Documents<StoredDates>,
  keyOf: (value: StoredDates) => string,
): Documents<StoredDates> {
  const mark = (value: StoredDates): StoredDates => marked(value, keyOf(value))
  return {
    ...documents,
    put: (ref, value, options) => documents.put(ref, mark(value), options),
    async change(ref, change, ttlMs, known) {
      const marking = async (now: StoredDates): Promise<StoredDates | null> => {
        const next = await change(now)
        return next && mark(next)
      }
      return documents.change(ref, marking, ttlMs, known)
    },
  }
}
