/**
 * Mode `read`: old processes still run. The old key decides whether a record exists and what it holds; ours is a copy with a link to the
 * old key. A record of ours without a link stands on its own: a process in mode `move` has taken it over.
 */
import type { Mirrored, TextChange } from './mirror.ts'
import type { OldRecord } from './old-record-driver.ts'
import { ATTEMPTS, endBoth, lifeOf, removeOld, type SharedRecordDeps, type SharedRecords } from './shared-records.ts'

export function createRecordsInReadMode(deps: SharedRecordDeps): SharedRecords {
  const { mirror, old, late, report, keyOf } = deps
  const both = (id: string): Promise<[Mirrored | null, OldRecord | null]> =>
    Promise.all([mirror.read(id), old.read(keyOf(id))])

  /** Our copy follows the old key. False: the record has ended, and the old key was deleted. */
  const copy = async (id: string, ours: Mirrored | null, record: OldRecord): Promise<boolean> => {
    const text = mirror.canonical(record.text)
    const { ttlMs, isAssumed } = lifeOf(deps, record)
    if (text === null || ttlMs <= 0) return true
    if (ours) {
      if (ours.text !== text && (await mirror.replace(id, ours, text, ttlMs, keyOf(id)))) report('synced')
      return true
    }
    const created = await mirror.create(id, text, ttlMs, keyOf(id))
    if (created === 'ended') {
      await removeOld(deps, keyOf(id))
      report('ended')
      return false
    }
    if (created === 'saved') report(isAssumed ? 'no_expiry' : 'adopted')
    return true
  }

  /** The old key of a copy is gone: an old process ended it, or a process in mode `move` has taken it over. */
  const withoutOld = async (id: string): Promise<Mirrored | null> => {
    const ours = await mirror.read(id)
    if (!ours || ours.link === null) return ours
    await mirror.end(id, false)
    report('ended')
    return null
  }

  /** `undefined`: the old key is gone. */
  const changeOld = async (id: string, first: OldRecord, change: TextChange): Promise<string | null | undefined> => {
    let record = first
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const text = mirror.canonical(record.text)
      const next = text === null ? null : change(text)
      if (next === null) return null
      const written = await old.replace(keyOf(id), record.text, next.text, Math.max(1, next.ttlMs))
      if (written.status === 'missing') return undefined
      if (written.status === 'changed') {
        record = written.current
        continue
      }
      const isAlive = await copy(id, await mirror.read(id), { text: next.text, ttlMs: Math.max(1, next.ttlMs) })
      return isAlive ? next.text : null
    }
    throw new Error(`The old key changed ${ATTEMPTS} times while it was written.`)
  }

  const change = async (id: string, apply: TextChange): Promise<string | null> => {
    const [ours, record] = await both(id)
    if (ours && ours.link === null) return mirror.change(id, apply)
    const changed = record === null ? undefined : await changeOld(id, record, apply)
    if (changed !== undefined) return changed
    return (await withoutOld(id)) && mirror.change(id, apply)
  }

  return {
    async find(id) {
      const [ours, record] = await both(id)
      if (ours && ours.link === null) return ours.text
      if (!record) return ours && ((await withoutOld(id))?.text ?? null)
      const text = mirror.canonical(record.text)
      if (text === null) report('unreadable')
      if (text === null || lifeOf(deps, record).ttlMs <= 0) return null
      return (await copy(id, ours, record)) ? text : null
    },

    async store(id, text, ttlMs, isNew = false) {
      if (isNew) {
        late.cancel(keyOf(id))
        await mirror.reopen(id)
      }
      const [ours, record] = await both(id)
      if (ours || record) return (await change(id, () => ({ text, ttlMs }))) !== null
      // Entered first: the end of all records of a user, which may come now, includes this one.
      await mirror.enter(id, text, ttlMs)
      const created = await old.create(keyOf(id), text, ttlMs)
      if (created.status !== 'written') return (await change(id, () => ({ text, ttlMs }))) !== null
      if ((await mirror.create(id, text, ttlMs, keyOf(id))) !== 'ended') return true
      await removeOld(deps, keyOf(id))
      report('ended')
      return false
    },

    change,
    end: (id) => endBoth(deps, id),
  }
}
