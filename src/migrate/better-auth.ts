/**
 * The origin `betterAuthStorage`: the keys that an earlier secondary storage of better-auth wrote. A session's key is its bare token of 32
 * characters. So Coatcheck touches a key only if its value is a session of that token. Old processes rewrite the lists of sessions as a
 * whole; Coatcheck keeps each live session in them. Other texts stay where old processes find them.
 */
import { type SecondaryStorage, sessionIn, type StoredText } from '../drop-ins/secondary-storage.ts'
import type { DocumentRef } from '../documents/document-driver.ts'
import type { Documents } from '../documents/documents.ts'
import { beginOf, type OldSessionOrigin, recordSessions } from './bridges/old-sessions.ts'
import { createLateRemovals } from './late-removals.ts'
import { createSealedRecords, endingOldKeys } from './sealed-records.ts'
import type { OldKeys } from './old-keys.ts'
import { type Origin, type OriginDeps, reporter } from './origin.ts'
import { checkedOptions, type OriginOptions } from './origin-options.ts'
import { createOldTexts } from './old-texts.ts'
import { createSessionLists, LIST } from './better-auth-lists.ts'
import { isTooDeep, readJson, readJsonArray } from './read-json.ts'
import { shareRecords } from './share-records.ts'
import { oldRemoval } from './shared-records.ts'

/** Options of `betterAuthStorage()`. */
export interface BetterAuthStorageOptions extends OriginOptions {
  /** Prefix of all old keys. Default: none, as better-auth passes its keys. */
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

/**
 * Reads the keys of an earlier secondary storage of better-auth.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
 */
export function betterAuthStorage(options: BetterAuthStorageOptions = {}): BetterAuthOrigin {
  const { prefix = '', mode = 'read', store } = checkedOptions('betterAuthStorage()', options, { prefix: 'text' })
  const name = 'better-auth'
  return {
    ...{ name, mode, ...(store && { store }), keys: keysOf(prefix) },
    openSessions: (context) =>
      recordSessions(
        {
          keyOf: (token) => prefix + token,
          decode(text, token) {
            const session = oldSessionIn(text)
            const data = readJson(text)
            if (session?.token !== token || !data) return null
            return { data, endsAtMs: session.expiresAtMs, beganAtMs: beginOf(data) }
          },
        },
        store,
        context,
      ),
    attach(deps) {
      const { old, place, clock, events, documents } = deps
      const setOf = (userId: string): DocumentRef => documents.refOf(`user ${userId}`)
      const sealed = createSealedRecords<StoredText>({
        documents,
        clock,
        toValue(text) {
          const session = oldSessionIn(text)
          return session && { t: text, u: setOf(session.userId).name }
        },
        toText: ({ t }) => t,
        setsOf: ({ t }) => [setOf(oldSessionIn(t)?.userId ?? '')],
      })
      const report = reporter(name, events)
      const keyOf = (key: string): string => prefix + key
      // The token in the value must be the key. Another value under a bare key of 32 characters stays as it is.
      const ofThisKey = (key: string, text: string): boolean => keyOf(oldSessionIn(text)?.token ?? '') === key
      const guarded = {
        ...old,
        read: async (key: string) => {
          const record = await old.read(key)
          return record && ofThisKey(key, record.text) ? record : null
        },
      }
      const shared = {
        ...{ sealed, old: guarded, place, late: createLateRemovals(deps.closing), clock, report, keyOf },
        endOf: (text: string) => oldSessionIn(text)?.expiresAtMs ?? null,
        defaultTtlMs: () => 0,
      }
      const sessions = shareRecords(mode, shared)
      const removal = oldRemoval(shared)
      const ours = deps.make(endingOldKeys(documents, removal))
      const texts = createOldTexts({ mode, old, ours, keyOf, report })

      const lists = createSessionLists({ mode, old, ours, sessions, texts, keyOf, clock })

      return {
        get: (key) => (LIST.test(key) ? lists.get(key) : TOKEN.test(key) ? findOr(key) : texts.get(key)),

        async set(key, value, ttl) {
          const ttlMs = ttl === undefined ? null : ttl * 1000
          if (LIST.test(key)) return lists.set(key, value, ttlMs)
          const session = TOKEN.test(key) ? oldSessionIn(value) : null
          if (session?.token !== key) return textsNamed(key).set(key, value, ttl)
          const lifeMs = ttlMs ?? session.expiresAtMs - clock.now()
          if (lifeMs > 0) {
            await sessions.store(key, value, lifeMs)
            return
          }
          await removal.remove(keyOf(key))
          await ours.set(key, value, 0)
        },

        async delete(key) {
          if (LIST.test(key)) return lists.set(key, null, null)
          if (!TOKEN.test(key)) return texts.delete(key)
          // Also for a session that a process in mode `move` has taken over: the list may still exist under the old key.
          const text = mode === 'read' ? await sessions.find(key) : null
          await sessions.end(key)
          const userId = text && oldSessionIn(text)?.userId
          if (userId) await lists.leave(userId)
        },

        getAndDelete: (key) => textsNamed(key).getAndDelete(key),
        increment: (key, ttl) => texts.increment(key, ttl),
      }

      /** Of the texts that are no session, one whose name looks like a token is ours alone: its old key may belong to another application. */
      function textsNamed(key: string): SecondaryStorage {
        return TOKEN.test(key) ? ours : texts
      }

      /** Reads a session, or another text whose name looks like a token. */
      async function findOr(key: string): Promise<string | null> {
        return (await sessions.find(key)) ?? ours.get(key)
      }
    },
  }
}

/** Recognizes keys of sessions and lists. A bare key of 32 characters may belong to anything, so its value decides. */
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
      LIST.test(idOf(key)) ? readJsonArray(text) !== null : oldSessionIn(text)?.token === idOf(key),
  }
}

function oldSessionIn(text: string): ReturnType<typeof sessionIn> {
  return isTooDeep(text) ? null : sessionIn(text)
}
