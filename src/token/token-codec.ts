/**
 * Seals and opens the values of a token hash. Each value is JSON. Its seal covers the user, the provider and the target, so a value that
 * was copied to another field or another user does not open. Inside the seal, grants and access tokens carry their token family (the random
 * name of one sign-in) and their refresh count.
 */
import { CacheBudget } from '../core/cache-budget.ts'
import { Doorkeeper, fingerprintOf } from '../core/doorkeeper.ts'
import { END_OF_LIFE_BYTES } from '../keyring/record-layout.ts'
import { parseJson } from '../core/json.ts'
import type { ProviderReason } from '../core/provider-reason.ts'
import { nonceOf, type Refusal, type Seal, type SealAddress } from '../keyring/seal.ts'
import type { TokenField } from './token-driver.ts'
import type { TokenSubject } from './token-subject.ts'

const LAYOUT = 1
/** Memory of a cached address with its prepared key and associated data. */
const CACHED_ADDRESS_BYTES = 700

/**
 * An access token on the hot path: kind of its text (1 byte), length of the facts (4 bytes), the facts as JSON, then the
 * token as it is. Parsing 200 bytes of JSON and copying the token costs a tenth of a hit less than parsing both as JSON.
 */
const ACCESS_HEAD_BYTES = 5
const ASCII = 1
const UTF8 = 2

/**
 * Redis keeps the names that records had in earlier builds: `lineage` for the token family, and `generation` for the refresh count. The
 * generation is 1 at sign-in, so it is the refresh count plus 1.
 */
interface StoredNames {
  readonly lineage?: string
  readonly generation?: number
}

type AccessFacts = Omit<AccessEntry, 'accessToken' | 'family' | 'refreshCount'> &
  Required<StoredNames> & { readonly layout: number }

export interface Grant {
  /** Token family: the random name of the sign-in that the grant comes from. */
  readonly family: string
  /** 0 at sign-in, one more with each refresh. */
  readonly refreshCount: number
  readonly refreshToken: string | null
  readonly idToken: string | null
  /**
   * Issuer and subject. Absent: the sign-in brought no ID token, or an earlier build wrote the record. The next verified ID token then
   * names the owner.
   */
  readonly owner?: TokenSubject
  readonly obtainedAtMs: number
  /** When it is deleted unless a refresh extends it. */
  readonly expiresAtMs: number
}

export interface AccessEntry {
  readonly family: string
  readonly refreshCount: number
  readonly accessToken: string
  readonly expiresAtMs: number
  readonly obtainedAtMs: number
  /** Chosen once per token, so that many callers do not move it to its earliest possible moment. */
  readonly refreshAheadAtMs: number
  /** As granted; empty if unknown. */
  readonly scopes: readonly string[]
  /** How the target is shown; the field name may be a hash of it. */
  readonly target: string
  /** Hash of the claims challenge that the token answers. Absent: the token answers none. */
  readonly claimsKey?: string
}

export interface RefreshRecord {
  readonly atMs: number
  /** `refreshed`, or an outcome of `refresh-outcome.ts`. */
  readonly outcome: string
  readonly target: string
  /** The OAuth `error`. */
  readonly error: string | null
  /** Entra ID's number, such as `AADSTS50173`. Absent: none, or the record is of an earlier build. */
  readonly providerCode?: string
  /** Failures in a row before this one; 0 for a success. */
  readonly inARow: number
}

/** A failure that all processes know: until its field expires, none of them asks the provider again. */
export interface KnownFailureRecord {
  readonly family: string
  readonly outcome: string
  /** The OAuth `error`. */
  readonly error: string | null
  /** The claims that the next sign-in must request. */
  readonly claims: string | null
  /** Other details of the provider's answer. Absent in records of earlier builds. */
  readonly reason?: ProviderReason
}

/** MSAL's serialized cache. */
export interface MsalRecord {
  readonly cache: string
}

/** A value as it was read, with the nonce for a compare-and-set. */
export interface Opened<T> {
  readonly value: T
  readonly nonce: Buffer
}

export interface TokenCodec {
  sealGrant(userKey: string, field: TokenField, grant: Grant): Buffer
  sealAccess(userKey: string, field: TokenField, entry: AccessEntry): Buffer
  sealStatus(userKey: string, field: TokenField, status: RefreshRecord): Buffer
  sealKnownFailure(userKey: string, field: TokenField, knownFailure: KnownFailureRecord): Buffer
  sealMsal(userKey: string, field: TokenField, record: MsalRecord): Buffer
  openGrant(userKey: string, field: TokenField, record: Buffer): Opened<Grant> | Refusal
  /** Returns no nonce: access tokens are never compared by nonce, and a hit must not copy it. */
  openAccess(userKey: string, field: TokenField, record: Buffer): AccessEntry | Refusal
  openStatus(userKey: string, field: TokenField, record: Buffer): Opened<RefreshRecord> | Refusal
  openKnownFailure(userKey: string, field: TokenField, record: Buffer): Opened<KnownFailureRecord> | Refusal
  openMsal(userKey: string, field: TokenField, record: Buffer): Opened<MsalRecord> | Refusal
  /** Returns the nonce of a record, which need not open. */
  nonceOf(record: Buffer): Buffer
}

/** The address that the seal of a token value covers. `kind`: the part of the field name before the first colon. */
export function tokenAddress(namespace: string, kind: string, userKey: string, field: TokenField): SealAddress {
  return { type: 'token', kind, name: `${namespace}${userKey}.${field}`, shard: userKey }
}

/** @param namespace the prefix of all keys: applications that share a Redis cannot open each other's values */
export function createTokenCodec(seal: Seal, namespace: string, caches: CacheBudget = new CacheBudget()): TokenCodec {
  const addressOf = (kind: string, userKey: string, field: TokenField): SealAddress =>
    tokenAddress(namespace, kind, userKey, field)

  const encoderOf =
    <T extends object>(kind: string) =>
    (userKey: string, field: TokenField, value: T): Buffer => {
      const plaintext = Buffer.from(JSON.stringify({ ...toStored(value), layout: LAYOUT }), 'utf8')
      return seal.seal(plaintext, addressOf(kind, userKey, field), END_OF_LIFE_BYTES)
    }

  // An address that is used again has its key and associated data prepared. This saves an eighth of the cost of a hit.
  const addresses = caches.cache<SealAddress>('token addresses', () => CACHED_ADDRESS_BYTES)
  const doorkeeper = new Doorkeeper()
  const knownAddress = (kind: string, userKey: string, field: TokenField): SealAddress => {
    const name = userKey + field
    const known = addresses.get(name)
    if (known) return known
    const address = addressOf(kind, userKey, field)
    if (doorkeeper.isKnown(fingerprintOf(name))) addresses.set(name, address)
    return address
  }

  const decoderOf =
    <T>(kind: string) =>
    (userKey: string, field: TokenField, record: Buffer): Opened<T> | Refusal => {
      const plaintext = seal.open(record, knownAddress(kind, userKey, field), END_OF_LIFE_BYTES)
      if (typeof plaintext === 'string') return plaintext
      // Authentic from here on: Coatcheck wrote it, but perhaps in a later version.
      const value = parseJson(plaintext.toString('utf8')) as StoredNames & { readonly layout: number }
      if (value.layout !== LAYOUT) return 'unreadable'
      return { value: fromStored(value) as T, nonce: nonceOf(record, END_OF_LIFE_BYTES) }
    }

  const sealAccess = (userKey: string, field: TokenField, { accessToken, ...rest }: AccessEntry): Buffer => {
    const token = Buffer.from(accessToken, 'utf8')
    const facts = Buffer.from(JSON.stringify({ ...toStored(rest), layout: LAYOUT }), 'utf8')
    const head = Buffer.alloc(ACCESS_HEAD_BYTES)
    head[0] = token.length === accessToken.length ? ASCII : UTF8
    head.writeUInt32BE(facts.length, 1)
    const address = addressOf('access', userKey, field)
    return seal.seal(Buffer.concat([head, facts, token]), address, END_OF_LIFE_BYTES)
  }

  const openAccess = (userKey: string, field: TokenField, record: Buffer): AccessEntry | Refusal => {
    const plaintext = seal.open(record, knownAddress('access', userKey, field), END_OF_LIFE_BYTES)
    if (typeof plaintext === 'string') return plaintext
    if (plaintext[0] !== ASCII && plaintext[0] !== UTF8) return 'unreadable'
    const tokenAt = ACCESS_HEAD_BYTES + plaintext.readUInt32BE(1)
    const facts = parseJson(plaintext.toString('utf8', ACCESS_HEAD_BYTES, tokenAt)) as AccessFacts
    if (facts.layout !== LAYOUT) return 'unreadable'
    const isAscii = plaintext[0] === ASCII
    const accessToken = isAscii ? plaintext.toString('latin1', tokenAt) : plaintext.toString('utf8', tokenAt)
    const { lineage: family, generation, ...rest } = facts
    return { family, refreshCount: generation - 1, ...rest, accessToken }
  }

  return {
    sealGrant: encoderOf<Grant>('grant'),
    sealAccess,
    sealStatus: encoderOf<RefreshRecord>('status'),
    sealKnownFailure: encoderOf<KnownFailureRecord>('hold'),
    sealMsal: encoderOf<MsalRecord>('msal'),
    openGrant: decoderOf<Grant>('grant'),
    openAccess,
    openStatus: decoderOf<RefreshRecord>('status'),
    openKnownFailure: decoderOf<KnownFailureRecord>('hold'),
    openMsal: decoderOf<MsalRecord>('msal'),
    nonceOf: (record) => nonceOf(record, END_OF_LIFE_BYTES),
  }
}

function toStored(value: object): object {
  const { family, refreshCount, ...rest } = value as { readonly family?: string; readonly refreshCount?: number }
  return {
    ...(family !== undefined && { lineage: family }),
    ...(refreshCount !== undefined && { generation: refreshCount + 1 }),
    ...rest,
  }
}

function fromStored({ lineage, generation, ...rest }: StoredNames): object {
  return {
    ...(lineage !== undefined && { family: lineage }),
    ...(generation !== undefined && { refreshCount: generation - 1 }),
    ...rest,
  }
}
