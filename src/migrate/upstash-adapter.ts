/**
 * The origin `upstashAdapter`: the keys of @auth/upstash-redis-adapter, of its copies and of the hand-written adapters with the same layout
 * under `nextauth:`.
 */
import { ENDED_REMEMBERED_MS } from '../core/time-to-live.ts'
import type { AuthJsDocuments } from '../drop-ins/authjs/adapter.ts'
import { createEmailClaims } from '../drop-ins/authjs/emails.ts'
import { listOwned } from '../drop-ins/authjs/owned.ts'
import type { AuthJsAccount, CoatcheckAuthJsAdapter } from '../drop-ins/authjs/types.ts'
import { fromStored, type StoredDates } from '../drop-ins/dated-json.ts'
import { SessionError } from '../core/errors.ts'
import type { Random } from '../core/random.ts'
import type { OldSessionOrigin } from './bridges/old-sessions.ts'
import { upstashOldSessions } from './bridges/upstash-old-sessions.ts'
import { endingOldKeys } from './sealed-records.ts'
import { type Origin, type OriginDeps, reporter } from './origin.ts'
import { checkedOptions, type OriginOptions } from './origin-options.ts'
import { oldRemoval } from './shared-records.ts'
import { adoptUpstashKey, oldUpstashKeys } from './upstash-keys.ts'
import { createUpstashUsers, createUpstashWrites } from './upstash-users.ts'
import { addingMarks, keepingMarks } from './upstash-taken.ts'
import { removeRecord } from './remove-record.ts'
import {
  accountIn,
  hydrated,
  nameIn,
  removeName,
  UPSTASH_PREFIXES,
  type UpstashPrefixes,
  upstashKeys,
} from './upstash-records.ts'
import { createUpstashSessions, shareSessions } from './upstash-sessions.ts'
import { writeText } from './write-text.ts'

/** Options of `upstashAdapter()`: those of the old adapter, and those of all origins. */
export interface UpstashAdapterOptions extends UpstashPrefixes, OriginOptions {}

/** The keys of an earlier Auth.js adapter, for `CoatcheckAdapter({ migrateFrom })`. */
export interface AuthJsOrigin extends Origin, OldSessionOrigin {
  /** Called by the drop-in at its first use. */
  attach(
    deps: OriginDeps & {
      /** The documents of the drop-in. */
      readonly documents: AuthJsDocuments
      /** Makes the adapter of the drop-in on these documents. */
      readonly make: (documents: AuthJsDocuments) => CoatcheckAuthJsAdapter
      /** Source of ids. */
      readonly random: Random
    },
  ): CoatcheckAuthJsAdapter
  /**
   * Takes over the record under one old key.
   * @param adapter the adapter that `attach` returned
   * @returns whether Coatcheck stores a session now, so a late write of an old process under its key may be removed
   */
  adopt(adapter: CoatcheckAuthJsAdapter, key: string): Promise<boolean>
}

/**
 * Reads the keys of an earlier Auth.js adapter. Pass the options that the old adapter had.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
 */
export function upstashAdapter(options: UpstashAdapterOptions = {}): AuthJsOrigin {
  const { mode = 'read', store, ...prefixes } = checkedOptions('upstashAdapter()', options, UPSTASH_PREFIXES)
  const name = 'auth-js'
  const keys = upstashKeys(prefixes)
  return {
    ...{ name, mode, ...(store && { store }), keys: oldUpstashKeys(keys, mode, Boolean(prefixes.baseKeyPrefix)) },
    openSessions: (context) => upstashOldSessions(keys, store, context),
    adopt: (adapter, key) => adoptUpstashKey(adapter, keys, key),
    attach({ documents, make, random, ...deps }) {
      const { old, clock } = deps
      const report = reporter(name, deps.events)
      const { shared, sessions } = shareSessions(deps, mode, documents.sessions, keys, report)
      const sessionsEndingOld = endingOldKeys(documents.sessions, oldRemoval(shared))
      const kept = {
        ...documents,
        sessions: sessionsEndingOld,
        users: keepingMarks(documents.users),
        accounts: keepingMarks(documents.accounts),
      }
      const ours = make(kept)
      const keyOf = (account: StoredDates): string => keys.account(fromStored<AuthJsAccount>(account))
      const taking = make({ ...kept, accounts: addingMarks(documents.accounts, keyOf) })
      const emails = createEmailClaims(documents.emails, ours.getUser, clock)
      const all = { mode, old, keys, ours, taking, documents, emails, random, report, takeSession: sessions.find }
      const users = createUpstashUsers(all)
      const writes = createUpstashWrites(all, users)
      const ofSessions = createUpstashSessions({
        ...{ mode, shared, sessions, documents: documents.sessions, keys, ours },
        getUser: users.getUser,
      })

      return {
        ...ours,
        ...ofSessions,
        getUser: users.getUser,
        getUserByEmail: users.getUserByEmail,
        getAccount: (providerAccountId, provider) => users.getAccount({ provider, providerAccountId }),

        async getUserByAccount(account) {
          const linked = await users.getAccount(account)
          return linked && users.getUser(linked.userId)
        },

        async createUser(given: { readonly email?: string }) {
          if (given.email && (await users.getUserByEmail(given.email))) throw new SessionError('COATCHECK_EMAIL_TAKEN')
          return mode === 'read' ? writes.createUser(given) : ours.createUser(given)
        },

        async updateUser(changes) {
          const before = await users.getUser(changes.id)
          const email = changes['email'] as string | undefined
          const owner = email !== undefined && email !== before?.email && (await users.getUserByEmail(email))
          if (owner && owner.id !== changes.id) throw new SessionError('COATCHECK_EMAIL_TAKEN')
          return (mode === 'read' && (await writes.updateUser(changes))) || ours.updateUser(changes)
        },

        async deleteUser(userId) {
          const user = await users.getUser(userId)
          // Removes the user first: after a crash, the remaining records lead to no user.
          await users.removeOld(userId, (remove) => {
            const isStored = async (): Promise<boolean> => (await ours.getUser(userId)) !== null
            shared.late.add(keys.user(userId), { isStored, remove })
          })
          await ofSessions.revokeSessionsByUser(userId)
          const account = await old.read(keys.lastAccount(userId))
          const isOfUser = (text: string): boolean => accountIn(text)?.userId === userId
          if (account) await removeRecord(old, nameIn(account.text), isOfUser)
          if (user?.email) await removeName(old, keys.email(user.email), userId)
          await users.removeNames(userId)
          for (const linked of await listOwned<AuthJsAccount>(documents.accounts, userId)) {
            await removeRecord(old, keys.account(linked), isOfUser)
          }
          const own = await ours.deleteUser(userId)
          // A process that is taking this user over must not store the user again.
          await documents.users.driver.end(documents.users.refOf(userId), ENDED_REMEMBERED_MS, true)
          return user ?? own
        },

        async linkAccount(account: AuthJsAccount) {
          const linked = await users.getAccount(account)
          const isOfAnother = linked !== null && linked.userId !== account.userId
          if (isOfAnother && (await users.getUser(linked.userId))) throw new SessionError('COATCHECK_ACCOUNT_LINKED')
          const link = (): Promise<AuthJsAccount> => ours.linkAccount(account) as Promise<AuthJsAccount>
          if (mode === 'move') {
            await link()
            // What a deleted user left: our record takes its place.
            await removeRecord(old, keys.account(account), (text) => accountIn(text) !== null)
            return account
          }
          if (!(await users.isOld(account.userId))) return link()
          await writes.linkAccount(account)
          // A record of ours hides the old one. If a deleted user left it, it must name the new user.
          const own = (await ours.getAccount(account.providerAccountId, account.provider)) as AuthJsAccount | null
          return own && own.userId !== account.userId ? link() : account
        },

        async unlinkAccount(account) {
          const unlinked = await writes.unlinkAccount(account)
          const own = (await ours.unlinkAccount(account)) as AuthJsAccount | undefined
          return unlinked ?? own
        },

        async createVerificationToken(token) {
          if (mode === 'move') return ours.createVerificationToken(token)
          const ttlMs = token.expires.getTime() - clock.now()
          const key = keys.verification(token)
          if (!(await writeText(old, key, JSON.stringify(token), null))) return ours.createVerificationToken(token)
          if (ttlMs > 0) await old.expire(key, ttlMs)
          else await old.remove(key, JSON.stringify(token))
          return token
        },

        async useVerificationToken(given) {
          const key = keys.verification(given)
          const record = await old.read(key)
          // Compares and deletes: of any number of callers, exactly one gets the token.
          if (!record || !(await old.remove(key, record.text))) return ours.useVerificationToken(given)
          const { identifier, token, expires } = hydrated(record.text) ?? {}
          if (identifier !== given.identifier || token !== given.token || !(expires instanceof Date)) return null
          return { identifier: given.identifier, token: given.token, expires }
        },
      }
    },
  }
}
