/**
 * The Auth.js adapter: users, accounts, sessions, verification tokens and authenticators as sealed documents. Each document changes in one
 * step. Operations on several documents are ordered so that a crash in between leaves nothing that can sign in.
 */
import type { Clock } from '../../core/clock.ts'
import { SessionError } from '../../core/errors.ts'
import type { Random } from '../../core/random.ts'
import type { DocumentRef } from '../../documents/document-driver.ts'
import type { Documents } from '../../documents/documents.ts'
import { createEmailClaims, type EmailClaim, UNCLAIMED_MS } from './emails.ts'
import { accountRefOf, listOwned, ownedBy, readAs } from './owned.ts'
import { createAuthJsSessions } from './sessions.ts'
import type {
  AuthJsAccount,
  AuthJsAuthenticator,
  AuthJsUser,
  AuthJsVerificationToken,
  CoatcheckAuthJsAdapter,
} from './types.ts'
import { definedOf, fromStored, type StoredDates, toStored } from '../dated-json.ts'

export interface AuthJsDocuments {
  readonly users: Documents<StoredDates>
  /** Maps an address to the id of its user. */
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
  const { users, accounts, tokens, authenticators } = all
  const getUser = (id: string): Promise<AuthJsUser | null> => readAs(users, users.refOf(id))
  const emails = createEmailClaims(all.emails, getUser, clock)
  const sessions = createAuthJsSessions(all.sessions, getUser, clock)
  const forever = (): null => null
  const accountRef = (account: Pick<AuthJsAccount, 'provider' | 'providerAccountId'>): DocumentRef =>
    accountRefOf(accounts, account)
  const tokenRef = ({ identifier, token }: { identifier: string; token: string }): DocumentRef =>
    tokens.refOf(JSON.stringify([identifier, token]))

  const life = ({ expires }: { readonly expires: Date }): number => expires.getTime() - clock.now()

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

  const link = async (account: AuthJsAccount): Promise<AuthJsAccount> => {
    const ref = accountRef(account)
    await accounts.driver.enter(ownedBy(accounts, account.userId), ref.name, null)
    const linked = await accounts.put(ref, toStored(account), { ttlMs: null, isNew: true })
    if (linked.status === 'saved') return account
    // Replaces an account of this user, or one that a crash during `deleteUser` left. Of two users who replace it, only one gets it.
    const owner = { isOther: false }
    const replaced = await accounts.change(
      ref,
      async (stored) => {
        const { userId } = fromStored<AuthJsAccount>(stored)
        owner.isOther = userId !== account.userId && (await users.readOrRefuse(users.refOf(userId))) !== null
        return owner.isOther ? null : toStored(account)
      },
      forever,
    )
    if (owner.isOther || replaced.status !== 'saved') throw new SessionError('COATCHECK_ACCOUNT_LINKED')
    return account
  }

  return {
    ...sessions,

    async createUser(given: Partial<AuthJsUser>) {
      const user = { ...given, id: given.id ?? random.bytes(16).toString('base64url') } as AuthJsUser
      const ref = users.refOf(user.id)
      // Stored with a short TTL until the user owns the address. If the process crashes in between, nothing is left over.
      const created = await users.put(ref, toStored(user), { ttlMs: UNCLAIMED_MS, isNew: true })
      if (created.status !== 'saved') {
        throw new SessionError('COATCHECK_EMAIL_TAKEN', {
          message: 'Auth.js wanted to create a user with an id that another user has.',
          details: { isDeleted: created.status === 'ended' },
        })
      }
      try {
        if (user.email) await emails.claim(user.email, user.id)
      } catch (error) {
        await users.driver.remove(ref)
        throw error
      }
      // A change, not a put: another process may have found and changed the user by now.
      const kept = await users.change(ref, (value) => ({ ...value }), forever, created.document)
      if (kept.status === 'saved') return user
      // The short TTL was over before the user was complete, or another process has deleted the user. Nothing is stored now.
      if (user.email) await emails.release(user.email, user.id)
      const details = { operation: 'authjs.createUser', isDeleted: kept.status === 'ended' }
      throw new SessionError('COATCHECK_SESSION_CONFLICT', { details })
    },
    getUser,

    async getUserByEmail(email) {
      const owner = await emails.ownerOf(email)
      const user = owner !== null && (await getUser(owner))
      return user && user.email === email ? user : null
    },

    async getUserByAccount(account) {
      const stored = await readAs<AuthJsAccount>(accounts, accountRef(account))
      return stored && getUser(stored.userId)
    },

    async updateUser(changes) {
      const before = await getUser(changes.id)
      const email = changes['email'] as string | undefined
      const isMove = Boolean(before && email && email !== before.email)
      if (email && isMove) await emails.claim(email, changes.id)
      // The address that this change replaces. A parallel change may have set it after `before` was read.
      let replaced: string | null | undefined
      const change = (value: StoredDates): StoredDates => {
        const now = fromStored<AuthJsUser>(value)
        replaced = now.email
        return toStored({ ...now, ...definedOf(changes) })
      }
      const changed = await users.change(users.refOf(changes.id), change, forever)
      if (changed.status !== 'saved') {
        if (email && isMove) await emails.release(email, changes.id)
        throw new SessionError('COATCHECK_USER_UNKNOWN')
      }
      const user = fromStored<AuthJsUser>(changed.document.value)
      if (user.email && user.email !== replaced) await emails.completeClaim(user.email, user.id)
      if (replaced && replaced !== user.email) await emails.release(replaced, user.id)
      return user
    },

    async deleteUser(userId) {
      const user = await getUser(userId)
      // Removes the user first: documents that remain after a crash then belong to no user.
      await users.driver.remove(users.refOf(userId))
      await sessions.revokeSessionsByUser(userId)
      for (const account of await listOwned<AuthJsAccount>(accounts, userId)) {
        const taken = await unlink(account)
        // Another user has replaced the account since it was listed.
        if (taken && taken.userId !== userId) await link(taken)
      }
      for (const { credentialID } of await listOwned<AuthJsAuthenticator>(authenticators, userId)) {
        await authenticators.driver.remove(authenticators.refOf(credentialID))
      }
      if (user?.email) await emails.release(user.email, userId)
      return user
    },

    linkAccount: link,
    unlinkAccount: unlink,

    async getAccount(providerAccountId, provider) {
      return readAs(accounts, accountRef({ provider, providerAccountId }))
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
      throw new SessionError('COATCHECK_USER_UNKNOWN', {
        message: 'Auth.js wanted to change a passkey that does not exist.',
      })
    },
  }
}
