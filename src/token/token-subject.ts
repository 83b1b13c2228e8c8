/**
 * The owner of tokens: issuer and subject of an ID token (OpenID Connect Core section 2). A grant keeps both, and an answer to a
 * refresh that names another subject is not stored (section 12.2).
 */
import { parseJson } from '../core/json.ts'

/** The pair that identifies a user at a provider permanently (OpenID Connect Core section 5.7). */
export interface TokenSubject {
  /** The claim `iss`. */
  readonly issuer: string
  /** The claim `sub`. */
  readonly subject: string
}

const MAX_CHARACTERS = 1024

/**
 * Reads issuer and subject of an ID token without verifying it. `null`: it is no JWT, or does not name both. Use it only for tokens
 * whose sender vouches for them, and for comparisons that can only refuse.
 */
export function subjectIn(idToken: string | null | undefined): TokenSubject | null {
  const claims = claimsIn(idToken)
  const { iss, sub } = claims ?? {}
  return isName(iss) && isName(sub) ? { issuer: iss, subject: sub } : null
}

/** Reads the claims of a JWT without verifying it. `null`: the text is no JWT. */
export function claimsIn(jwt: string | null | undefined): Readonly<Record<string, unknown>> | null {
  const parts = jwt?.split('.') ?? []
  if (parts.length !== 3) return null
  try {
    const claims = parseJson(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8'))
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims)
      ? (claims as Readonly<Record<string, unknown>>)
      : null
  } catch {
    return null
  }
}

/** Returns the claim in which the two differ. `null`: they name the same subject. */
export function differenceOf(expected: TokenSubject, named: TokenSubject): 'issuer' | 'subject' | null {
  if (expected.issuer !== named.issuer) return 'issuer'
  return expected.subject === named.subject ? null : 'subject'
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_CHARACTERS
}
