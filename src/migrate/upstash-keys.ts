/**
 * The keys of the old Auth.js adapter that `coatcheck migrate sessions` takes over: sessions and, in mode `move`, users and accounts. The
 * takeover of a user includes the keys that name the address, the last account and the last session, so they are no records here.
 */
import type { CoatcheckAuthJsAdapter } from '../drop-ins/authjs/types.ts'
import type { MigrationMode } from './migration-mode.ts'
import type { OldKeys } from './old-keys.ts'
import { accountIn, sessionIn, type UpstashKeys, userIn } from './upstash-records.ts'

interface Family {
  readonly prefix: string
  isId(id: string): boolean
  isReadable(id: string, text: string): boolean
}

function familiesOf(keys: UpstashKeys, mode: MigrationMode): readonly Family[] {
  const sessions: Family = {
    prefix: keys.session(''),
    isId: (id) => id !== '',
    isReadable: (token, text) => sessionIn(text)?.sessionToken === token,
  }
  if (mode === 'read') return [sessions]
  const accounts: Family = {
    prefix: keys.accountPrefix,
    isId: (id) => id.includes(':'),
    isReadable(id, text) {
      const account = accountIn(text)
      return account !== null && `${account.provider}:${account.providerAccountId}` === id
    },
  }
  const users: Family = {
    prefix: keys.user(''),
    // Keys of other records begin with the same prefix as those of users.
    isId: (id) => id !== '' && !id.includes(':'),
    isReadable: (id, text) => userIn(text)?.id === id,
  }
  return [sessions, accounts, users]
}

/** @param isPrefixed whether the application gave all keys a prefix of its own */
export function oldUpstashKeys(keys: UpstashKeys, mode: MigrationMode, isPrefixed: boolean): OldKeys {
  const families = familiesOf(keys, mode)
  const indexes = [keys.lastSession(''), keys.lastAccount(''), keys.email(''), keys.tokens]
  const familyOf = (key: string): Family | null => {
    if (indexes.some((prefix) => key.startsWith(prefix))) return null
    const named = families.filter(({ prefix, isId }) => key.startsWith(prefix) && isId(key.slice(prefix.length)))
    // The longest prefix: `user:session:` before `user:`.
    return named.sort((one, other) => other.prefix.length - one.prefix.length)[0] ?? null
  }
  return {
    prefix: commonBeginning(families.map(({ prefix }) => prefix)),
    // Keys of Coatcheck begin with `user:` too.
    sharesPrefix: !isPrefixed,
    idOf: (key) => key,
    familyOf(key) {
      const family = familyOf(key)
      return family && `${family.prefix}*`
    },
    isReadable(key, text) {
      const family = familyOf(key)
      return family?.isReadable(key.slice(family.prefix.length), text) ?? false
    },
    endOf: (key, text) => (keys.tokenOf(key) === null ? null : (sessionIn(text)?.expires.getTime() ?? null)),
  }
}

/**
 * Takes over one old record, as a request for it does.
 * @returns whether Coatcheck stores a session now. False for users and accounts: if two old users share an address, or an account is linked
 *   to another user in Coatcheck, the old record stays, so a run must not remove it.
 */
export async function adoptUpstashKey(
  adapter: CoatcheckAuthJsAdapter,
  keys: UpstashKeys,
  key: string,
): Promise<boolean> {
  const token = keys.tokenOf(key)
  if (token !== null) return (await adapter.getSessionAndUser(token)) !== null
  if (!key.startsWith(keys.accountPrefix)) {
    await adapter.getUser(key.slice(keys.user('').length))
    return false
  }
  const id = key.slice(keys.accountPrefix.length)
  const at = id.indexOf(':')
  const account = { provider: id.slice(0, at), providerAccountId: id.slice(at + 1) }
  await adapter.getUserByAccount(account)
  return false
}

function commonBeginning(texts: readonly string[]): string {
  const [first = '', ...others] = texts
  let length = first.length
  for (const other of others) while (!other.startsWith(first.slice(0, length))) length--
  return first.slice(0, length)
}
