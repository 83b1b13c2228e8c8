/**
 * Sign-in transactions: what was promised to the provider between leaving for it and coming back. Sealed under the hash of
 * their state, ten minutes, taken once. Bound to the browser by a secret that only its cookie holds, and to the provider, the
 * client and the redirect URI that it was started with (RFC 9700 sections 2.1, 4.4, 4.7).
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../core/clock.ts'
import type { Random } from '../core/random.ts'
import type { Keyring } from '../keyring/keyring.ts'
import type { Seal, SealAddress } from '../keyring/seal.ts'
import type { TransactionDriver } from './transaction-driver.ts'

export const TRANSACTION_LIFE_MS = 10 * 60_000 // RFC 9700 wants it short; a second factor and a password reset fit in
const STATE_BYTES = 32
const SECRET_BYTES = 16

export interface Transaction {
  readonly provider: string
  readonly issuer: string
  readonly clientId: string
  readonly redirectUri: string
  readonly nonce: string
  readonly codeVerifier: string
  /** Path on our origin, already checked. `null`: the start page. */
  readonly returnTo: string | null
  readonly createdAtMs: number
}

/** `id` names the transaction in the cookie's name and in the store; it leads back to no state. */
export interface OpenedTransaction {
  readonly id: string
  readonly state: string
  /** For the cookie of the browser that started it. */
  readonly browserSecret: string
}

export interface Transactions {
  /** 22 characters base64url. */
  idOf(state: string): string
  /** Stores a transaction. One write. */
  open(transaction: Omit<Transaction, 'createdAtMs'>): Promise<OpenedTransaction>
  /**
   * Takes it, whatever comes of it: a state that was presented once is used up. `null` when it is unknown, used, expired,
   * unreadable or of another browser; towards the visitor these are one answer.
   */
  take(state: string, browserSecret: string): Promise<Transaction | null>
  /** Gives one up that was never finished. */
  drop(id: string): Promise<void>
}

export interface TransactionDeps {
  readonly driver: TransactionDriver
  readonly seal: Seal
  readonly keyring: Keyring
  readonly random: Random
  readonly clock: Clock
}

export function createTransactions({ driver, seal, keyring, random, clock }: TransactionDeps): Transactions {
  const idOf = (state: string): string => keyring.nameOf('signin', state)
  return {
    idOf,

    async open(transaction) {
      const state = random.bytes(STATE_BYTES).toString('base64url')
      const browserSecret = random.bytes(SECRET_BYTES).toString('base64url')
      const id = idOf(state)
      const stored: StoredTransaction = { ...transaction, createdAtMs: clock.now(), browserHash: hashOf(browserSecret) }
      await driver.put(id, seal.seal(Buffer.from(JSON.stringify(stored), 'utf8'), addressOf(id)), TRANSACTION_LIFE_MS)
      return { id, state, browserSecret }
    },

    async take(state, browserSecret) {
      const id = idOf(state)
      const record = await driver.take(id)
      const plaintext = record && seal.open(record, addressOf(id))
      if (!plaintext || typeof plaintext === 'string') return null
      const { browserHash, ...transaction } = JSON.parse(plaintext.toString('utf8')) as StoredTransaction
      const isSameBrowser = timingSafeEqual(Buffer.from(browserHash), Buffer.from(hashOf(browserSecret)))
      const isFresh = clock.now() < transaction.createdAtMs + TRANSACTION_LIFE_MS
      return isSameBrowser && isFresh ? transaction : null
    },

    async drop(id) {
      await driver.take(id)
    },
  }
}

interface StoredTransaction extends Transaction {
  readonly browserHash: string
}

function addressOf(id: string): SealAddress {
  return { type: 'signin', kind: 'transaction', name: id, shard: id }
}

function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url')
}
