/**
 * `active-sessions-<user id>`: the list of a user's sessions that better-auth reads, filters and writes back. Old processes rewrite it whole.
 * A process of ours makes the list of what is stored, and in mode `read` it also keeps the old key for old processes.
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
  /** The sessions that are alive, as JSON. `null`: there are none. */
  get(key: string): Promise<string | null>
  /** Writes the old list in mode `read`. @param value `null`: better-auth deletes the list */
  set(key: string, value: string | null, ttlMs: number | null): Promise<void>
  /** Takes the sessions that have ended out of the old list of a user, in mode `read`. */
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
    const [own, record] = await Promise.all([ours.get(key), old.read(keyOf(key))])
    const alive = await aliveAmong(byToken([...entriesIn(record?.text), ...entriesIn(own)]))
    // All of its sessions have been taken over, so the list has nothing left to say.
    if (mode === 'move' && record && readJsonArray(record.text)) await old.remove(keyOf(key), record.text)
    return alive.length > 0 ? JSON.stringify(alive) : null
  }
  const setList = async (key: string, value: string | null, ttlMs: number | null): Promise<void> => {
    if (mode === 'move') {
      await listOf(key)
      return
    }
    // A parallel sign-in of an old process may have entered its session: it stays while it is alive. Sessions that stand on their own
    // enter no list that better-auth has emptied: no old process can read them.
    const kept = await aliveAmong(entriesIn((await old.read(keyOf(key)))?.text))
    const wanted = byToken([...kept, ...entriesIn(value)])
    const isList = (text: string): boolean => readJsonArray(text) !== null
    if (wanted.length === 0) await removeRecord(old, keyOf(key), isList)
    else await texts.setOld(key, JSON.stringify(wanted), ttlMs ?? lastEndOf(wanted) - clock.now())
  }
  /**
   * better-auth takes a session out of its list while the session is alive, so the session has stayed in it. Sessions that end together
   * share the next pass over their list: each pass reads the whole list, and parallel passes would only overwrite one another.
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
