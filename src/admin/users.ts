/** Whose sessions and tokens an operator means: by user id, by user key, or by what the provider calls the user. */
import type { ResolvedConfig } from '../config/types.ts'
import { ConfigError, MisuseError } from '../core/errors.ts'
import type { Keyring } from '../keyring/keyring.ts'
import { defaultUserId } from '../oidc/identity.ts'
import { parseProfile } from '../session/session-codec.ts'
import type { AdminGround } from './ground.ts'
import { storedSessions } from './sessions.ts'

/** One of the three. */
export interface UserWish {
  /** As the application gives it: `signIn.userId`, `create({ userId })`. */
  readonly user?: string
  /** As key names and logs have it. */
  readonly userKey?: string
  /** Only where the application does not choose user ids itself. `provider` need not be named when there is one. */
  readonly provider?: string
  /** Subject of the user at the issuer. */
  readonly subject?: string
  /** Of a multi-tenant Entra application. */
  readonly tenant?: string
}

/** A user as the store knows it. */
export interface FoundUser {
  /** Hash of the user id, as it stands in key names. */
  readonly userKey: string
  /** `null`: found by its key alone. */
  readonly userId: string | null
  /** What may be shown: what the operator typed. */
  readonly label: string
}

const USER_KEY = /^[A-Za-z0-9_-]{16}$/
const TENANT_TEMPLATE = '{tenantid}'

/** @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` @throws {ConfigError} `COATCHECK_CONFIG_INVALID` */
export function findUser(
  {
    keyring,
    config,
  }: { readonly keyring: Keyring; readonly config: Pick<ResolvedConfig<object>, 'providers' | 'signIn'> },
  wish: UserWish,
): FoundUser {
  const { user, userKey, subject } = wish
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
  const userId = user ?? defaultUserId({ issuer: issuerOf(config, wish), subject: subject ?? '' })
  return { userKey: keyring.userKey(userId), userId, label: user ?? subject ?? '' }
}

/** The user id, where only the key is known: out of a session. `null`: there is none to tell it. */
export async function userIdOf(ground: AdminGround, { userKey, userId }: FoundUser): Promise<string | null> {
  if (userId !== null) return userId
  const [loaded] = await storedSessions(ground, userKey, 1)
  return (loaded && parseProfile(loaded.record).userId) ?? null
}

function issuerOf(
  { providers, signIn }: Pick<ResolvedConfig<object>, 'providers' | 'signIn'>,
  { provider, tenant }: UserWish,
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
