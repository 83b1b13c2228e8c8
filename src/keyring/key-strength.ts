/**
 * Detects keys that a person typed, counted or repeated instead of generating them. Other weaknesses (a leaked key, a predictable
 * generator) are not visible in a key.
 */
import { parseEntries } from './keyring.ts'

export interface WeakKey {
  /** Its id in the ring. It reveals nothing about the key. */
  readonly id: string
  /** Completes "the key is …". */
  readonly is: string
}

/** Of 32 random bytes about 30 are different. */
const FEWEST_DIFFERENT = 18

/** @throws {KeyringError} `COATCHECK_KEY_INVALID` for a text that is no key */
export function weakKeysOf(spec: string | readonly string[]): readonly WeakKey[] {
  return parseEntries(spec).flatMap(({ id, key }) => {
    const is = weaknessOf(key)
    return is === null ? [] : [{ id, is }]
  })
}

function weaknessOf(key: Buffer): string | null {
  if (key.every((byte) => byte >= 0x20 && byte < 0x7f)) return 'text that can be read, not random bytes'
  const step = ((key[1] ?? 0) - (key[0] ?? 0)) & 0xff
  const isCounted = key.every((byte, i) => i === 0 || ((byte - (key[i - 1] ?? 0)) & 0xff) === step)
  if (isCounted) return 'a sequence of numbers'
  if (new Set(key).size < FEWEST_DIFFERENT) return 'made of few different bytes'
  return null
}
