/**
 * What only the user can mend, carried to the login route: claims and scopes that a provider or a resource asked for. The
 * address is signed, since authorization parameters come from configuration and application code only and never from a
 * visitor (OWASP ASVS 10.2.3): a link that somebody else put together asks for nothing.
 *
 * The signature covers the user and an expiry: a link of one user asks for nothing in the browser of another, and an old link asks for
 * nothing anywhere. The sign-in itself goes on without the wish.
 */
import { timingSafeEqual } from 'node:crypto'
import type { Clock } from '../core/clock.ts'
import { parseJson } from '../core/json.ts'
import type { Keyring } from '../keyring/keyring.ts'
import type { SignInUrl, SignInWish } from '../token/sign-in-url.ts'

const PURPOSE = 'sign-in-wish'
/** Far above real claims challenges (about 100), and small enough for an address. */
const WISH_CHARACTERS = 4096
/** As long as a page with this link may stay open. */
export const WISH_LIFE_MS = 60 * 60_000

export type SignedWish = Pick<SignInWish, 'claims' | 'scopes'>

/** A parsed wish whose signature is not verified yet: that needs the user of the browser. */
export interface UnprovenWish {
  /** `null` for any user but the one that the wish was made for. */
  openFor(userKey: string): SignedWish | null
}

/** The address of the login route with what it should ask for. */
export function signInUrlOf(keyring: Keyring, basePath: string, clock: Clock): SignInUrl {
  return ({ provider, userKey, claims, scopes }) => {
    const query = new URLSearchParams({ provider })
    if (claims !== null || scopes.length > 0) {
      const expiresAtMs = clock.now() + WISH_LIFE_MS
      const content = Buffer.from(JSON.stringify({ claims, scopes, expiresAtMs })).toString('base64url')
      const signature = signatureOf(keyring, provider, userKey, content)
      if (content.length <= WISH_CHARACTERS) query.set('wish', `${content}.${signature}`)
    }
    return `${basePath}/login?${query.toString()}`
  }
}

/** `null` for a text that is no wish: then the session of the browser need not be read. */
export function readSignInWish(
  keyring: Keyring,
  provider: string,
  wish: string | null,
  clock: Clock,
): UnprovenWish | null {
  if (wish === null || wish.length > WISH_CHARACTERS + 32) return null
  const [content = '', signature = '', ...more] = wish.split('.')
  if (content === '' || more.length > 0) return null
  return {
    openFor(userKey) {
      const expected = signatureOf(keyring, provider, userKey, content)
      if (signature.length !== expected.length) return null
      if (!timingSafeEqual(Buffer.from(signature, 'latin1'), Buffer.from(expected, 'latin1'))) return null
      // Authentic from here on.
      const text = Buffer.from(content, 'base64url').toString('utf8')
      const { claims, scopes, expiresAtMs } = parseJson(text) as SignedWish & { readonly expiresAtMs: number }
      return expiresAtMs > clock.now() ? { claims, scopes } : null
    },
  }
}

function signatureOf(keyring: Keyring, provider: string, userKey: string, content: string): string {
  return keyring.nameOf(PURPOSE, JSON.stringify([provider, userKey, content]))
}
