/**
 * Texts of better-auth other than sessions: single-use values and marks. In mode `read` they stay under the old keys, which old processes
 * read. In mode `move`, Coatcheck stores new texts, and an old text stays until better-auth writes or deletes it. So a read under a name that
 * a visitor chose never deletes a key. Counters start again in Coatcheck, because the old ones have no atomic step that both could use.
 *
 * Bytes that are not UTF-8 and keys of another type belong to another application. Such a key stays as it is, and Coatcheck stores
 * better-auth's text of this name, in both modes.
 */
import type { SecondaryStorage } from '../drop-ins/secondary-storage.ts'
import type { MigrationMode } from './migration-mode.ts'
import type { Report } from './origin.ts'
import type { OldRecord, OldRecordDriver } from './old-record-driver.ts'
import { ATTEMPTS, removeRecord } from './remove-record.ts'
import { isText, writeText } from './write-text.ts'

export interface OldTexts extends SecondaryStorage {
  /**
   * Stores a text under its old key.
   * @param ttlMs `null` keeps the remaining life of the key, if it is there
   * @returns false: the key belongs to another application, and nothing was written
   */
  setOld(key: string, text: string, ttlMs: number | null): Promise<boolean>
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

  const readOld = async (key: string): Promise<OldRecord | null> => {
    const record = await old.read(keyOf(key))
    return record && isText(record.text) ? record : null
  }
  const removeOld = (key: string): Promise<unknown> => removeRecord(old, keyOf(key), isText)

  const write = (key: string, text: string, ttlMs: number | null): Promise<boolean> =>
    writeText(old, keyOf(key), text, ttlMs)

  /** Reads and deletes in one step: of any number of callers, exactly one gets the text. */
  const takeOld = async (key: string): Promise<OldRecord | null> => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const record = await readOld(key)
      if (!record || (await old.remove(keyOf(key), record.text))) return record
    }
    return null
  }

  return {
    setOld: write,

    async get(key) {
      // Ours after the old text: a process in mode `move` stores ours before it removes that text.
      const record = await readOld(key)
      if (mode === 'move') return (await ours.get(key)) ?? record?.text ?? null
      if (record) report('unchanged')
      return record ? record.text : ours.get(key)
    },

    async set(key, value, ttl) {
      if (mode === 'read') {
        // Deletes ours first: a process in mode `move` reads ours before the old one, and may have stored an earlier text.
        await ours.delete(key)
        if (ttl !== undefined && ttl <= 0) await removeOld(key)
        else if (!(await write(key, value, ttl === undefined ? null : ttl * 1000))) await ours.set(key, value, ttl)
        return
      }
      await ours.set(key, value, ttl)
      await removeOld(key)
    },

    async delete(key) {
      await Promise.all([removeOld(key), ours.delete(key)])
    },

    getAndDelete: async (key) => (await takeOld(key))?.text ?? ours.getAndDelete(key),

    increment: (key, ttl) => ours.increment(key, ttl),
  }
}
