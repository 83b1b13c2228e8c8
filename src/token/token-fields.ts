/**
 * The fields of a user's token hash. Only this module builds and parses them:
 *   grant:<provider>               refresh token and ID token
 *   access:<provider>:<target>     one access token per resource or set of scopes; the empty target is the token of the sign-in
 *   status:<provider>              the last refresh and its outcome
 *   hold:<provider>:<target>       a known failure: until it expires, no process asks the provider for this target again
 *   msal:                          the cache of an application on MSAL
 *   lease:<provider>[:<target>]    the process that refreshes the grant at the moment (`lease.ts`)
 * Field names are in Redis in the clear. They hold names of providers, resources and scopes, and no data of a user.
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

/** All stored fields of one provider. */
export function fieldsOf(provider: string): FieldSelection {
  return {
    fields: [grantField(provider), statusField(provider), leaseField(provider)],
    prefixes: [accessField(provider, ''), knownFailureField(provider, '')],
  }
}

/** Returns `null` for a field of a later version of this package. Provider names have no colon. */
export function parseField(field: TokenField): { kind: FieldKind; provider: string; targetKey: string } | null {
  const match = /^(grant|access|status|hold|lease):([^:]+)(?::(.*))?$/s.exec(field)
  if (!match) return null
  return { kind: match[1] as FieldKind, provider: match[2] ?? '', targetKey: match[3] ?? '' }
}
