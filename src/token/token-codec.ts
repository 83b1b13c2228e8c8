/**
 * What is inside the values of a token hash, and their sealing. Each value is JSON, sealed under the name of the user, the
 * provider and the target that it belongs to, so that a value copied to another field or another user does not open. Grant
 * and access tokens carry the lineage (the random name of one sign-in) and the generation (the number of refreshes since),
 * inside the seal.
 */
import { nonceOf, type Refusal, type Seal, type SealAddress } from '../keyring/seal.ts'
import { END_OF_LIFE_BYTES, type TokenField } from './token-driver.ts'

const LAYOUT = 1

export interface Grant {
  readonly lineage: string
  /** 1 at sign-in, one more with each refresh. */
  readonly generation: number
  readonly refreshToken: string | null
  readonly idToken: string | null
  readonly obtainedAtMs: number
  /** When it is forgotten if nothing refreshes it. */
  readonly expiresAtMs: number
}

export interface AccessEntry {
  readonly lineage: string
  readonly generation: number
  readonly accessToken: string
  readonly expiresAtMs: number
  readonly obtainedAtMs: number
  /** Drawn once per token, so that many callers do not move it to its earliest possible moment. */
  readonly refreshAheadAtMs: number
  /** As granted; empty when unknown. */
  readonly scopes: readonly string[]
  /** How the target is shown; the field name may be a hash of it. */
  readonly target: string
  /** The claims challenge that it answers, as a hash; absent for all others. */
  readonly claimsKey?: string
}

export interface RefreshRecord {
  readonly atMs: number
  /** `refreshed`, or an outcome of `refresh-outcome.ts`. */
  readonly outcome: string
  readonly target: string
  /** The OAuth `error`. */
  readonly error: string | null
  /** Failures before this one without a success between; 0 for a success. */
  readonly inARow: number
}

/** A failure that keeps all processes from asking again; its life is that of its field. */
export interface HoldRecord {
  readonly lineage: string
  readonly outcome: string
  /** The OAuth `error`. */
  readonly error: string | null
  /** What the next sign-in has to ask for. */
  readonly claims: string | null
}

/** MSAL's serialized cache. */
export interface MsalRecord {
  readonly cache: string
}

/** A value as it was read, with what a compare and set needs. */
export interface Opened<T> {
  readonly value: T
  readonly nonce: Buffer
}

export interface TokenCodec {
  sealGrant(userKey: string, field: TokenField, grant: Grant): Buffer
  sealAccess(userKey: string, field: TokenField, entry: AccessEntry): Buffer
  sealStatus(userKey: string, field: TokenField, status: RefreshRecord): Buffer
  sealHold(userKey: string, field: TokenField, hold: HoldRecord): Buffer
  sealMsal(userKey: string, field: TokenField, record: MsalRecord): Buffer
  openGrant(userKey: string, field: TokenField, record: Buffer): Opened<Grant> | Refusal
  openAccess(userKey: string, field: TokenField, record: Buffer): Opened<AccessEntry> | Refusal
  openStatus(userKey: string, field: TokenField, record: Buffer): Opened<RefreshRecord> | Refusal
  openHold(userKey: string, field: TokenField, record: Buffer): Opened<HoldRecord> | Refusal
  openMsal(userKey: string, field: TokenField, record: Buffer): Opened<MsalRecord> | Refusal
  /** Of a record that need not open. */
  nonceOf(record: Buffer): Buffer
}

/** @param namespace what stands before all keys: applications that share a Redis cannot open each other's values. */
export function createTokenCodec(seal: Seal, namespace: string): TokenCodec {
  const addressOf = (kind: string, userKey: string, field: TokenField): SealAddress => ({
    type: 'token',
    kind,
    name: `${namespace}${userKey}.${field}`,
    shard: userKey,
  })

  const encoderOf =
    <T extends object>(kind: string) =>
    (userKey: string, field: TokenField, value: T): Buffer => {
      const plaintext = Buffer.from(JSON.stringify({ ...value, layout: LAYOUT }), 'utf8')
      return seal.seal(plaintext, addressOf(kind, userKey, field), END_OF_LIFE_BYTES)
    }

  const decoderOf =
    <T>(kind: string) =>
    (userKey: string, field: TokenField, record: Buffer): Opened<T> | Refusal => {
      const plaintext = seal.open(record, addressOf(kind, userKey, field), END_OF_LIFE_BYTES)
      if (typeof plaintext === 'string') return plaintext
      // Authentic from here on: written by us, but perhaps by a later version.
      const value = JSON.parse(plaintext.toString('utf8')) as T & { readonly layout: number }
      return value.layout === LAYOUT ? { value, nonce: nonceOf(record, END_OF_LIFE_BYTES) } : 'unreadable'
    }

  return {
    sealGrant: encoderOf<Grant>('grant'),
    sealAccess: encoderOf<AccessEntry>('access'),
    sealStatus: encoderOf<RefreshRecord>('status'),
    sealHold: encoderOf<HoldRecord>('hold'),
    sealMsal: encoderOf<MsalRecord>('msal'),
    openGrant: decoderOf<Grant>('grant'),
    openAccess: decoderOf<AccessEntry>('access'),
    openStatus: decoderOf<RefreshRecord>('status'),
    openHold: decoderOf<HoldRecord>('hold'),
    openMsal: decoderOf<MsalRecord>('msal'),
    nonceOf: (record) => nonceOf(record, END_OF_LIFE_BYTES),
  }
}
