/**
 * The encryption keys, parsed from `COATCHECK_KEYS`. The first key seals; all keys open. No code outside this folder sees a key. Data keys
 * are derived per record type and per shard (8 bits of the user key), so that no AES key seals more than a 256th of the records. NIST SP
 * 800-38D allows 2^32 records with random nonces. docs/decisions/0005 gives the reasons against more shards.
 */
import { createHash, createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { CacheBudget } from '../core/cache-budget.ts'
import { Doorkeeper, fingerprintOf } from '../core/doorkeeper.ts'
import { ConfigError, KeyringError } from '../core/errors.ts'
import { createMac, type Mac } from './mac.ts'

const KEY_BYTES = 32
const KEY_TAG_BYTES = 4
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/
const NAMES_ID = 'names'
const SHARDS = 256
/** Memory of a cached user key, without the characters of the user id. */
const CACHED_USER_KEY_BYTES = 200
/** A longer user id is not cached: its hash costs little beside what else is done with such a text. */
const MAX_CACHED_USER_ID = 512
/** Cache limit per record type: all shards of sixteen keys. */
const DERIVED_KEYS_CACHED = 16 * SHARDS
const USER_KEY_CHARACTERS = 16
/** Indexed by character code. */
const BASE64URL_BITS: readonly number[] = Array.from({ length: 128 }, (_, code) =>
  Math.max(0, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'.indexOf(String.fromCharCode(code))),
)

/** One entry of the ring. Each record that it sealed contains `tag`. */
export interface RingKey {
  readonly id: string
  readonly tag: Buffer
  readonly ticketMac: Mac
}

/** The encryption keys, parsed. */
export interface Keyring {
  /** The key that seals. */
  readonly active: RingKey
  /** All keys, the active one first. */
  readonly keys: readonly RingKey[]
  /** Returns the id of the key with this tag, as a record holds it; `null` when the ring has no such key. */
  idOf(tag: Buffer): string | null
  /**
   * Returns the data key for the tag at `offset`; `null` when the ring has no such key. `shard`: base64url; only its first 8 bits count.
   */
  dataKey(bytes: Buffer, offset: number, recordType: string, shard: string): KeyObject | null
  /** The user's part of key names: 16 characters base64url, constant for the life of the names secret. */
  userKey(userId: string): string
  /** A keyed hash for other names (provider session, app tokens): 22 characters base64url. */
  nameOf(kind: string, value: string): string
}

/**
 * @param spec comma-separated `base64` or `id:base64`, 32 bytes each, and one optional `names:base64`.
 * @param caches holds user keys: a token hit needs one, and computing its hash would be a tenth of the hit's cost
 * @throws {KeyringError} `COATCHECK_KEY_INVALID` with the position of the entry, never its text
 * @throws {ConfigError} `COATCHECK_CONFIG_MISSING` for two keys without a `names:` entry
 */
export function createKeyring(spec: string | readonly string[], caches: CacheBudget = new CacheBudget()): Keyring {
  const parsed = parseEntries(spec)
  const masters = parsed.filter((entry) => entry.id !== NAMES_ID)
  const named = parsed.filter((entry) => entry.id === NAMES_ID)
  const [first] = masters
  if (!first) throw new ConfigError('COATCHECK_CONFIG_MISSING', { message: 'COATCHECK_KEYS holds no key that seals.' })
  refuseDuplicates(masters, named.length)
  if (masters.length > 1 && named.length === 0) {
    throw new ConfigError('COATCHECK_CONFIG_MISSING', {
      message:
        'COATCHECK_KEYS holds several keys and no "names:" entry. Without it the key names of all users would change with the first key, and all users would be signed out.',
    })
  }
  const namesSecret = named[0]?.key ?? derive(first.key, 'names')
  const keys = masters.map(toRingKey)
  const masterByTag = new Map(masters.map((m, i) => [tagNumber(keys[i]?.tag as Buffer, 0), m.key]))
  return buildKeyring(keys, masterByTag, namesSecret, caches)
}

/** Returns the `names:` entry that keeps user keys the same when a second key is added to a ring of one. */
export function namesEntryOf(singleKey: string): string {
  return `${NAMES_ID}:${derive(parseEntry(singleKey, 0).key, 'names').toString('base64')}`
}

function buildKeyring(
  keys: readonly RingKey[],
  masters: ReadonlyMap<number, Buffer>,
  namesSecret: Buffer,
  caches: CacheBudget,
): Keyring {
  const derived = new Map<string, Map<number, KeyObject>>()
  const userKeys = caches.cache<string>('user keys', (_, userId) => CACHED_USER_KEY_BYTES + 2 * userId.length)
  const doorkeeper = new Doorkeeper()
  const namesKey = createSecretKey(namesSecret)
  const nameOf = (kind: string, value: string): string =>
    createHmac('sha256', namesKey).update(`${kind.length}:${kind}${value}`).digest('base64url')
  return {
    keys,
    active: keys[0] as RingKey,
    idOf: (tag) => keys.find((key) => key.tag.equals(tag))?.id ?? null,
    userKey(userId) {
      const known = userKeys.get(userId)
      if (known !== undefined) return known
      const userKey = nameOf('user', userId).slice(0, USER_KEY_CHARACTERS)
      if (userId.length <= MAX_CACHED_USER_ID && doorkeeper.isKnown(fingerprintOf(userKey))) {
        // A copy: the text may be a part of a longer one, such as a URL.
        userKeys.set(Buffer.from(userId, 'utf16le').toString('utf16le'), userKey)
      }
      return userKey
    },
    nameOf: (kind, value) => nameOf(kind, value).slice(0, 22),
    dataKey(bytes, offset, recordType, shard) {
      const tag = tagNumber(bytes, offset)
      let ofType = derived.get(recordType)
      if (!ofType) derived.set(recordType, (ofType = new Map<number, KeyObject>()))
      const shardNumber = shardOf(shard)
      // A number as key: a lookup builds no text.
      const slot = tag * SHARDS + shardNumber
      const known = ofType.get(slot)
      if (known) return known
      const master = masters.get(tag)
      if (!master) return null
      const key = createSecretKey(derive(master, `data/${recordType}/${shardNumber}`))
      if (ofType.size >= DERIVED_KEYS_CACHED) ofType.clear()
      ofType.set(slot, key)
      return key
    },
  }
}

/** A parsed key. It must not leave this folder. */
export interface ParsedEntry {
  readonly id: string
  readonly key: Buffer
}

/** @throws {KeyringError} `COATCHECK_KEY_INVALID` with the position of the entry, never its text */
export function parseEntries(spec: string | readonly string[]): readonly ParsedEntry[] {
  const entries = (typeof spec === 'string' ? spec.split(',') : spec).map((e) => e.trim()).filter((e) => e !== '')
  return entries.map(parseEntry)
}

function parseEntry(entry: string, index: number): ParsedEntry {
  const colon = entry.indexOf(':')
  const text = entry.slice(colon + 1)
  const id = colon < 0 ? '' : entry.slice(0, colon)
  const key = Buffer.from(text, 'base64')
  const canonical = BASE64.test(text)
  if (!canonical || key.length !== KEY_BYTES || (colon >= 0 && !/^[A-Za-z0-9._-]{1,32}$/.test(id))) {
    throw new KeyringError('COATCHECK_KEY_INVALID', {
      message: `Entry ${index + 1} of COATCHECK_KEYS is not "base64" or "id:base64" of 32 bytes: ${problemOf(text, key.length)}.`,
      details: { entry: index + 1 },
    })
  }
  if (key.every((byte) => byte === key[0])) {
    throw new KeyringError('COATCHECK_KEY_INVALID', {
      message: `Entry ${index + 1} of COATCHECK_KEYS is one byte repeated, which is no secret.`,
      details: { entry: index + 1 },
    })
  }
  return { id: id || fingerprint(key), key }
}

/** Names the likely mistake. The result holds nothing of the text. */
function problemOf(text: string, bytes: number): string {
  if (/^[0-9a-f]{64}$/i.test(text)) return 'it is written in hexadecimal'
  if (/^["'`]|["'`]$/.test(text)) return 'it stands in quotation marks'
  if (!BASE64.test(text)) return 'it holds characters that base64 does not have'
  return bytes === KEY_BYTES ? 'its id is not 1 to 32 letters, digits or ._-' : `it decodes to ${bytes} bytes`
}

function refuseDuplicates(masters: readonly ParsedEntry[], namesCount: number): void {
  const ids = new Set(masters.map((m) => m.id))
  const keys = new Set(masters.map((m) => m.key.toString('hex')))
  const tags = new Set(masters.map((m) => tagOf(m.id).toString('hex')))
  if (ids.size < masters.length || keys.size < masters.length || tags.size < masters.length || namesCount > 1) {
    throw new KeyringError('COATCHECK_KEY_INVALID', { message: 'COATCHECK_KEYS holds the same key or id twice.' })
  }
}

function toRingKey({ id, key }: ParsedEntry): RingKey {
  return { id, tag: tagOf(id), ticketMac: createMac(derive(key, 'ticket')) }
}

function tagOf(id: string): Buffer {
  return createHash('sha256').update(`coatcheck key id ${id}`).digest().subarray(0, KEY_TAG_BYTES)
}

function tagNumber(bytes: Buffer, offset: number): number {
  return bytes.readUInt32BE(offset)
}

/** Returns the first 8 bits of a base64url text, as a decoder would read them, but without a buffer. */
function shardOf(text: string): number {
  return (bitsOf(text.charCodeAt(0)) << 2) | (bitsOf(text.charCodeAt(1)) >> 4)
}

function bitsOf(characterCode: number): number {
  return BASE64URL_BITS[characterCode] ?? 0
}

/** Returns an id for a key without one. It reveals nothing about the key. */
function fingerprint(key: Buffer): string {
  return derive(key, 'id').toString('hex').slice(0, 8)
}

/** HKDF-SHA256, RFC 5869. The master keys are uniformly random, so no salt is needed. */
function derive(master: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', master, Buffer.alloc(0), `coatcheck/v1/${purpose}`, KEY_BYTES))
}
