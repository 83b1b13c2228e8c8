/**
 * Takes over a user of the old Auth.js adapter in mode `move`, and finishes a takeover that was cut off. The order of its writes:
 *
 * 1. Our document of the user, with a mark and a life of one minute. 2. The claim of the address. 3. Our document again, for good: it names the
 * old text that it holds. From here on only our document decides. 4. The old key of the user goes, and the key of the address. 5. The last account
 * and the last session follow, and then the keys that name them. 6. Our document drops its mark.
 *
 * After a crash before 3 the old record decides, and the takeover starts again. After a crash behind it, the next request goes on at 4.
 */
import { isDeepStrictEqual } from 'node:util'
import { SessionError } from '../core/errors.ts'
import type { Documents } from '../documents/documents.ts'
import { takenTextOf } from '../documents/linked-json.ts'
import { type EmailClaims, UNCLAIMED_MS } from '../drop-ins/authjs/emails.ts'
import type { AuthJsUser } from '../drop-ins/authjs/types.ts'
import { fromStored, type StoredDates, toStored } from '../drop-ins/dated-json.ts'
import { repeated } from './dual-read-rules.ts'
import type { OldRecord, OldRecordDriver } from './old-record-driver.ts'
import type { Report } from './origin.ts'
import { nameIn, removeName, type UpstashKeys, userIn } from './upstash-records.ts'
import { marked, takenStateOf, unmarked } from './upstash-taken.ts'

export interface UserTakeoverDeps {
  readonly users: Documents<StoredDates>
  readonly emails: EmailClaims
  readonly old: OldRecordDriver
  readonly keys: UpstashKeys
  readonly report: Report
  /** Takes over the account under this old key, if there is one. */
  readonly takeAccount: (key: string) => Promise<unknown>
  /** Takes over the session of this token, if there is one. */
  readonly takeSession: (token: string) => Promise<unknown>
  /** Deletes the keys that name the last account and the last session of the user. */
  readonly removeNames: (id: string) => Promise<void>
}

/** Returns a function that finds a user on either side. Afterwards, the takeover of the user has ended. */
export function createUserTakeover(deps: UserTakeoverDeps): (id: string) => Promise<AuthJsUser | null> {
  const { users, emails, old, keys, report } = deps
  const forever = (): null => null

  /** Steps 1 to 3. `again`: our document decides now. */
  const begin = async (id: string, isBegun: boolean): Promise<AuthJsUser | null | 'again'> => {
    const [ref, key] = [users.refOf(id), keys.user(id)]
    const record = await old.read(key)
    const user = record && userIn(record.text)
    if (!record || user?.id !== id) {
      if (record) report('unreadable')
      // Another process may have taken it over in between.
      return (await isBegunOrMissing(id)) ? null : 'again'
    }
    if (!isBegun) {
      const put = await users.put(ref, marked(toStored(user), key), { ttlMs: UNCLAIMED_MS, isNew: true })
      if (put.status === 'taken' || put.status === 'gone') return 'again'
      if (put.status === 'ended') {
        report('refused')
        await old.remove(key, record.text)
        return null
      }
    }
    if (user.email && !(await hasClaimed(user.email, id))) {
      // Another user has the address: the old record stays, and decides.
      await users.change(
        ref,
        (now) => (takenStateOf(now) === 'begun' ? marked(now, key) : null),
        (now) => (takenStateOf(now) === 'begun' ? 1 : null),
      )
      if (!(await isBegunOrMissing(id))) return 'again'
      report('refused')
      return user
    }
    const taken = marked(toStored(user), key, record.text)
    const kept = await users.change(ref, (now) => (takenStateOf(now) === 'begun' ? taken : null), forever)
    // The minute was over, or another process has been faster, or has deleted the user.
    if (user.email && (kept.status !== 'saved' || kept.document.value !== taken)) await emails.release(user.email, id)
    return 'again'
  }

  const isBegunOrMissing = async (id: string): Promise<boolean> => {
    const now = await users.read(users.refOf(id))
    return now === null || takenStateOf(now.value) === 'begun'
  }

  const hasClaimed = async (email: string, id: string): Promise<boolean> => {
    try {
      await emails.claim(email, id)
      return true
    } catch (error) {
      if (error instanceof SessionError && error.code === 'COATCHECK_EMAIL_TAKEN') return false
      throw error
    }
  }

  /** Steps 4 to 6. `again`: the old record has changed since it was taken, and our document has the change now. */
  const finish = async (id: string, text: string): Promise<AuthJsUser | null | 'again'> => {
    // A missing key says nothing: the client may have sent the removal twice.
    const record = (await old.remove(keys.user(id), text)) ? null : await old.read(keys.user(id))
    const changed = record && userIn(record.text)
    if (record && changed?.id === id) {
      await merge(id, text, record, changed)
      return 'again'
    }
    const stored = await users.read(users.refOf(id))
    // The user was deleted in between.
    if (!stored) return null
    const addresses = new Set([userIn(text)?.email, fromStored<AuthJsUser>(stored.value).email])
    for (const email of addresses) if (email) await removeName(old, keys.email(email), id)
    const [account, session] = await Promise.all([old.read(keys.lastAccount(id)), old.read(keys.lastSession(id))])
    if (account) await deps.takeAccount(nameIn(account.text))
    const token = session && keys.tokenOf(nameIn(session.text))
    if (token) await deps.takeSession(token)
    await deps.removeNames(id)
    return dropMark(id)
  }

  /** Of processes that finish the same takeover, one drops the mark and reports the user. */
  const dropMark = async (id: string): Promise<AuthJsUser | null> => {
    const mark = { isDropped: false }
    const change = (now: StoredDates): StoredDates | null => {
      mark.isDropped = takenStateOf(now) !== 'whole'
      return mark.isDropped ? unmarked(now) : null
    }
    const whole = await users.change(users.refOf(id), change, forever)
    if (whole.status !== 'saved') return null
    if (mark.isDropped) report('moved')
    return fromStored<AuthJsUser>(whole.document.value)
  }

  /**
   * A process in mode `read` wrote to the old key before it saw the takeover. Applies only its changes: our document may contain later changes of
   * other fields. The mark names the old text, so one process applies them, once. An address that another user has is not applied.
   */
  const merge = async (id: string, text: string, record: OldRecord, changed: AuthJsUser): Promise<void> => {
    const { email: wanted, ...others } = changesBetween(userIn(text), changed)
    const email = wanted && (await hasClaimed(wanted, id)) ? wanted : null
    const isRefused = Boolean(wanted) && !email
    if (isRefused) report('refused')
    const changes = { ...others, ...(wanted !== undefined && !isRefused && { email }) }
    let replaced: string | null | undefined
    const change = (now: StoredDates): StoredDates | null => {
      if (takenTextOf(now) !== text) return null
      const user = fromStored<AuthJsUser>(now)
      replaced = user.email
      return marked(toStored({ ...user, ...changes }), keys.user(id), record.text)
    }
    await users.change(users.refOf(id), change, forever)
    // Frees only what is not the address of the stored user.
    for (const address of new Set([email, replaced])) {
      if (!address) continue
      await emails.release(address, id)
      if (address !== email) await removeName(old, keys.email(address), id)
    }
  }

  return (id) =>
    repeated('migrate.user', async () => {
      const stored = await users.read(users.refOf(id))
      const text = stored && takenTextOf(stored.value)
      if (text !== null) return finish(id, text)
      if (stored && takenStateOf(stored.value) === 'whole') return fromStored<AuthJsUser>(stored.value)
      return begin(id, stored !== null)
    })
}

/** Returns the fields of `now` that differ from `before`. */
function changesBetween(before: AuthJsUser | null, now: AuthJsUser): Partial<AuthJsUser> {
  const changed = Object.entries(now).filter(([name, value]) => !isDeepStrictEqual(value, before?.[name]))
  return Object.fromEntries(changed)
}
