/**
 * Mode `move`: no old process runs any more. The first process that reads an old record takes it over and deletes the old key. From then on
 * our record is independent, and a lookup costs one read.
 */
import { SessionError } from '../core/errors.ts'
import type { Link } from '../documents/linked-json.ts'
import type { SealedRecord, TextChange } from './sealed-records.ts'
import { ATTEMPTS } from './remove-record.ts'
import {
  endBoth,
  endOfLife,
  findWithoutOld,
  mergedText,
  oldRemoval,
  type SharedRecordDeps,
  type SharedRecords,
} from './shared-records.ts'

const MAX_REMEMBERED_IDS = 10_000

export function createRecordsInMoveMode(deps: SharedRecordDeps): SharedRecords {
  const { sealed, old, late, clock, report, keyOf } = deps
  const removal = oldRemoval(deps)

  /** Ids whose old key no longer exists, as this process has seen. Their records need one read. */
  const withoutOldKey = new Set<string>()
  const rememberOldKeyGone = (id: string): void => {
    if (withoutOldKey.size >= MAX_REMEMBERED_IDS) withoutOldKey.clear()
    withoutOldKey.add(id)
  }

  /** The link stays until the first write after the old key is gone. After a crash, the next request or the end of the record deletes the key. */
  const madeFrom = (id: string): Link => ({ key: keyOf(id), isCopy: false })

  /**
   * Deletes the old key of a record that ours took over. From then on only our record says whether it has ended. So a missing key means
   * nothing here: the client has sent the removal twice, or another process has deleted the key.
   */
  const dropOld = async (id: string, taken: string): Promise<string | null> => {
    let text = taken
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const record = (await old.remove(keyOf(id), text)) ? null : await old.read(keyOf(id))
      const changed = record && sealed.canonical(record.text)
      if (!record || changed === null) {
        report('moved')
        rememberOldKeyGone(id)
        return (await sealed.read(id))?.text ?? null
      }
      // A process in mode `read` wrote to the old key before it saw the takeover. Its changes are merged into our record.
      const base = sealed.canonical(text) ?? changed
      await sealed.change(id, (now) => ({
        text: mergedText(base, changed, now),
        ttlMs: endOfLife(deps, record).endsAtMs - clock.now(),
      }))
      text = record.text
    }
    throw new Error(`The old key changed ${ATTEMPTS} times while it was taken over.`)
  }

  /** Reads ours again if the old key holds no live record: another process may have taken that record over in between. */
  const readIndependent = async (id: string): Promise<string | null> => {
    const ours = await sealed.read(id)
    return ours !== null && ours.copyOf === null ? ours.text : null
  }

  const takeOver = async (id: string, ours: SealedRecord | null, attempt: number): Promise<string | null> => {
    const record = await old.read(keyOf(id))
    if (!record) {
      const found = await findWithoutOld(deps, id)
      if (found !== 'again') return found?.text ?? null
      if (attempt < ATTEMPTS) return find(id, attempt + 1)
      throw new SessionError('COATCHECK_SESSION_CONFLICT', { details: { operation: 'migrate.move' } })
    }
    const text = sealed.canonical(record.text)
    if (text === null) {
      report('unreadable')
      return readIndependent(id)
    }
    const { endsAtMs, isOver, isAssumed } = endOfLife(deps, record)
    if (isOver) return readIndependent(id)
    const created = ours
      ? (await sealed.replace(id, ours, text, endsAtMs, madeFrom(id)))
        ? 'saved'
        : 'taken'
      : await sealed.create(id, text, endsAtMs, madeFrom(id))
    if (created === 'saved') {
      if (isAssumed) report('no_expiry')
      return dropOld(id, record.text)
    }
    if (created === 'ended') {
      await removal.remove(keyOf(id))
      report('ended')
      return null
    }
    const now = await sealed.read(id)
    // A process in mode `read` has stored its copy in between, or a copy has expired before its old key.
    if (now?.copyOf !== null && attempt < ATTEMPTS) return takeOver(id, now, attempt + 1)
    return now?.text ?? null
  }

  const find = async (id: string, attempt = 1): Promise<string | null> => {
    const ours = await sealed.read(id)
    if (!ours || ours.copyOf !== null) return takeOver(id, ours, attempt)
    if (ours.takenFrom !== null && !withoutOldKey.has(id)) {
      // Another process is about to delete the old key, or crashed before it did. A late write of a process in mode `read` also goes into
      // our record.
      await removal.remove(keyOf(id))
      rememberOldKeyGone(id)
    }
    return ours.text
  }
  const changeOurs = (id: string, change: TextChange): Promise<string | null> =>
    sealed.change(id, change, withoutOldKey.has(id))

  return {
    find: (id) => find(id),

    async store(id, text, ttlMs, isNew = false) {
      if (isNew) {
        late.cancel(keyOf(id))
        await sealed.reopen(id)
      }
      const replace = async (): Promise<boolean> => (await changeOurs(id, () => ({ text, ttlMs }))) !== null
      if ((await find(id)) !== null) return replace()
      withoutOldKey.delete(id)
      const created = await sealed.create(id, text, clock.now() + ttlMs, madeFrom(id))
      return created === 'taken' ? replace() : created === 'saved'
    },

    change: async (id, change) => ((await find(id)) === null ? null : changeOurs(id, change)),
    end: (id) => endBoth(deps, id),
  }
}
