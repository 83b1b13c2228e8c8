/**
 * The fields of a user's token hash, built and taken apart here only:
 *   grant:<provider>               refresh token and ID token
 *   access:<provider>:<target>     one access token per resource or set of scopes; the empty target is what sign-in returned
 *   status:<provider>              the last refresh and its outcome
 *   hold:<provider>:<target>       a failed refresh: until it expires nobody asks the provider for this target again
 *   msal:                          the cache of an application on MSAL
 *   lease:<provider>[:<target>]    who refreshes the grant at the moment (`lease.ts`)
 * Names lie in Redis in the clear: they hold the names of providers, resources and scopes, and nothing of a user.
 */
import type { FieldSelection, TokenField } from './token-driver.ts'

/** Names a grant: one per user and provider. */
export interface GrantName {
  readonly userKey: string
  readonly provider: string
}

export type FieldKind = 'grant' | 'access' | 'status' | 'hold' | 'lease'

export const grantField = (provider: string): TokenField => `grant:${provider}`
export const statusField = (provider: string): TokenField => `status:${provider}`
export const leaseField = (provider: string): TokenField => `lease:${provider}`
export const knownFailureField = (provider: string, targetKey: string): TokenField => `hold:${provider}:${targetKey}`
/** The cache of an application on MSAL, in a hash of its own user key: `coatcheck/msal`. */
export const msalField: TokenField = 'msal:'
export const accessField = (provider: string, targetKey: string): TokenField => `access:${provider}:${targetKey}`

/** Everything that is stored of one provider. */
export function fieldsOf(provider: string): FieldSelection {
  return {
    fields: [grantField(provider), statusField(provider), leaseField(provider)],
    prefixes: [accessField(provider, ''), knownFailureField(provider, '')],
  }
}

/** `null` for a field of a later version of this package. Provider names hold no colon. */
export function parseField(field: TokenField): { kind: FieldKind; provider: string; targetKey: string } | null {
  const match = /^(grant|access|status|hold|lease):([^:]+)(?::(.*))?$/s.exec(field)
  if (!match) return null
  return { kind: match[1] as FieldKind, provider: match[2] ?? '', targetKey: match[3] ?? '' }
}
