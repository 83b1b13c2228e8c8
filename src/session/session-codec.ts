/**
 * The layout of a sealed session record:
 *   layout (1) · schema version (2) · created, last seen, idle end, absolute end (6 each, epoch ms)
 *   · current secret hash (16) · pending count (1) + hashes (16 each) · previous: 0, or 1 + hash (16) + end (6)
 *   · length of the profile (4) · profile as JSON · data as JSON
 * The fields that every read needs are binary and come first. Profile and data are parsed on demand.
 */
import { parseJson } from '../core/json.ts'
import type { Json } from '../core/json.ts'
import type { Authentication, Device } from './sign-in-input.ts'

/** 128 bits: enough against a preimage attack on 256 random bits, and half the bytes in every record. */
export const SECRET_HASH_BYTES = 16
const LAYOUT = 1
const TIME_BYTES = 6
const TIMES_AT = 3
const SECRETS_AT = TIMES_AT + 4 * TIME_BYTES
const FIXED_BYTES = SECRETS_AT + SECRET_HASH_BYTES + 1

export interface SessionProfile {
  readonly userId?: string
  readonly claims?: { readonly [claim: string]: Json | undefined }
  readonly authentication?: Authentication
  readonly device?: Device
}

/** The tickets that open the session. After a rotation the previous ticket stays valid for a short time. */
export interface Secrets {
  readonly current: Buffer
  /** Issued by a rotation and not used yet, newest first. */
  readonly pending: readonly Buffer[]
  /** The previous ticket, valid for a grace period after the first use of its successor. */
  readonly previous: { readonly hash: Buffer; readonly untilMs: number } | null
}

export interface SessionRecord {
  readonly schemaVersion: number
  readonly createdAtMs: number
  readonly lastSeenAtMs: number
  readonly idleExpiresAtMs: number
  readonly absoluteExpiresAtMs: number
  readonly secrets: Secrets
  /** JSON of `SessionProfile`. */
  readonly profileBytes: Buffer
  /** JSON of the application's data. */
  readonly dataBytes: Buffer
}

export function encodeRecord(record: SessionRecord): Buffer {
  const { secrets, profileBytes, dataBytes } = record
  const pendingBytes = secrets.pending.length * SECRET_HASH_BYTES
  const previousBytes = 1 + (secrets.previous ? SECRET_HASH_BYTES + TIME_BYTES : 0)
  const out = Buffer.alloc(FIXED_BYTES + pendingBytes + previousBytes + 4 + profileBytes.length + dataBytes.length)
  let at = out.writeUInt8(LAYOUT, 0)
  at = out.writeUInt16BE(record.schemaVersion, at)
  for (const time of [record.createdAtMs, record.lastSeenAtMs, record.idleExpiresAtMs, record.absoluteExpiresAtMs]) {
    at = out.writeUIntBE(time, at, TIME_BYTES)
  }
  at += secrets.current.copy(out, at)
  at = out.writeUInt8(secrets.pending.length, at)
  for (const hash of secrets.pending) at += hash.copy(out, at)
  at = out.writeUInt8(secrets.previous ? 1 : 0, at)
  if (secrets.previous) {
    at += secrets.previous.hash.copy(out, at)
    at = out.writeUIntBE(secrets.previous.untilMs, at, TIME_BYTES)
  }
  at = out.writeUInt32BE(profileBytes.length, at)
  at += profileBytes.copy(out, at)
  dataBytes.copy(out, at)
  return out
}

/** Returns `null` for bytes of a layout that this version does not know. The caller has verified that the bytes are authentic. */
export function decodeRecord(bytes: Buffer): SessionRecord | null {
  return bytes.length < FIXED_BYTES || bytes[0] !== LAYOUT ? null : new DecodedRecord(bytes)
}

/** Reads fields from the bytes on demand: a visit needs the deadlines, one hash and usually the data, but no profile. */
class DecodedRecord implements SessionRecord {
  readonly #bytes: Buffer
  readonly secrets: Secrets
  readonly #profileAt: number
  #data: unknown

  constructor(bytes: Buffer) {
    this.#bytes = bytes
    let at = SECRETS_AT
    const current = bytes.subarray(at, (at += SECRET_HASH_BYTES))
    const pending: Buffer[] = []
    for (let left = bytes[at++] ?? 0; left > 0; left--) pending.push(bytes.subarray(at, (at += SECRET_HASH_BYTES)))
    let previous: Secrets['previous'] = null
    if (bytes[at++] === 1) {
      const hash = bytes.subarray(at, (at += SECRET_HASH_BYTES))
      previous = { hash, untilMs: bytes.readUIntBE(at, TIME_BYTES) }
      at += TIME_BYTES
    }
    this.secrets = { current, pending, previous }
    this.#profileAt = at + 4
  }

  get schemaVersion(): number {
    return this.#bytes.readUInt16BE(1)
  }
  get createdAtMs(): number {
    return this.#bytes.readUIntBE(TIMES_AT, TIME_BYTES)
  }
  get lastSeenAtMs(): number {
    return this.#bytes.readUIntBE(TIMES_AT + TIME_BYTES, TIME_BYTES)
  }
  get idleExpiresAtMs(): number {
    return this.#bytes.readUIntBE(TIMES_AT + 2 * TIME_BYTES, TIME_BYTES)
  }
  get absoluteExpiresAtMs(): number {
    return this.#bytes.readUIntBE(TIMES_AT + 3 * TIME_BYTES, TIME_BYTES)
  }
  get profileBytes(): Buffer {
    return this.#bytes.subarray(this.#profileAt, this.#dataAt())
  }
  get dataBytes(): Buffer {
    return this.#bytes.subarray(this.#dataAt())
  }

  data<T>(make: () => T): T {
    return (this.#data ??= make()) as T
  }

  #dataAt(): number {
    return this.#profileAt + this.#bytes.readUInt32BE(this.#profileAt - 4)
  }
}

/** Returns the data that all readers of a decoded record share, or makes it. */
export function sharedData<T>(record: SessionRecord, make: () => T): T {
  return record instanceof DecodedRecord ? record.data(make) : make()
}

export function parseProfile(record: SessionRecord): SessionProfile {
  return parseJson(record.profileBytes.toString('utf8')) as SessionProfile
}
