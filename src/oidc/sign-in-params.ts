/**
 * Sign-in parameters in a link to the login route: claims and scopes that a provider or a resource requested. The parameters are signed,
 * because only configuration and application code may set authorization parameters, never a visitor (OWASP ASVS 10.2.3).
 * The signature covers the user and an expiry. The login route ignores parameters of another user, expired ones and unsigned ones; the
 * sign-in itself goes on without them.
 */
import { timingSafeEqual } from 'node:crypto'
import type { Clock } from '../core/clock.ts'
import { parseJson } from '../core/json.ts'
import type { Keyring } from '../keyring/keyring.ts'
import type { SignInUrl, SignInParams } from '../token/sign-in-url.ts'

const PURPOSE = 'sign-in-params'
/** Far above real claims challenges (about 100), and small enough for a URL. */
const MAX_CHARACTERS = 4096
/** How long a page with this link may stay open. */
export const PARAMS_LIFE_MS = 60 * 60_000

export type SignedParams = Pick<SignInParams, 'claims' | 'scopes'>

/** Parsed parameters whose signature is not verified yet. Verification needs the user of the browser. */
export interface UnverifiedParams {
  /** Returns `null` for any user other than the one that the link was made for. */
  openFor(userKey: string): SignedParams | null
}

/** Returns the URL of the login route with the signed parameters. */
export function signInUrlOf(keyring: Keyring, basePath: string, clock: Clock): SignInUrl {
  return ({ provider, userKey, claims, scopes }) => {
    const query = new URLSearchParams({ provider })
    if (claims !== null || scopes.length > 0) {
      const expiresAtMs = clock.now() + PARAMS_LIFE_MS
      const content = Buffer.from(JSON.stringify({ claims, scopes, expiresAtMs })).toString('base64url')
      const signature = signatureOf(keyring, provider, userKey, content)
      if (content.length <= MAX_CHARACTERS) query.set('params', `${content}.${signature}`)
    }
    return `${basePath}/login?${query.toString()}`
  }
}

/** Returns `null` for a text that cannot be signed parameters. The caller then need not read the session of the browser. */
export function readSignInParams(
  keyring: Keyring,
  provider: string,
  params: string | null,
  clock: Clock,
): UnverifiedParams | null {
  if (params === null || params.length > MAX_CHARACTERS + 32) return null
  const [content = '', signature = '', ...more] = params.split('.')
  if (content === '' || more.length > 0) return null
  return {
    openFor(userKey) {
      const expected = signatureOf(keyring, provider, userKey, content)
      if (signature.length !== expected.length) return null
      if (!timingSafeEqual(Buffer.from(signature, 'latin1'), Buffer.from(expected, 'latin1'))) return null
      // Authentic from here on.
      const text = Buffer.from(content, 'base64url').toString('utf8')
      const { claims, scopes, expiresAtMs } = parseJson(text) as SignedParams & { readonly expiresAtMs: number }
      return expiresAtMs > clock.now() ? { claims, scopes } : null
    },
  }
}

function signatureOf(keyring: Keyring, provider: string, userKey: string, content: string): string {
  return keyring.nameOf(PURPOSE, JSON.stringify([provider, userKey, content]))
}
