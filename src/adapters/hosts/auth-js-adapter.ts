/**
 * The Auth.js adapter: users, accounts, sessions, verification tokens and authenticators as sealed documents. One document is
 * changed in one step; what spans several is ordered so that a crash in between leaves nothing that anybody can sign in with.
 */
import type { Clock } from '../../core/clock.ts'
import { SessionError } from '../../core/errors.ts'
import type { Random } from '../../core/random.ts'
import type { DocumentRef } from '../../documents/document-driver.ts'
import type { Documents } from '../../documents/documents.ts'
import { fromStored, type StoredDates, toStored } from './dated-json.ts'
import type {
  AuthJsAccount,
  AuthJsAuthenticator,
  AuthJsSession,
  AuthJsUser,
  AuthJsVerificationToken,
  CoatcheckAuthJsAdapter,
} from './auth-js-types.ts'

const ENDED_REMEMBERED_MS = 60 * 60_000
const UNCLAIMED_MS = 60_000

export interface EmailClaim {
  readonly userId: string
  readonly atMs: number
}

export interface AuthJsDocuments {
  readonly users: Documents<StoredDates>
  /** From an address to the id of its user. */
  readonly emails: Documents<EmailClaim>
  readonly accounts: Documents<StoredDates>
  readonly sessions: Documents<StoredDates>
  readonly tokens: Documents<StoredDates>
  readonly authenticators: Documents<StoredDates>
}

export function createAuthJsAdapter(
  all: AuthJsDocuments,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): CoatcheckAuthJsAdapter {
  const { users, emails, accounts, sessions, tokens, authenticators } = all
  const forever = (): null => null
  /** A set of documents of one kind that belong to the user. */
  const ownedBy = (documents: Documents<StoredDates>, userId: string): DocumentRef => documents.refOf(`user ${userId}`)
  const accountRef = ({
    provider,
    providerAccountId,
  }: Pick<AuthJsAccount, 'provider' | 'providerAccountId'>): DocumentRef =>
    accounts.refOf(JSON.stringify([provider, providerAccountId]))
  const tokenRef = ({ identifier, token }: { identifier: string; token: string }): DocumentRef =>
    tokens.refOf(JSON.stringify([identifier, token]))

  const readAs = async <T extends object>(documents: Documents<StoredDates>, ref: DocumentRef): Promise<T | null> => {
    const stored = await documents.read(ref)
    return stored && fromStored<T>(stored.value)
  }
  const getUser = (id: string): Promise<AuthJsUser | null> => readAs(users, users.refOf(id))
  const life = ({ expires }: { readonly expires: Date }): number => expires.getTime() - clock.now()

  const listOwned = async <T extends object>(documents: Documents<StoredDates>, userId: string): Promise<T[]> => {
    const set = ownedBy(documents, userId)
    const names = await documents.driver.members(set)
    const found = await Promise.all(names.map((name) => readAs<T>(documents, { kind: set.kind, name })))
    return found.filter(
      (one): one is Awaited<T> => one !== null && (one as { readonly userId?: unknown }).userId === userId,
    )
  }
  const liveSessions = async (userId: string): Promise<AuthJsSession[]> =>
    (await listOwned<AuthJsSession>(sessions, userId)).filter((session) => life(session) > 0)

  const endSession = (ref: DocumentRef, alsoUnstored = false): Promise<boolean> =>
    sessions.driver.end(ref, ENDED_REMEMBERED_MS, alsoUnstored)
  const endSessionsOf = async (userId: string, exceptToken?: string): Promise<number> => {
    const set = ownedBy(sessions, userId)
    const kept = exceptToken === undefined ? null : sessions.refOf(exceptToken).name
    const names = (await sessions.driver.members(set)).filter((name) => name !== kept)
    const ended = await Promise.all(names.map((name) => endSession({ kind: set.kind, name }, true)))
    await sessions.driver.leave(set, names)
    return ended.filter(Boolean).length
  }

  /** What a crash has left: the user of the claim is gone, or has had another address for longer than a change takes. */
  const isAbandoned = async (email: string, { userId, atMs }: EmailClaim): Promise<boolean> => {
    const user = await getUser(userId)
    return !user || (user.email !== email && atMs < clock.now() - UNCLAIMED_MS)
  }

  /**
   * An address belongs to one user, who is stored before it is claimed; whoever comes second is refused.
   * @throws {SessionError} `COATCHECK_EMAIL_TAKEN`
   */
  const claimEmail = async (email: string, userId: string): Promise<void> => {
    const ref = emails.refOf(email)
    const claim: EmailClaim = { userId, atMs: clock.now() }
    const claimed = await emails.put(ref, claim, { ttlMs: null, isNew: true })
    const owner = claimed.status === 'saved' ? claimed.document : await emails.read(ref)
    if (owner?.value.userId === userId) return
    if (owner && (await isAbandoned(email, owner.value))) {
      // From the claim that was looked at: of two who find it abandoned one gets it.
      const isTheSame = (now: EmailClaim): boolean => now.userId === owner.value.userId && now.atMs === owner.value.atMs
      const taken = await emails.change(ref, (now) => (isTheSame(now) ? claim : null), forever, owner)
      if (taken.status === 'saved' && taken.document.value.userId === userId) return
    }
    throw new SessionError('COATCHECK_EMAIL_TAKEN')
  }
  const releaseEmail = async (email: string, userId: string): Promise<void> => {
    const stored = await emails.read(emails.refOf(email))
    if (stored?.value.userId === userId) await emails.driver.remove(emails.refOf(email))
  }

  const unlink = async (
    account: Pick<AuthJsAccount, 'provider' | 'providerAccountId'>,
  ): Promise<AuthJsAccount | undefined> => {
    const ref = accountRef(account)
    const stored = await accounts.take(ref)
    if (!stored) return undefined
    const taken = fromStored<AuthJsAccount>(stored)
    await accounts.driver.leave(ownedBy(accounts, taken.userId), [ref.name])
    return taken
  }

  return {
    async createUser(given: Partial<AuthJsUser>) {
      const user = { ...given, id: given.id ?? random.bytes(16).toString('base64url') } as AuthJsUser
      const ref = users.refOf(user.id)
      // For a moment only, until the address is the user's: whatever happens in between, nothing is left over.
      const created = await users.put(ref, toStored(user), { ttlMs: UNCLAIMED_MS, isNew: true })
      if (created.status !== 'saved') {
        throw new SessionError('COATCHECK_EMAIL_TAKEN', { message: 'A user of this id exists.' })
      }
      try {
        if (user.email) await claimEmail(user.email, user.id)
      } catch (error) {
        await users.driver.remove(ref)
        throw error
      }
      await users.put(ref, toStored(user), { ttlMs: null })
      return user
    },
    getUser,

    async getUserByEmail(email) {
      const owner = await emails.read(emails.refOf(email))
      const user = owner && (await getUser(owner.value.userId))
      return user?.email === email ? user : null
    },

    async getUserByAccount(account) {
      const stored = await readAs<AuthJsAccount>(accounts, accountRef(account))
      return stored && getUser(stored.userId)
    },

    async updateUser(changes) {
      const before = await getUser(changes.id)
      const email = changes['email'] as string | undefined
      if (before && email && email !== before.email) await claimEmail(email, changes.id)
      const changed = await users.change(
        users.refOf(changes.id),
        (value) => toStored({ ...fromStored(value), ...definedOf(changes) }),
        forever,
      )
      if (changed.status !== 'saved') throw new SessionError('COATCHECK_USER_UNKNOWN')
      const user = fromStored<AuthJsUser>(changed.document.value)
      if (before?.email && before.email !== user.email) await releaseEmail(before.email, user.id)
      return user
    },

    async deleteUser(userId) {
      const user = await getUser(userId)
      // The user first: whatever is left after a crash leads to nobody.
      await users.driver.remove(users.refOf(userId))
      await endSessionsOf(userId)
      for (const account of await listOwned<AuthJsAccount>(accounts, userId)) await unlink(account)
      for (const { credentialID } of await listOwned<AuthJsAuthenticator>(authenticators, userId)) {
        await authenticators.driver.remove(authenticators.refOf(credentialID))
      }
      if (user?.email) await releaseEmail(user.email, userId)
      return user
    },

    async linkAccount(account: AuthJsAccount) {
      const ref = accountRef(account)
      await accounts.driver.enter(ownedBy(accounts, account.userId), ref.name, null)
      const linked = await accounts.put(ref, toStored(account), { ttlMs: null, isNew: true })
      if (linked.status === 'saved') return account
      const owner = await readAs<AuthJsAccount>(accounts, ref)
      if (owner?.userId !== account.userId) throw new SessionError('COATCHECK_ACCOUNT_LINKED')
      await accounts.put(ref, toStored(account), { ttlMs: null })
      return account
    },
    unlinkAccount: unlink,

    async getAccount(providerAccountId, provider) {
      return readAs(accounts, accountRef({ provider, providerAccountId }))
    },

    async createSession(session) {
      const ref = sessions.refOf(session.sessionToken)
      const ttlMs = life(session)
      // First: whoever ends all sessions of the user has to meet this one.
      await sessions.driver.enter(ownedBy(sessions, session.userId), ref.name, Math.max(1, ttlMs))
      if (ttlMs > 0) await sessions.put(ref, toStored(session), { ttlMs })
      return session
    },

    async getSessionAndUser(sessionToken) {
      const session = await readAs<AuthJsSession>(sessions, sessions.refOf(sessionToken))
      if (!session || life(session) <= 0) return null
      const user = await getUser(session.userId)
      return user && { session, user }
    },

    async updateSession(changes) {
      const ref = sessions.refOf(changes.sessionToken)
      const changed = await sessions.change(
        ref,
        (value) => toStored({ ...fromStored(value), ...definedOf(changes) }),
        (value) => Math.max(1, life(fromStored<AuthJsSession>(value))),
      )
      if (changed.status !== 'saved') return null
      const session = fromStored<AuthJsSession>(changed.document.value)
      await sessions.driver.enter(ownedBy(sessions, session.userId), ref.name, Math.max(1, life(session)))
      return session
    },

    async deleteSession(sessionToken) {
      const ref = sessions.refOf(sessionToken)
      const session = await readAs<AuthJsSession>(sessions, ref)
      await endSession(ref)
      if (session) await sessions.driver.leave(ownedBy(sessions, session.userId), [ref.name])
      return session
    },

    async createVerificationToken(token) {
      const ttlMs = life(token)
      if (ttlMs > 0) await tokens.put(tokenRef(token), toStored(token), { ttlMs })
      return token
    },

    async useVerificationToken(given) {
      const stored = await tokens.take(tokenRef(given))
      return stored && fromStored<AuthJsVerificationToken>(stored)
    },

    async createAuthenticator(authenticator) {
      const ref = authenticators.refOf(authenticator.credentialID)
      await authenticators.driver.enter(ownedBy(authenticators, authenticator.userId), ref.name, null)
      const created = await authenticators.put(ref, toStored(authenticator), { ttlMs: null, isNew: true })
      if (created.status !== 'saved') throw new SessionError('COATCHECK_ACCOUNT_LINKED')
      return authenticator
    },
    getAuthenticator: (credentialID) => readAs(authenticators, authenticators.refOf(credentialID)),
    listAuthenticatorsByUserId: (userId) => listOwned(authenticators, userId),

    async updateAuthenticatorCounter(credentialID, counter) {
      const changed = await authenticators.change(
        authenticators.refOf(credentialID),
        (value) => ({ ...value, counter }),
        forever,
      )
      if (changed.status === 'saved') return fromStored<AuthJsAuthenticator>(changed.document.value)
      throw new SessionError('COATCHECK_USER_UNKNOWN', { message: 'There is no such authenticator.' })
    },

    listSessionsByUser: async (userId) =>
      (await liveSessions(userId)).map(({ sessionToken, expires }) => ({
        id: sessions.refOf(sessionToken).name,
        expires,
      })),
    revokeSession: (id) => endSession({ kind: ownedBy(sessions, '').kind, name: id }),
    revokeSessionsByUser: (userId, { exceptSessionToken } = {}) => endSessionsOf(userId, exceptSessionToken),
  }
}

/** Auth.js sends only what changes; a field that is `undefined` is not one. */
function definedOf(changes: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
}
