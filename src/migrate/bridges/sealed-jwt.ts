/**
 * Opens JWTs that are encrypted with a derived key (JWE, RFC 7516, `alg: dir`), as in the cookies of Auth.js and nextjs-auth0. The keys are
 * derived from a secret by HKDF (RFC 5869) with SHA-256. Each library has its own salt and label.
 */
import { createHash, hkdfSync } from 'node:crypto'
import { decodeProtectedHeader, jwtDecrypt, type JWTPayload } from 'jose'

/** How a library derives the key for one content encryption. */
export interface KeyRecipe {
  readonly encryption: 'A256CBC-HS512' | 'A256GCM'
  readonly salt: string
  readonly label: string
}

export interface OpenedJwt {
  readonly payload: JWTPayload
  readonly header: Readonly<Record<string, unknown>>
  /** The same for each spelling of one token: base64url can encode the same bytes in several texts. */
  readonly fingerprint: string
}

export interface JwtOpener {
  /** `null`: no secret opens it, or it has expired. */
  open(token: string, recipe: KeyRecipe): Promise<OpenedJwt | null>
}

const KEY_BYTES = { 'A256CBC-HS512': 64, A256GCM: 32 } as const

export function createJwtOpener(secrets: readonly string[]): JwtOpener {
  // One key per secret and recipe: HKDF costs more than opening a forged token.
  const derived = new Map<string, readonly Uint8Array[]>()
  const keysOf = ({ encryption, salt, label }: KeyRecipe): readonly Uint8Array[] => {
    const name = JSON.stringify([encryption, salt, label])
    const known = derived.get(name)
    if (known) return known
    const keys = secrets.map((secret) => new Uint8Array(hkdfSync('sha256', secret, salt, label, KEY_BYTES[encryption])))
    derived.set(name, keys)
    return keys
  }
  return {
    async open(token, recipe) {
      if (encryptionOf(token) !== recipe.encryption) return null
      for (const key of keysOf(recipe)) {
        const opened = await openWith(token, key, recipe)
        if (opened) return opened
      }
      return null
    },
  }
}

/** The content encryption that a token names. `null`: it is no JWE in compact form. */
export function encryptionOf(token: string): string | null {
  if (token.split('.', 6).length !== 5) return null
  try {
    const { alg, enc } = decodeProtectedHeader(token) as { readonly alg?: unknown; readonly enc?: unknown }
    return alg === 'dir' && typeof enc === 'string' ? enc : null
  } catch {
    return null
  }
}

async function openWith(token: string, key: Uint8Array, { encryption }: KeyRecipe): Promise<OpenedJwt | null> {
  try {
    const { payload, protectedHeader } = await jwtDecrypt(token, key, {
      keyManagementAlgorithms: ['dir'],
      contentEncryptionAlgorithms: [encryption],
    })
    return { payload, header: protectedHeader, fingerprint: fingerprintOf(token) }
  } catch {
    // The visitor must not learn whether the key is wrong, or the token is cut or expired.
    return null
  }
}

/** Of the bytes: initialization vector, ciphertext and tag are authenticated as bytes, and the header as text. */
function fingerprintOf(token: string): string {
  const [header = '', , ...parts] = token.split('.')
  const hash = createHash('sha256').update(`${header}.`)
  for (const part of parts) hash.update(Buffer.from(part, 'base64url'))
  return hash.digest('base64url')
}
