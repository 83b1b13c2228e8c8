/**
 * Sign-in transactions: the values that a sign-in keeps between the request to the provider and its answer. A transaction is sealed in a
 * cookie of the browser that started it, so a visitor who begins one writes nothing to the store. The seal binds it to its state
 * (RFC 9700 section 2.1). Its content binds it to the provider, the client and the redirect URI (sections 4.4, 4.7) and sets its
 * expiry. The store remembers which transactions are used: a callback claims its own before it redeems the code.
 */
import { createHash } from 'node:crypto'
import { SEALED_BY_BYTES } from '../keyring/record-layout.ts'
import type { Clock } from '../core/clock.ts'
import { parseJson } from '../core/json.ts'
import type { Random } from '../core/random.ts'
import type { Keyring } from '../keyring/keyring.ts'
import type { Seal, SealAddress } from '../keyring/seal.ts'
import type { TransactionDriver } from './transaction-driver.ts'

export const TRANSACTION_LIFE_MS = 10 * 60_000 // RFC 9700 requires a short life; a second factor and a password reset fit in
/** How far the clocks of two instances may differ: a used transaction is remembered until it has expired for each of them. */
export const CLOCK_SLACK_MS = 5 * 60_000
const STATE_BYTES = 32
/** Longer than any cookie that a browser keeps. */
const MAX_CHARACTERS = 4096

/** The values that a transaction is bound to, besides its state and browser. */
export interface TransactionBinding {
  readonly issuer: string
  readonly clientId: string
  readonly redirectUri: string
}

export interface TransactionInput extends TransactionBinding {
  readonly provider: string
  readonly nonce: string
  readonly codeVerifier: string
  /** Path on this origin, already checked. `null`: the start page. */
  readonly returnTo: string | null
  /** The `max_age` of the request, in seconds; the callback verifies it. `null` or omitted: no `max_age`. */
  readonly maxAgeSeconds?: number | null
}

export interface StartedTransaction {
  /** 22 characters base64url. Names the transaction in the cookie's name and in the store. It does not reveal the state. */
  readonly id: string
  readonly state: string
  /** The value of the cookie: base64url, about 290 characters and four thirds of `returnTo`. */
  readonly sealed: string
}

export interface Transaction {
  readonly id: string
  readonly provider: string
  readonly nonce: string
  readonly codeVerifier: string
  readonly returnTo: string | null
  readonly maxAgeSeconds: number | null
  readonly expiresAtMs: number
  /** A hash of the values that it is bound to; see `Transactions.isBoundTo`. */
  readonly binding: string
  /** First bytes of the sealed transaction: they name the key that sealed it. */
  readonly sealedBy: Buffer
}

export interface Transactions {
  /** Returns the id of a state: 22 characters base64url. */
  idOf(state: string): string
  /** Does not use the store. */
  start(input: TransactionInput): StartedTransaction
  /**
   * Does not use the store. Returns `null` for a text that does not open under this id with a key of the ring, for one that an earlier
   * version wrote, and for an expired one. A visitor gets the same answer in all these cases.
   */
  open(id: string, sealed: string): Transaction | null
  isBoundTo(transaction: Transaction, binding: TransactionBinding): boolean
  /**
   * Marks the transaction as used. Returns false if it was used before.
   * @throws {RedisError} when the store did not answer. After `COATCHECK_REDIS_TIMEOUT` or a lost connection it may be used.
   */
  claim(transaction: Transaction): Promise<boolean>
}

export interface TransactionDeps {
  readonly driver: TransactionDriver
  readonly seal: Seal
  readonly keyring: Keyring
  readonly random: Random
  readonly clock: Clock
}

/** The sealed content: a list, because field names would be a fifth of the cookie. */
type Content = readonly [
  provider: string,
  binding: string,
  nonce: string,
  codeVerifier: string,
  returnTo: string | null,
  expiresAtMs: number,
  maxAgeSeconds?: number,
]

export function createTransactions({ driver, seal, keyring, random, clock }: TransactionDeps): Transactions {
  const idOf = (state: string): string => keyring.nameOf('signin', state)
  return {
    idOf,

    start({ provider, nonce, codeVerifier, returnTo, maxAgeSeconds = null, ...binding }) {
      const state = random.bytes(STATE_BYTES).toString('base64url')
      const id = idOf(state)
      const expiresAtMs = clock.now() + TRANSACTION_LIFE_MS
      const plain = [provider, hashOf(binding), nonce, codeVerifier, returnTo, expiresAtMs] as const
      const content: Content = maxAgeSeconds === null ? plain : [...plain, maxAgeSeconds]
      const record = seal.seal(Buffer.from(JSON.stringify(content), 'utf8'), addressOf(id))
      return { id, state, sealed: record.toString('base64url') }
    },

    open(id, sealed) {
      if (sealed.length > MAX_CHARACTERS) return null
      const record = Buffer.from(sealed, 'base64url')
      const plaintext = seal.open(record, addressOf(id))
      if (typeof plaintext === 'string') return null
      const [provider, binding, nonce, codeVerifier, returnTo, expiresAtMs, maxAgeSeconds = null] = parseJson(
        plaintext.toString('utf8'),
      ) as Content
      const leftMs = expiresAtMs - clock.now()
      // A wrong clock sealed a transaction from the future. It would be valid for longer than the store remembers its use.
      if (leftMs <= 0 || leftMs > TRANSACTION_LIFE_MS + CLOCK_SLACK_MS) return null
      const sealedBy = record.subarray(0, SEALED_BY_BYTES)
      return { id, provider, binding, nonce, codeVerifier, returnTo, maxAgeSeconds, expiresAtMs, sealedBy }
    },

    isBoundTo: ({ binding }, expected) => binding === hashOf(expected),

    claim: ({ id, expiresAtMs, sealedBy }) =>
      driver.claim(id, sealedBy, Math.max(0, expiresAtMs - clock.now()) + CLOCK_SLACK_MS),
  }
}

function addressOf(id: string): SealAddress {
  return { type: 'signin', kind: 'cookie', name: id, shard: id }
}

/** A hash, so that long URLs do not lengthen the cookie. */
function hashOf({ issuer, clientId, redirectUri }: TransactionBinding): string {
  return createHash('sha256')
    .update(JSON.stringify([issuer, clientId, redirectUri]))
    .digest('base64url')
}
