/**
 * The origin `betterAuthStorage`: the keys that better-auth's secondary storage wrote before. Sessions lie under their bare token of 32
 * characters, so a key is touched only if its value is a session of that token. The lists of sessions are rewritten whole by old
 * processes; here a list also keeps each session that is alive. Other texts and counters stay where old processes find them.
 */
import type { SecondaryStorage, StoredText } from '../drop-ins/secondary-storage.ts'
import type { DocumentRef } from '../documents/document-driver.ts'
import type { Documents } from '../documents/documents.ts'
import { beginOf, type OldSessionOrigin, recordSessions } from './bridges/old-sessions.ts'
import { createLateRemovals } from './late-removals.ts'
import { createMirror, endingOldKeys } from './mirror.ts'
import type { OldKeys } from './old-keys.ts'
import { type Origin, type OriginDeps, reporter } from './origin.ts'
import type { OriginOptions } from './sessions/create-origin.ts'
import { createOldTexts } from './old-texts.ts'
import { readJson, readJsonArray } from './read-json.ts'
import { removeRecord } from './remove-record.ts'
import { shareRecords } from './share-records.ts'
import { endOld, removeOld } from './shared-records.ts'

/** Options of `betterAuthStorage()`. */
export interface BetterAuthStorageOptions extends OriginOptions {
  /** What stands before all old keys. Default: nothing, as better-auth passes its keys. */
  readonly prefix?: string
}

/** The keys of an earlier secondary storage of better-auth, for `secondaryStorage({ migrateFrom })`. */
export interface BetterAuthOrigin extends Origin, OldSessionOrigin {
  /** Called by the drop-in at its first use. */
  attach(
    deps: OriginDeps & {
      /** The documents of the drop-in. */
      readonly documents: Documents<StoredText>
      /** Makes the storage of the drop-in on these documents. */
      readonly make: (documents: Documents<StoredText>) => SecondaryStorage
    },
  ): SecondaryStorage
}

const TOKEN = /^[A-Za-z0-9]{32}$/
const LIST = /^active-sessions-(.+)$/s

interface Entry {
  readonly token: string
  readonly expiresAt: number
}

/** Reads the keys of an earlier secondary storage of better-auth. */
export function betterAuthStorage(options: BetterAuthStorageOptions = {}): BetterAuthOrigin {
  const { prefix = '', mode = 'read', store } = options
  const name = 'better-auth'
  return {
    ...{ name, mode, ...(store && { store }), keys: keysOf(prefix) },
    openSessions: (ground) =>
      recordSessions(
        {
          keyOf: (token) => prefix + token,
          decode(text, token) {
            const session = sessionIn(text)
            const data = readJson(text)
            if (session?.token !== token || !data) return null
            return { data, endsAtMs: session.expiresAtMs, beganAtMs: beginOf(data) }
          },
        },
        store,
        ground,
      ),
    attach(deps) {
      const { old, clock, events, documents } = deps
      const setOf = (userId: string): DocumentRef => documents.refOf(`user ${userId}`)
      const mirror = createMirror<StoredText>({
        documents,
        clock,
        toValue(text) {
          const session = sessionIn(text)
          return session && { t: text, u: setOf(session.userId).name }
        },
        toText: ({ t }) => t,
        setsOf: ({ t }) => [setOf(sessionIn(t)?.userId ?? '')],
      })
      const report = reporter(name, events)
      const keyOf = (key: string): string => prefix + key
      // Its token names it: another value under a bare key of 32 characters is left alone.
      const ofThisKey = (key: string, text: string): boolean => keyOf(sessionIn(text)?.token ?? '') === key
      const guarded = {
        ...old,
        read: async (key: string) => {
          const record = await old.read(key)
          return record && ofThisKey(key, record.text) ? record : null
        },
      }
      const shared = {
        ...{ mirror, old: guarded, late: createLateRemovals(deps.closing), clock, report, keyOf },
        endOf: (text: string) => sessionIn(text)?.expiresAtMs ?? null,
        defaultTtlMs: () => 0,
      }
      const sessions = shareRecords(mode, shared)
      const ours = deps.make(endingOldKeys(documents, (key, isStored) => endOld(shared, key, isStored)))
      const texts = createOldTexts({ mode, old, ours, keyOf, report })

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
        const next: Promise<void> = (pass?.running.catch(() => undefined) ?? Promise.resolve())
          .then(start)
          .finally(() => {
            if (passes.get(key)?.running === next) passes.delete(key)
          })
        passes.set(key, { next, running: pass?.running ?? next })
        return next
      }

      return {
        get: (key) => (LIST.test(key) ? listOf(key) : TOKEN.test(key) ? findOr(key) : texts.get(key)),

        async set(key, value, ttl) {
          const ttlMs = ttl === undefined ? null : ttl * 1000
          if (LIST.test(key)) return setList(key, value, ttlMs)
          const session = TOKEN.test(key) ? sessionIn(value) : null
          if (session?.token !== key) return texts.set(key, value, ttl)
          const lifeMs = ttlMs ?? session.expiresAtMs - clock.now()
          if (lifeMs > 0) {
            await sessions.store(key, value, lifeMs)
            return
          }
          await removeOld(shared, keyOf(key))
          await ours.set(key, value, 0)
        },

        async delete(key) {
          if (LIST.test(key)) return setList(key, null, null)
          if (!TOKEN.test(key)) return texts.delete(key)
          // Also of a session that a process in mode `move` has taken over: its list may still be under the old key.
          const text = mode === 'read' ? await sessions.find(key) : null
          await sessions.end(key)
          const userId = text && sessionIn(text)?.userId
          if (userId) await leaveList(`active-sessions-${userId}`)
        },

        getAndDelete: (key) => texts.getAndDelete(key),
        increment: (key, ttl) => texts.increment(key, ttl),
      }

      /** Another text may have a name that looks like a token. */
      async function findOr(key: string): Promise<string | null> {
        return (await sessions.find(key)) ?? ours.get(key)
      }
    },
  }
}

/** Lists are read with the sessions that they name. A bare key of 32 characters may be anything: its value decides. */
function keysOf(prefix: string): OldKeys {
  const idOf = (key: string): string => key.slice(prefix.length)
  return {
    prefix,
    idOf,
    familyOf(key) {
      if (!key.startsWith(prefix)) return null
      if (LIST.test(idOf(key))) return `${prefix}active-sessions-*`
      return TOKEN.test(idOf(key)) ? `${prefix}<token>` : null
    },
    isReadable: (key, text) =>
      LIST.test(idOf(key)) ? readJsonArray(text) !== null : sessionIn(text)?.token === idOf(key),
  }
}

/** `null`: the text is no session of better-auth. */
function sessionIn(
  text: string,
): { readonly token: string; readonly userId: string; readonly expiresAtMs: number } | null {
  const { session } = (readJson(text) ?? {}) as { readonly session?: Readonly<Record<string, unknown>> | null }
  const { token, userId, expiresAt } = session ?? {}
  if (typeof token !== 'string' || typeof userId !== 'string') return null
  const expiresAtMs = new Date(expiresAt as string).getTime()
  return Number.isNaN(expiresAtMs) ? null : { token, userId, expiresAtMs }
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
