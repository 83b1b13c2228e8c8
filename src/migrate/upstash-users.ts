/**
 * Users and accounts of the old Auth.js adapter. In mode `read` the old records stay and decide. In mode `move` the first lookup of a user
 * takes the user over, with the address, the last account and the last session. Each further account follows at its first lookup.
 */
import type { AuthJsDocuments } from '../drop-ins/authjs/adapter.ts'
import type { EmailClaims } from '../drop-ins/authjs/emails.ts'
import { accountRefOf } from '../drop-ins/authjs/owned.ts'
import type { AuthJsAccount, AuthJsUser, CoatcheckAuthJsAdapter } from '../drop-ins/authjs/types.ts'
import { NONCE_BYTES } from '../keyring/record-layout.ts'
import { fromStored, type StoredDates } from '../drop-ins/dated-json.ts'
import { SessionError } from '../core/errors.ts'
import type { Random } from '../core/random.ts'
import type { Report } from './origin.ts'
import type { MigrationMode } from './migration-mode.ts'
import type { OldRecordDriver } from './old-record-driver.ts'
import { ATTEMPTS, removeRecord } from './remove-record.ts'
import { accountIn, nameIn, removeName, type UpstashKeys, userIn } from './upstash-records.ts'
import { createUserTakeover } from './upstash-takeover.ts'
import { takenStateOf, unmarked } from './upstash-taken.ts'
import { isText, writeText } from './write-text.ts'

type AccountName = Pick<AuthJsAccount, 'provider' | 'providerAccountId'>

export interface UpstashUsersDeps {
  readonly mode: MigrationMode
  readonly old: OldRecordDriver
  readonly keys: UpstashKeys
  /** The adapter of Coatcheck. */
  readonly ours: CoatcheckAuthJsAdapter
  /** The same, and each account that it links carries the mark of a takeover. */
  readonly taking: CoatcheckAuthJsAdapter
  readonly documents: Pick<AuthJsDocuments, 'users' | 'accounts'>
  readonly emails: EmailClaims
  readonly random: Random
  readonly report: Report
  /** Takes over the session of this token, if there is one. */
  readonly takeSession: (token: string) => Promise<unknown>
}

/** Finds users and accounts on either side. In mode `move` a lookup takes them over. */
export interface UpstashUsers {
  getUser(id: string): Promise<AuthJsUser | null>
  getUserByEmail(email: string): Promise<AuthJsUser | null>
  getAccount(name: AccountName): Promise<AuthJsAccount | null>
  /** Returns whether the user is (still) a record of the old library. */
  isOld(id: string): Promise<boolean>
  /** Deletes the old record of the user. @param found called before that, with a function that deletes the record again later */
  removeOld(id: string, found: (removeAgain: () => Promise<unknown>) => void): Promise<void>
  /** Deletes the keys that name the last account and the last session of the user. */
  removeNames(id: string): Promise<void>
}

export function createUpstashUsers(deps: UpstashUsersDeps): UpstashUsers {
  const { mode, old, keys, ours, random, report, documents, emails } = deps
  const { accounts } = documents

  const oldUser = async (id: string): Promise<AuthJsUser | null> => {
    const record = await old.read(keys.user(id))
    const user = record && userIn(record.text)
    if (record && !user) report('unreadable')
    return user && user.id === id ? user : null
  }

  const oldAccount = async (name: AccountName): Promise<AuthJsAccount | null> => {
    const record = await old.read(keys.account(name))
    const account = record && accountIn(record.text)
    if (record && !account) report('unreadable')
    return account
  }

  const ownAccount = async (name: AccountName): Promise<StoredDates | null> =>
    (await accounts.read(accountRefOf(accounts, name)))?.value ?? null

  /** Removes what is left under the old key of an account that ours took over, and then the mark. */
  const finishAccount = async (account: AuthJsAccount): Promise<void> => {
    await removeRecord(old, keys.account(account), (text) => accountIn(text)?.userId === account.userId)
    const drop = (now: StoredDates): StoredDates | null => (takenStateOf(now) === 'whole' ? null : unmarked(now))
    await accounts.change(accountRefOf(accounts, account), drop, () => null)
  }

  const takeAccount = async (key: string): Promise<void> => {
    const record = await old.read(key)
    const account = record && accountIn(record.text)
    if (!record || !account) return
    const own = await ownAccount(account)
    if (own?.['userId'] !== account.userId) {
      // An account that Coatcheck has linked to another user stays under its old key: see `COATCHECK_ACCOUNT_LINKED`.
      if (own && (await exists(String(own['userId'])))) return
      const linking = deps.taking.linkAccount(account) as Promise<unknown>
      if ((await linking.catch(refusedAs('COATCHECK_ACCOUNT_LINKED'))) === null) return
    }
    // The takeovers of the user and of the account may run at once. The one that removes the old key reports it.
    if (await old.remove(key, record.text)) report('moved')
    await finishAccount(account)
  }

  const exists = async (id: string): Promise<boolean> => ((await ours.getUser(id)) ?? (await oldUser(id))) !== null

  /**
   * Returns whether Coatcheck deleted the user within the last hour. A user who is only missing proves nothing: the key prefix may be wrong. No
   * document has this nonce, so the write stores nothing, and its status tells the two apart.
   */
  const isDeleted = async (id: string): Promise<boolean> => {
    const absent = { value: {}, nonce: random.bytes(NONCE_BYTES) }
    const write = (now: StoredDates): StoredDates | null => (now === absent.value ? {} : null)
    const { status } = await documents.users.change(documents.users.refOf(id), write, () => null, absent)
    return status === 'ended'
  }

  const removeNames = async (id: string): Promise<void> => {
    await Promise.all([
      removeRecord(old, keys.lastAccount(id), (text) => nameIn(text).startsWith(keys.accountPrefix)),
      removeRecord(old, keys.lastSession(id), (text) => keys.tokenOf(nameIn(text)) !== null),
    ])
  }

  const takeUser = createUserTakeover({
    ...{ users: documents.users, emails, old, keys, report, takeAccount, removeNames },
    takeSession: deps.takeSession,
  })

  const getUser = async (id: string): Promise<AuthJsUser | null> => {
    if (mode === 'move') return takeUser(id)
    const [own, theirs] = await Promise.all([ours.getUser(id), oldUser(id)])
    // Reads ours again: a process in mode `move` may have taken the user over in between.
    if (!own && theirs) report('unchanged')
    return own ?? theirs ?? ours.getUser(id)
  }

  return {
    getUser,

    async getUserByEmail(email) {
      const owner = await emails.ownerOf(email)
      const own = owner === null ? null : await (mode === 'move' ? getUser(owner) : ours.getUser(owner))
      if (own?.email === email) return own
      const record = await old.read(keys.email(email))
      const user = record && (await getUser(nameIn(record.text)))
      if (user) return user.email === email ? user : null
      return ours.getUserByEmail(email)
    },

    async getAccount(name) {
      const own = await ownAccount(name)
      if (own) {
        const account = fromStored<AuthJsAccount>(own)
        if (mode === 'move' && takenStateOf(own) !== 'whole') await finishAccount(account)
        return account
      }
      const theirs = await oldAccount(name)
      if (!theirs) return ours.getAccount(name.providerAccountId, name.provider) as Promise<AuthJsAccount | null>
      if (mode === 'read') return theirs
      if (await getUser(theirs.userId)) await takeAccount(keys.account(name))
      // The old layout names only the last account of a user, so a deletion cannot find the others.
      else if (await isDeleted(theirs.userId)) {
        await removeRecord(old, keys.account(name), (text) => accountIn(text)?.userId === theirs.userId)
        return null
      }
      return theirs
    },

    isOld: async (id) => (await oldUser(id)) !== null,
    removeNames,

    async removeOld(id, found) {
      const isUser = (text: string): boolean => userIn(text)?.id === id
      await removeRecord(old, keys.user(id), isUser, () => {
        found(() => removeRecord(old, keys.user(id), isUser))
      })
    },
  }
}

/** Changes users and accounts of the old library under their old keys, so that old processes see the change. */
export function createUpstashWrites(
  { old, keys, ours, random }: UpstashUsersDeps,
  { getUser }: Pick<UpstashUsers, 'getUser'>,
) {
  const claim = async (email: string, id: string): Promise<void> => {
    const key = keys.email(email)
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const claimed = await old.create(key, id, null)
      if (claimed.status === 'written') return
      const current = claimed.status === 'changed' ? claimed.current : await old.read(key)
      if (!current) continue
      const owner = nameIn(current.text)
      if (owner === id) return
      const record = await old.read(keys.user(owner))
      if (record && userIn(record.text)?.email === email) throw new SessionError('COATCHECK_EMAIL_TAKEN')
      if ((await old.replace(key, current.text, id, null)).status === 'written') return
    }
    throw new SessionError('COATCHECK_EMAIL_TAKEN')
  }

  /** Claims or frees both addresses by the stored user, because parallel changes may have taken or freed either in between. */
  const reconcileAddresses = async ({ id, email }: AuthJsUser, replaced: string | null): Promise<void> => {
    const isStill = async (address: string): Promise<boolean> => {
      const record = await old.read(keys.user(id))
      return (record && userIn(record.text)?.email) === address
    }
    if (email && (await isStill(email))) await claim(email, id)
    if (!replaced) return
    await removeName(old, keys.email(replaced), id)
    if (await isStill(replaced)) await claim(replaced, id)
  }

  return {
    async createUser(given: Partial<AuthJsUser>): Promise<AuthJsUser> {
      const user = { ...given, id: given.id ?? random.bytes(16).toString('base64url') } as AuthJsUser
      const text = JSON.stringify(user)
      const created = await old.create(keys.user(user.id), text, null)
      if (created.status !== 'written') throw new SessionError('COATCHECK_EMAIL_TAKEN')
      if (!user.email) return user
      try {
        await claim(user.email, user.id)
      } catch (error) {
        await old.remove(keys.user(user.id), text)
        throw error
      }
      return user
    },

    /** `null`: the user is no record of the old library (any more). */
    async updateUser(changes: { id: string; [field: string]: unknown }): Promise<AuthJsUser | null> {
      const defined = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
      let record = await old.read(keys.user(changes.id))
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const before = record && userIn(record.text)
        if (!record || !before) return null
        const user = { ...before, ...defined }
        if (user.email && user.email !== before.email) await claim(user.email, user.id)
        const written = await old.replace(keys.user(user.id), record.text, JSON.stringify(user), null)
        if (written.status === 'written') {
          if (user.email !== before.email) await reconcileAddresses(user, before.email)
          return user
        }
        record = written.status === 'changed' ? written.current : null
      }
      throw new Error(`The old key of a user changed ${ATTEMPTS} times while it was written.`)
    },

    /**
     * Replaces an account whose user no longer exists. The old adapter leaves such accounts: its `deleteUser` deletes only the last account.
     * @throws {SessionError} `COATCHECK_ACCOUNT_LINKED` if the account belongs to another user
     */
    async linkAccount(account: AuthJsAccount): Promise<AuthJsAccount> {
      const key = keys.account(account)
      const text = JSON.stringify({ ...account, id: `${account.provider}:${account.providerAccountId}` })
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const record = await old.read(key)
        if (record && !isText(record.text)) return ours.linkAccount(account) as Promise<AuthJsAccount>
        const before = record && accountIn(record.text)
        if (before && before.userId !== account.userId && (await getUser(before.userId))) {
          throw new SessionError('COATCHECK_ACCOUNT_LINKED')
        }
        // Compare and set: of two users who replace the same account, only one gets it.
        const written = record ? await old.replace(key, record.text, text, null) : await old.create(key, text, null)
        if (written.status === 'written') {
          await writeText(old, keys.lastAccount(account.userId), key, null)
          return account
        }
        // The read found no string, and the write could not create one: the key has another type, and stays.
        if (!record && written.status === 'missing') return ours.linkAccount(account) as Promise<AuthJsAccount>
      }
      throw new SessionError('COATCHECK_SESSION_CONFLICT', { details: { operation: 'migrate.link' } })
    },

    async unlinkAccount(name: AccountName): Promise<AuthJsAccount | undefined> {
      const key = keys.account(name)
      const record = await removeRecord(old, key, (text) => accountIn(text) !== null)
      const account = record && accountIn(record.text)
      if (!account) return undefined
      await removeName(old, keys.lastAccount(account.userId), key)
      return account
    },
  }
}

/** Turns one error code of Coatcheck into `null`. Other errors are thrown again. */
function refusedAs(code: string): (error: unknown) => null {
  return (error) => {
    if (error instanceof SessionError && error.code === code) return null
    throw error
  }
}
