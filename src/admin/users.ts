/** Identifies the user that an operator names: by user id, by user key, or by the provider's subject. */
import type { ResolvedConfig } from '../config/types.ts'
import { ConfigError, MisuseError } from '../core/errors.ts'
import type { Keyring } from '../keyring/keyring.ts'
import { defaultUserId } from '../oidc/identity.ts'
import { parseProfile } from '../session/session-codec.ts'
import type { AdminContext } from './context.ts'
import { storedSessions } from './sessions.ts'

/** Selects a user by exactly one of `user`, `userKey` and `subject`. */
export interface UserQuery {
  /** Id of the user, from `signIn.userId` or `create({ userId })`. */
  readonly user?: string
  /** Hash of the user id, as it stands in key names and logs: 16 characters. */
  readonly userKey?: string
  /** Name of the provider of `subject`. Absent: the only one. */
  readonly provider?: string
  /** Subject of the user at the issuer (claim `sub`). Works only without `signIn.userId`. */
  readonly subject?: string
  /** Directory (tenant) id of the user. Needed with `subject` at a multi-tenant Entra application. */
  readonly tenant?: string
}

/** The result of `findUser()`: names of a user. The user need not have a session. */
export interface FoundUser {
  /** Hash of the user id, as it stands in key names. */
  readonly userKey: string
  /** Id of the user. `null`: only the hash is known; see `userIdOf()`. */
  readonly userId: string | null
  /** What the operator typed, for messages. */
  readonly label: string
}

const USER_KEY = /^[A-Za-z0-9_-]{16}$/
const TENANT_TEMPLATE = '{tenantid}'

/**
 * Computes the names of a user from what an operator knows. Sends no command, so it also succeeds for a user without a session.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` when not exactly one of the three is given, when the hash is malformed, when `tenant`
 * is missing, or for a `subject` although the application chooses user ids itself
 * @throws {ConfigError} `COATCHECK_CONFIG_INVALID` when the provider is unknown, or several are configured and none is named
 */
export function findUser(
  {
    keyring,
    config,
  }: { readonly keyring: Keyring; readonly config: Pick<ResolvedConfig<object>, 'providers' | 'signIn'> },
  query: UserQuery,
): FoundUser {
  const { user, userKey, subject } = query
  const given = [user, userKey, subject].filter((one) => one !== undefined && one !== '')
  if (given.length !== 1) {
    throw new MisuseError('COATCHECK_INVALID_ARGUMENT', 'Whose? It wants one of a user id, a user key and a subject.')
  }
  if (userKey !== undefined) {
    if (!USER_KEY.test(userKey)) {
      throw new MisuseError('COATCHECK_INVALID_ARGUMENT', 'A user key has 16 characters: letters, digits, "-" and "_".')
    }
    return { userKey, userId: null, label: userKey }
  }
  const userId = user ?? defaultUserId({ issuer: issuerOf(config, query), subject: subject ?? '' })
  return { userKey: keyring.userKey(userId), userId, label: user ?? subject ?? '' }
}

/**
 * Returns the id of a user. If only the hash is known, it reads the id from a live session. `null`: the user has none.
 * @throws {RedisError} during an outage
 */
export async function userIdOf(context: AdminContext, { userKey, userId }: FoundUser): Promise<string | null> {
  if (userId !== null) return userId
  const [loaded] = await storedSessions(context, userKey, 1)
  return (loaded && parseProfile(loaded.record).userId) ?? null
}

function issuerOf(
  { providers, signIn }: Pick<ResolvedConfig<object>, 'providers' | 'signIn'>,
  { provider, tenant }: UserQuery,
): string {
  if (signIn.userId !== undefined) {
    throw new MisuseError(
      'COATCHECK_INVALID_ARGUMENT',
      'This configuration chooses user ids itself (signIn.userId): a subject alone does not tell them. Name the user id.',
    )
  }
  const found = providers.filter(({ name }) => provider === undefined || name === provider)
  const [one] = found
  if (one === undefined || found.length > 1) {
    const missing = provider === undefined ? 'none is configured here' : 'none of this name is configured'
    throw new ConfigError('COATCHECK_CONFIG_INVALID', {
      message: `A subject belongs to a provider: ${one === undefined ? missing : 'several are configured, so name one'}.`,
    })
  }
  if (one.issuer.includes(TENANT_TEMPLATE) && tenant === undefined) {
    throw new MisuseError(
      'COATCHECK_INVALID_ARGUMENT',
      `"${one.name}" lets several tenants in: name the user's tenant.`,
    )
  }
  return one.issuer.replace(TENANT_TEMPLATE, tenant ?? '')
}
