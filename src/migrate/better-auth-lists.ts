/**
 * `active-sessions-<user id>`: the list of a user's sessions that better-auth reads, filters and writes back. Old processes rewrite the whole
 * list. Coatcheck derives the list from the stored sessions, and in mode `read` it also writes the old key for old processes.
 */
import type { Clock } from '../core/clock.ts'
import type { SecondaryStorage } from '../drop-ins/secondary-storage.ts'
import type { MigrationMode } from './migration-mode.ts'
import type { OldRecordDriver } from './old-record-driver.ts'
import type { OldTexts } from './old-texts.ts'
import { readJsonArray } from './read-json.ts'
import { removeRecord } from './remove-record.ts'
import type { SharedRecords } from './shared-records.ts'

/** The keys of lists. */
export const LIST = /^active-sessions-(.+)$/s

export interface SessionLists {
  /** Returns the live sessions as JSON. `null`: there are none. */
  get(key: string): Promise<string | null>
  /** Writes the old list in mode `read`. @param value `null`: better-auth deletes the list */
  set(key: string, value: string | null, ttlMs: number | null): Promise<void>
  /** Removes ended sessions from the old list of a user, in mode `read`. */
  leave(userId: string): Promise<void>
}

interface Entry {
  readonly token: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

export function createSessionLists(deps: {
  readonly mode: MigrationMode
  readonly old: OldRecordDriver
  /** The storage of Coatcheck. */
  readonly ours: SecondaryStorage
  readonly sessions: Pick<SharedRecords, 'find'>
  readonly texts: Pick<OldTexts, 'setOld'>
  readonly keyOf: (key: string) => string
  readonly clock: Clock
}): SessionLists {
  const { mode, old, ours, sessions, texts, keyOf, clock } = deps
  const aliveAmong = async (entries: readonly Entry[]): Promise<readonly Entry[]> => {
    const texts = await Promise.all(entries.map(({ token }) => sessions.find(token)))
    return entries.filter(({ expiresAt }, index) => texts[index] !== null && expiresAt > clock.now())
  }
  const listOf = async (key: string): Promise<string | null> => {
    // Ours after the old list: a process in mode `move` takes all its sessions over before it removes that list.
    const record = await old.read(keyOf(key))
    const own = await ours.get(key)
    const alive = await aliveAmong(byToken([...entriesIn(record?.text), ...entriesIn(own)]))
    // All sessions of the old list have been taken over, so it is no longer needed.
    if (mode === 'move' && record && readJsonArray(record.text)) await old.remove(keyOf(key), record.text)
    return alive.length > 0 ? JSON.stringify(alive) : null
  }
  const setList = async (key: string, value: string | null, ttlMs: number | null): Promise<void> => {
    if (mode === 'move') {
      await listOf(key)
      return
    }
    // A parallel sign-in of an old process may have added its session, which stays while it is alive. Independent sessions are not added to
    // a list that better-auth has emptied, because no old process can read them.
    const kept = await aliveAmong(entriesIn((await old.read(keyOf(key)))?.text))
    const wanted = byToken([...kept, ...entriesIn(value)])
    const isList = (text: string): boolean => readJsonArray(text) !== null
    if (wanted.length === 0) await removeRecord(old, keyOf(key), isList)
    else await texts.setOld(key, JSON.stringify(wanted), ttlMs ?? lastEndOf(wanted) - clock.now())
  }
  /**
   * better-auth removes a session from its list before it deletes the session. At that time the session is alive, so it stays in the list.
   * This pass removes it. Sessions that end together share one pass, because parallel passes over a whole list would overwrite one another.
   */
  const passes = new Map<string, { readonly next: Promise<void> | null; readonly running: Promise<void> }>()
  const leaveList = (key: string): Promise<void> => {
    const pass = passes.get(key)
    if (pass?.next) return pass.next
    const start = async (): Promise<void> => {
      passes.set(key, { next: null, running: next })
      const record = await old.read(keyOf(key))
      if (entriesIn(record?.text).length > 0) await setList(key, null, null)
    }
    const next: Promise<void> = (pass?.running.catch(() => undefined) ?? Promise.resolve()).then(start).finally(() => {
      if (passes.get(key)?.running === next) passes.delete(key)
    })
    passes.set(key, { next, running: pass?.running ?? next })
    return next
  }

  return { get: listOf, set: setList, leave: (userId) => leaveList(`active-sessions-${userId}`) }
}

function byToken(entries: readonly Entry[]): readonly Entry[] {
  return [...new Map(entries.map((entry) => [entry.token, entry])).values()]
}

function lastEndOf(entries: readonly Entry[]): number {
  return Math.max(...entries.map(({ expiresAt }) => expiresAt))
}

function entriesIn(text: string | null | undefined): readonly Entry[] {
  return (text ? (readJsonArray(text) ?? []) : []).filter((entry): entry is Entry => {
    const { token, expiresAt } = (entry ?? {}) as Partial<Entry>
    return typeof token === 'string' && typeof expiresAt === 'number'
  })
}
