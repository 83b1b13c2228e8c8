/**
 * Texts of better-auth that are no sessions: single-use values and marks. In mode `read` they stay under the old keys, which old processes
 * read. In mode `move` new texts are stored here, and an old text stays until better-auth writes or deletes it: a bare name that a visitor
 * chose never deletes a key. Counters begin anew in our storage: the old ones had no atomic step to share.
 */
import type { SecondaryStorage } from '../drop-ins/secondary-storage.ts'
import type { MigrationMode } from './migration-mode.ts'
import type { Report } from './origin.ts'
import type { OldRecord, OldRecordDriver } from './old-record-driver.ts'
import { ATTEMPTS } from './remove-record.ts'

export interface OldTexts extends SecondaryStorage {
  /** Stores a text under its old key. @param ttlMs `null` keeps the remaining life of the key, if it is there */
  setOld(key: string, text: string, ttlMs: number | null): Promise<void>
}

export function createOldTexts(deps: {
  readonly mode: MigrationMode
  readonly old: OldRecordDriver
  /** The storage of Coatcheck. */
  readonly ours: SecondaryStorage
  readonly keyOf: (key: string) => string
  readonly report: Report
}): OldTexts {
  const { mode, old, ours, keyOf, report } = deps

  /** Repeats a conditional write until no other process comes between. */
  const write = async (key: string, text: string, ttlMs: number | null): Promise<void> => {
    let current = await old.read(keyOf(key))
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const written = current
        ? await old.replace(keyOf(key), current.text, text, ttlMs)
        : await old.create(keyOf(key), text, ttlMs)
      if (written.status === 'written') return
      current = written.status === 'changed' ? written.current : null
    }
    throw new Error(`An old key changed ${ATTEMPTS} times while it was written.`)
  }

  /** Of any number of callers exactly one gets it. */
  const takeOld = async (key: string): Promise<OldRecord | null> => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const record = await old.read(keyOf(key))
      if (!record || (await old.remove(keyOf(key), record.text))) return record
    }
    return null
  }

  return {
    setOld: write,

    async get(key) {
      if (mode === 'move') return (await ours.get(key)) ?? (await old.read(keyOf(key)))?.text ?? null
      const [record, own] = await Promise.all([old.read(keyOf(key)), ours.get(key)])
      if (record) report('unchanged')
      return record?.text ?? own
    },

    async set(key, value, ttl) {
      if (mode === 'read') {
        if (ttl !== undefined && ttl <= 0) await old.remove(keyOf(key))
        else await write(key, value, ttl === undefined ? null : ttl * 1000)
        return
      }
      await ours.set(key, value, ttl)
      await old.remove(keyOf(key))
    },

    async delete(key) {
      await Promise.all([old.remove(keyOf(key)), ours.delete(key)])
    },

    getAndDelete: async (key) => (await takeOld(key))?.text ?? ours.getAndDelete(key),

    increment: (key, ttl) => ours.increment(key, ttl),
  }
}
