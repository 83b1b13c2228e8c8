/**
 * Documents that a set names, such as the sessions of one user. A document enters its set before it is stored, and is ended without leaving
 * it. So a set may name documents that are not stored: ones that are about to be stored, and ones that have ended.
 */
import { ENDED_REMEMBERED_MS } from '../core/time-to-live.ts'
import type { DocumentDriver, DocumentRef } from './document-driver.ts'
import type { Documents } from './documents.ts'

const MAX_PARALLEL_ENDS = 64

export interface SetMember<T> {
  readonly ref: DocumentRef
  /** `null`: no document is stored under the name. */
  readonly value: T | null
}

/**
 * Reads the documents that a set names, the longest-living first.
 * @param limits `most`: how many members are read. `except`: the name of a member that is left out
 */
export async function readMembers<T>(
  documents: Pick<Documents<T>, 'driver' | 'read'>,
  set: DocumentRef,
  { most, except }: { readonly most?: number; readonly except?: string | undefined } = {},
): Promise<readonly SetMember<T>[]> {
  const names = (await documents.driver.members(set)).filter((name) => name !== except).slice(0, most)
  return Promise.all(
    names.map(async (name) => {
      const ref = { kind: set.kind, name }
      return { ref, value: (await documents.read(ref))?.value ?? null }
    }),
  )
}

/**
 * Ends documents, 64 at a time. Each leaves the ended marker, also one that is not stored (yet).
 * @returns the number of documents that were stored
 */
export async function endAll(driver: DocumentDriver, refs: readonly DocumentRef[]): Promise<number> {
  let ended = 0
  for (let at = 0; at < refs.length; at += MAX_PARALLEL_ENDS) {
    const batch = refs.slice(at, at + MAX_PARALLEL_ENDS).map((ref) => driver.end(ref, ENDED_REMEMBERED_MS, true))
    ended += (await Promise.all(batch)).filter(Boolean).length
  }
  return ended
}
