/**
 * Opens seals of the format `Fe26.2`, which @hapi/iron, iron-webcrypto and iron-session write:
 *   Fe26.2 * password id * salt * iv * ciphertext * expiration (epoch ms) * HMAC salt * HMAC
 * AES-256-CBC and HMAC-SHA256, with keys by PBKDF2-SHA1 of one round from the password and the salt.
 */
import { createDecipheriv, createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import { parseJson } from '../../core/json.ts'

const PREFIX = 'Fe26.2'
const KEY_BYTES = 32
const IV_BYTES = 16
/** iron-session writes 64 hexadecimal characters. A long salt would only cost time. */
const MAX_SALT_CHARACTERS = 128

export interface UnsealedIron {
  readonly value: unknown
  /** Epoch milliseconds. `null`: the seal never ends. */
  readonly expiresAtMs: number | null
  /** Hash of what the HMAC covers: the same for each spelling of one seal. */
  readonly fingerprint: string
}

/**
 * Returns the content of a seal, also of an expired one. `null`: no password opens it.
 * @param passwords by their id, as iron-session names them
 */
export function unsealIron(seal: string, passwords: Readonly<Record<string, string>>): UnsealedIron | null {
  const parts = seal.split('*', 9)
  if (parts.length !== 8) return null
  const [prefix, id = '', salt = '', iv = '', ciphertext = '', expiration = '', hmacSalt = '', hmac = ''] = parts
  if (prefix !== PREFIX || !/^\d{0,16}$/.test(expiration)) return null
  if (salt.length > MAX_SALT_CHARACTERS || hmacSalt.length > MAX_SALT_CHARACTERS) return null
  const name = id === '' ? 'default' : id
  const password = Object.hasOwn(passwords, name) ? passwords[name] : undefined
  if (password === undefined) return null
  const covered = parts.slice(0, 6).join('*')
  const expected = Buffer.from(createHmac('sha256', keyOf(password, hmacSalt)).update(covered).digest('base64url'))
  const given = Buffer.from(hmac)
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return null
  const value = decrypted(ciphertext, keyOf(password, salt), Buffer.from(iv, 'base64url'))
  if (value === undefined) return null
  return {
    value,
    expiresAtMs: expiration === '' ? null : Number(expiration),
    fingerprint: createHash('sha256').update(covered).digest('base64url'),
  }
}

/** One round, as the format defines. Passwords have 32 characters or more. */
function keyOf(password: string, salt: string): Buffer {
  return pbkdf2Sync(password, salt, 1, KEY_BYTES, 'sha1')
}

function decrypted(ciphertext: string, key: Buffer, iv: Buffer): unknown {
  if (iv.length !== IV_BYTES) return undefined
  try {
    const decipher = createDecipheriv('aes-256-cbc', key, iv)
    const bytes = Buffer.concat([decipher.update(Buffer.from(ciphertext, 'base64url')), decipher.final()])
    return parseJson(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}
