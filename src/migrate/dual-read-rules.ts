/**
 * The rules that both dual reads follow: the one of session objects (`sessions/`), and the one of texts (`records-in-read-mode.ts` and
 * `records-in-move-mode.ts`). They store different records, but the same rules decide which record wins and in which order records end.
 * docs/decisions/0028 lists what is shared and what is not.
 */
import { SessionError } from '../core/errors.ts'
import type { EndingLink } from '../documents/library-session-lists.ts'
import type { LateRemovals } from './late-removals.ts'
import type { OldRecordDriver } from './old-record-driver.ts'
import { assertSamePlace, type OldPlace } from './old-place.ts'
import type { Report } from './origin.ts'
import { removeRecord } from './remove-record.ts'

/** Each further round means that another process has changed the record in between. */
const MAX_ROUNDS = 16

/**
 * Repeats steps that another process has disturbed.
 * @param run returns `again` for one more round
 * @throws {SessionError} `COATCHECK_SESSION_CONFLICT` after 16 rounds
 */
export async function repeated<T>(operation: string, run: () => Promise<T | 'again'>): Promise<T> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const result = await run()
    if (result !== 'again') return result
  }
  throw new SessionError('COATCHECK_SESSION_CONFLICT', { details: { operation } })
}

/**
 * Decides about a record of ours after a read found no old record. A copy can have been created after that read, together with its old
 * record. So this function reads the old record again, after it has seen the copy: if it is missing then, it was removed or has expired.
 * Then this function reads our record once more, because a process in mode `move` makes our record independent before it removes the old
 * one.
 * @param deps `copyOf`: where the old record of a copy is; `null`: the record is independent. `here`: where the old record was missing
 * @returns our record, if it is independent; `ended`: it was a copy, and has ended; `again`: the old record exists; `null`: there is none
 * @throws {ConfigError} `COATCHECK_CONFIG_INVALID` if the old record of the copy is at another place
 */
export async function decideWithoutOld<Ours>(deps: {
  readonly readOurs: () => Promise<Ours | null>
  readonly copyOf: (ours: Ours) => OldPlace | null
  readonly here: OldPlace
  readonly hasOld: () => Promise<boolean>
  readonly endOurs: () => Promise<unknown>
  readonly report: Report
}): Promise<Ours | 'again' | 'ended' | null> {
  const seen = await deps.readOurs()
  const copyOf = seen && deps.copyOf(seen)
  if (copyOf === null) return seen
  if (await deps.hasOld()) return 'again'
  const ours = await deps.readOurs()
  if (ours === null || deps.copyOf(ours) === null) return ours
  assertSamePlace(copyOf, deps.here)
  await deps.endOurs()
  deps.report('ended')
  return 'ended'
}

/**
 * Ends a record for old and new processes, the old record first. A crash in between leaves a copy without its old record, which ends at
 * its next read.
 * @param endOld returns whether there was an old record
 * @param endOurs leaves the ended marker even if nothing is stored, if an old record was there: another process may be about to adopt it
 * @returns whether there was a record on either side
 */
export async function endOldFirst(
  endOld: () => Promise<boolean>,
  endOurs: (alsoUnstored: boolean) => Promise<boolean>,
): Promise<boolean> {
  const isOldRemoved = await endOld()
  const isOursEnded = await endOurs(isOldRemoved)
  return isOldRemoved || isOursEnded
}

/** Deletes old records of one format. A value of another format stays: the keys of some libraries have no prefix. */
export interface OldRecordRemoval {
  /** Deletes the record. False: the key holds no record of the format. */
  remove(key: string): Promise<boolean>
  /** Deletes the record, and once more 5 s later: an old process that is answering a request may write it again. False: as `remove`. */
  end(link: EndingLink): Promise<boolean>
}

export function createOldRecordRemoval({
  old,
  late,
  isRecord,
}: {
  readonly old: Pick<OldRecordDriver, 'read' | 'remove'>
  readonly late: LateRemovals
  /** Whether a value is a record of the format. */
  readonly isRecord: (text: string) => boolean
}): OldRecordRemoval {
  const remove = async (key: string, beforeRemoval?: () => void): Promise<boolean> =>
    (await removeRecord(old, key, isRecord, beforeRemoval)) !== null
  return {
    remove: (key) => remove(key),
    end: ({ key, isStored }) =>
      remove(key, () => {
        late.add(key, { isStored, remove: () => remove(key) })
      }),
  }
}
