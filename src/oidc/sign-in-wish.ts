/**
 * What only the user can mend, carried to the login route: claims and scopes that a provider or a resource asked for. The
 * address is signed, since authorization parameters come from configuration and application code only and never from a
 * visitor (OWASP ASVS 10.2.3): a link that somebody else put together asks for nothing.
 */
import { timingSafeEqual } from 'node:crypto'
import { parseJson } from '../core/json.ts'
import type { Keyring } from '../keyring/keyring.ts'
import type { SignInUrl, SignInWish } from '../token/sign-in-url.ts'

const PURPOSE = 'sign-in-wish'
/** Far above real claims challenges (about 100), and small enough for an address. */
const WISH_CHARACTERS = 4096

/** The address of the login route with what it should ask for. */
export function signInUrlOf(keyring: Keyring, basePath: string): SignInUrl {
  return ({ provider, claims, scopes }) => {
    const query = new URLSearchParams({ provider })
    if (claims !== null || scopes.length > 0) {
      const content = Buffer.from(JSON.stringify({ claims, scopes })).toString('base64url')
      if (content.length <= WISH_CHARACTERS) query.set('wish', `${content}.${signatureOf(keyring, provider, content)}`)
    }
    return `${basePath}/login?${query.toString()}`
  }
}

/** `null` for anything that was not made here for this provider. */
export function openSignInWish(
  keyring: Keyring,
  provider: string,
  wish: string | null,
): Pick<SignInWish, 'claims' | 'scopes'> | null {
  if (wish === null || wish.length > WISH_CHARACTERS + 32) return null
  const [content = '', signature = ''] = wish.split('.')
  const expected = signatureOf(keyring, provider, content)
  if (signature.length !== expected.length) return null
  if (!timingSafeEqual(Buffer.from(signature, 'latin1'), Buffer.from(expected, 'latin1'))) return null
  return parseJson(Buffer.from(content, 'base64url').toString('utf8')) as Pick<SignInWish, 'claims' | 'scopes'>
}

function signatureOf(keyring: Keyring, provider: string, content: string): string {
  return keyring.nameOf(PURPOSE, `${provider}\n${content}`)
}
