/**
 * Mode `read`: old processes still run. The old key decides whether a record exists and what it contains. Ours is a copy with a link to the
 * old key. A record of ours without a link is independent: a process in mode `move` has taken it over, and its old key does not count.
 */
import type { Link } from '../documents/linked-json.ts'
import type { SealedRecord, TextChange } from './sealed-records.ts'
import type { OldRecord } from './old-record-driver.ts'
import { repeated } from './dual-read-rules.ts'
import { ATTEMPTS } from './remove-record.ts'
import {
  endBoth,
  endOfLife,
  findWithoutOld,
  oldRemoval,
  type SharedRecordDeps,
  type SharedRecords,
} from './shared-records.ts'

/** `unlinked`: a process in mode `move` was faster, so ours decides. `ended`: the record has ended, and the old key was deleted. */
type Copied = 'copied' | 'unlinked' | 'ended'

/** An old record, and who wrote its text: an old process, or this call, which changed or created it. */
type WrittenRecord = Pick<OldRecord, 'text' | 'endsAtMs'> & { readonly by: 'old process' | 'change' | 'creation' }

export function createRecordsInReadMode(deps: SharedRecordDeps): SharedRecords {
  const { sealed, old, place = '', late, clock, report, keyOf } = deps
  const removal = oldRemoval(deps)
  const linkTo = (id: string): Link => ({ key: keyOf(id), place, isCopy: true })
  const both = (id: string): Promise<[SealedRecord | null, OldRecord | null]> =>
    Promise.all([sealed.read(id), old.read(keyOf(id))])

  /** Returns whether a copy has this text, and names the servers where the old key is now. */
  const isCurrent = (ours: SealedRecord | null, text: string): boolean =>
    ours?.text === text && ours.copyOf?.place === place

  const isUnlinked = async (id: string): Promise<boolean> => {
    const ours = await sealed.read(id)
    return ours !== null && ours.copyOf === null
  }

  /**
   * Copies the text and the end of the old key into ours. If another process changes the copy in between, the next read copies again. A
   * change of this call also moves the end of an equal text. What this call wrote is not reported as found in the old keys.
   */
  const copy = async (id: string, ours: SealedRecord | null, record: WrittenRecord): Promise<Copied> => {
    if (ours && ours.copyOf === null) return 'unlinked'
    const isOwn = record.by !== 'old process'
    const text = sealed.canonical(record.text)
    if (text === null || (isCurrent(ours, text) && !isOwn)) return 'copied'
    const { endsAtMs, isOver, isAssumed } = endOfLife(deps, record)
    if (isOver) return 'copied'
    if (ours) {
      const isReplaced = await sealed.replace(id, ours, text, endsAtMs, linkTo(id))
      if (isReplaced && !isOwn) report(ours.text === text ? 'unchanged' : 'synced')
      return isReplaced || !(await isUnlinked(id)) ? 'copied' : 'unlinked'
    }
    const created = await sealed.create(id, text, endsAtMs, linkTo(id))
    if (created === 'taken') return (await isUnlinked(id)) ? 'unlinked' : 'copied'
    if (created === 'ended') {
      await removal.remove(keyOf(id))
      report('ended')
      return 'ended'
    }
    if (record.by !== 'creation') report(isAssumed ? 'no_expiry' : 'adopted')
    return 'copied'
  }

  /** Reads both records. Without an old record, ours is independent or `null`. */
  const readDeciding = (
    id: string,
  ): Promise<{ readonly ours: SealedRecord | null; readonly record: OldRecord | null }> =>
    repeated('migrate.find', async () => {
      const [ours, record] = await both(id)
      if (record || (ours && ours.copyOf === null)) return { ours, record }
      const found = await findWithoutOld(deps, id)
      return found === 'again' ? found : { ours: found, record: null }
    })

  /** `undefined`: the old key is gone. */
  const changeOld = async (id: string, first: OldRecord, change: TextChange): Promise<string | null | undefined> => {
    let record = first
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const text = sealed.canonical(record.text)
      const next = text === null ? null : change(text)
      if (next === null) return null
      const ttlMs = Math.max(1, next.ttlMs)
      const endsAtMs = clock.now() + ttlMs
      const written = await old.replace(keyOf(id), record.text, next.text, ttlMs)
      if (written.status === 'missing') return undefined
      if (written.status === 'changed') {
        record = written.current
        continue
      }
      const copied = await copy(id, await sealed.read(id), { text: next.text, endsAtMs, by: 'change' })
      if (copied === 'unlinked') return sealed.change(id, change)
      return copied === 'copied' ? next.text : null
    }
    throw new Error(`The old key changed ${ATTEMPTS} times while it was written.`)
  }

  const change = async (id: string, apply: TextChange): Promise<string | null> => {
    const { text } = await repeated('migrate.save', async () => {
      const { ours, record } = await readDeciding(id)
      if (ours && ours.copyOf === null) return { text: await sealed.change(id, apply) }
      const changed = record === null ? null : await changeOld(id, record, apply)
      return changed === undefined ? 'again' : { text: changed }
    })
    return text
  }

  return {
    async find(id) {
      const { ours, record } = await readDeciding(id)
      if (ours && ours.copyOf === null) return ours.text
      if (!record) return null
      const text = sealed.canonical(record.text)
      if (text === null) report('unreadable')
      if (text === null || endOfLife(deps, record).isOver) return null
      if (isCurrent(ours, text)) {
        report('unchanged')
        return text
      }
      const copied = await copy(id, ours, { ...record, by: 'old process' })
      if (copied === 'unlinked') return (await sealed.read(id))?.text ?? null
      return copied === 'copied' ? text : null
    },

    async store(id, text, ttlMs, isNew = false) {
      if (isNew) {
        late.cancel(keyOf(id))
        await sealed.reopen(id)
      }
      const replace = async (): Promise<boolean> => (await change(id, () => ({ text, ttlMs }))) !== null
      const [ours, record] = await both(id)
      if (ours || record) return replace()
      // Enters the sets first: from then on, ending all records of the user includes this one.
      const endsAtMs = clock.now() + ttlMs
      await sealed.enter(id, text, endsAtMs)
      const created = await old.create(keyOf(id), text, ttlMs)
      if (created.status !== 'written') return replace()
      const copied = await copy(id, null, { text, endsAtMs, by: 'creation' })
      return copied === 'unlinked' ? replace() : copied === 'copied'
    },

    change,
    end: (id) => endBoth(deps, id),
  }
}
