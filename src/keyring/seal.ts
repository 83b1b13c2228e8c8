/**
 * Sealing: AES-256-GCM with a random 96-bit nonce. A sealed record (`record-layout.ts`) opens only under the name that it was sealed for.
 * Format, key tag, record type, kind and name are associated data. Their encoding
 * never gives the same bytes for two addresses. Session records carry 8 bytes in front (the generation). The associated data does not cover
 * them, because a script rewrites them.
 */
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'
import { type Random, systemRandom } from '../core/random.ts'
import type { Keyring } from './keyring.ts'
import { AUTH_TAG_BYTES, KEY_TAG_AT, NONCE_AT, NONCE_BYTES, SEALED_HEAD_BYTES } from './record-layout.ts'

const FORMAT = 1
const GCM = { authTagLength: AUTH_TAG_BYTES } as const

/** What a record is and where it is stored. `shard` selects the data key: the first 8 bits of this base64url text. */
export interface SealAddress {
  /** A word of this list, and a `kind` that the owner chooses. Neither contains a colon. */
  readonly type: 'session' | 'token' | 'signin' | 'document'
  readonly kind: string
  readonly name: string
  readonly shard: string
  /** Filled in by the first use, for an owner that keeps the address and uses it again. A copy of the address is prepared anew. */
  prepared?: PreparedAddress
}

/** The parts that stay the same between two uses of an address under one key. This saves three lookups in cold memory per read. */
interface PreparedAddress {
  readonly owner: SealAddress
  readonly keyring: Keyring
  readonly keyTag: number
  readonly key: KeyObject
  readonly associatedData: Buffer
}

/** One generic refusal. Only operators see `key-unknown`, never a visitor. */
export type Refusal = 'unreadable' | 'key-unknown'

export interface Seal {
  /** @param headroom bytes left free (zero) in front of the sealed record. */
  seal(plaintext: Buffer, address: SealAddress, headroom?: number): Buffer
  /** Never throws: a record that is truncated, changed, renamed, copied or of an unknown key is a refusal. */
  open(record: Buffer, address: SealAddress, headroom?: number): Buffer | Refusal
  /**
   * Seals the same content under the active key, with the same length and the same nonce. Code that compares nonces sees no change. A nonce
   * that was random under one key is as good under another. Sealing the same content twice gives the same bytes, so no nonce is ever used
   * for two contents. The bytes in front are copied.
   */
  reencrypt(record: Buffer, address: SealAddress, headroom?: number): Buffer | Refusal
}

export function createSeal(keyring: Keyring, random: Random = systemRandom): Seal {
  const sealWith = (nonce: Buffer, plaintext: Buffer, address: SealAddress, headroom: number): Buffer => {
    const { tag, id } = keyring.active
    const prepared = prepare(keyring, address, tag, 0)
    if (!prepared) throw new Error(`no data key for the active key ${id}`)
    const cipher = createCipheriv('aes-256-gcm', prepared.key, nonce, GCM)
    cipher.setAAD(prepared.associatedData)
    const body = cipher.update(plaintext)
    cipher.final()
    const out = Buffer.alloc(headroom + SEALED_HEAD_BYTES + body.length + AUTH_TAG_BYTES)
    out[headroom] = FORMAT
    tag.copy(out, headroom + KEY_TAG_AT)
    nonce.copy(out, headroom + NONCE_AT)
    body.copy(out, headroom + SEALED_HEAD_BYTES)
    cipher.getAuthTag().copy(out, out.length - AUTH_TAG_BYTES)
    return out
  }

  const open: Seal['open'] = (record, address, headroom = 0) => {
    if (record.length < headroom + SEALED_HEAD_BYTES + AUTH_TAG_BYTES || record[headroom] !== FORMAT)
      return 'unreadable'
    const prepared = prepare(keyring, address, record, headroom + KEY_TAG_AT)
    if (!prepared) return 'key-unknown'
    try {
      const nonce = record.subarray(headroom + NONCE_AT, headroom + SEALED_HEAD_BYTES)
      const decipher = createDecipheriv('aes-256-gcm', prepared.key, nonce, GCM)
      decipher.setAAD(prepared.associatedData)
      decipher.setAuthTag(record.subarray(record.length - AUTH_TAG_BYTES))
      const plaintext = decipher.update(record.subarray(headroom + SEALED_HEAD_BYTES, record.length - AUTH_TAG_BYTES))
      decipher.final()
      return plaintext
    } catch {
      return 'unreadable'
    }
  }

  return {
    open,
    seal: (plaintext, address, headroom = 0) => sealWith(random.bytes(NONCE_BYTES), plaintext, address, headroom),
    reencrypt(record, address, headroom = 0) {
      const plaintext = open(record, address, headroom)
      if (typeof plaintext === 'string') return plaintext
      const out = sealWith(nonceOf(record, headroom), plaintext, address, headroom)
      record.copy(out, 0, 0, headroom)
      return out
    },
  }
}

/** Returns the nonce of a sealed record, for a compare-and-set. A copy. */
export function nonceOf(record: Buffer, headroom = 0): Buffer {
  return Buffer.from(record.subarray(headroom + NONCE_AT, headroom + SEALED_HEAD_BYTES))
}

/** Returns the tag of the key that sealed the record: compare it with `RingKey.tag`. */
export function keyTagOf(record: Buffer, headroom = 0): Buffer {
  return record.subarray(headroom + KEY_TAG_AT, headroom + NONCE_AT)
}

/** Returns whether a value is a sealed record, from its first bytes. `SEALED_HEAD_BYTES` of them are enough. */
export function isSealed(head: Buffer, headroom = 0): boolean {
  return head.length >= headroom + SEALED_HEAD_BYTES && head[headroom] === FORMAT
}

/** Returns `null` when the ring has no key with the tag at `tagAt`. */
function prepare(keyring: Keyring, address: SealAddress, bytes: Buffer, tagAt: number): PreparedAddress | null {
  const keyTag = bytes.readUInt32BE(tagAt)
  const { prepared, type, kind, name } = address
  if (prepared?.owner === address && prepared.keyTag === keyTag && prepared.keyring === keyring) return prepared
  const key = keyring.dataKey(bytes, tagAt, type, address.shard)
  if (!key) return null
  const associatedData = Buffer.from(`${FORMAT}:${keyTag}:${type}:${kind}:${name.length}:${name}`, 'utf8')
  address.prepared = { owner: address, keyring, keyTag, key, associatedData }
  return address.prepared
}
