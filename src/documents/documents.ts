/**
 * JSON documents of a host, sealed: the name that the host gave is hashed, the content is encrypted for that name, and a change
 * is made by compare and set. What a host's contract cannot say (which change belongs to which read) is for the adapters.
 */
import { SessionError } from '../core/errors.ts'
import type { EventBus } from '../core/events.ts'
import { confirmMiss } from '../core/confirm-miss.ts'
import type { Keyring } from '../keyring/keyring.ts'
import { nonceOf, type Refusal, type Seal, type SealAddress } from '../keyring/seal.ts'
import type { DocumentDriver, DocumentRef } from './document-driver.ts'
import { createChangeQueue } from './change-queue.ts'

const ATTEMPTS = 16

export interface StoredDocument<T> {
  readonly value: T
  readonly nonce: Buffer
}

export type Saved<T> =
  { readonly status: 'saved'; readonly document: StoredDocument<T> } | { readonly status: Uncommitted }
/** `taken`: it was to be new, and is there. `gone`: it was to be there, and is not. `ended`: it never comes back. */
export type Uncommitted = 'taken' | 'gone' | 'ended'

/** Documents of one kind. */
export interface Documents<T> {
  /** Where a document of this name of the host's lies. The hash says nothing about the name. */
  refOf(id: string): DocumentRef
  read(ref: DocumentRef): Promise<StoredDocument<T> | null>
  /** As `read`, where a document that does not open must not count as missing: `unreadable`. */
  readOrRefuse(ref: DocumentRef): Promise<StoredDocument<T> | 'unreadable' | null>
  /** Whatever is stored is replaced; with `isNew` only nothing is. */
  put(
    ref: DocumentRef,
    value: T,
    options: { readonly ttlMs: number | null; readonly isNew?: boolean },
  ): Promise<Saved<T>>
  /**
   * Changes what is stored by then, starting from `known` when it is given, and never brings back what is gone.
   * @param change called again with what others have written meanwhile, each time before a write. What it does must be safe to repeat.
   *   `null`: leave it.
   * @param ttlMs of the changed document
   * @throws {SessionError} `COATCHECK_SESSION_CONFLICT` after 16 lost races
   */
  change(
    ref: DocumentRef,
    change: (value: T) => T | null | Promise<T | null>,
    ttlMs: (value: T) => number | null,
    known?: StoredDocument<T>,
  ): Promise<Saved<T>>
  take(ref: DocumentRef): Promise<T | null>
  readonly driver: DocumentDriver
}

export interface DocumentDeps {
  readonly driver: DocumentDriver
  readonly keyring: Keyring
  readonly seal: Seal
  /** The key prefix: part of what a document is sealed for. */
  readonly namespace: string
  readonly events: EventBus
}

/** How a document is written before it is sealed. */
export interface DocumentCodec<T> {
  encode(value: T): string
  decode(text: string): T
}

const asJson = { encode: JSON.stringify, decode: JSON.parse }

/** What a document is sealed for. `namespace`: what stands before all keys. */
export function documentAddress(namespace: string, { kind, name }: DocumentRef): SealAddress {
  return { type: 'document', kind, name: `${namespace}${name}`, shard: name }
}

export function createDocuments<T>(
  deps: DocumentDeps,
  kind: string,
  { encode, decode }: DocumentCodec<T> = asJson,
): Documents<T> {
  const { driver, keyring, seal, events, namespace } = deps
  const addressOf = ({ name }: DocumentRef): SealAddress => documentAddress(namespace, { kind, name })

  const open = (ref: DocumentRef, record: Buffer): StoredDocument<T> | null => {
    return valueOf(record, seal.open(record, addressOf(ref)))
  }
  const valueOf = (record: Buffer, opened: Buffer | Refusal): StoredDocument<T> | null => {
    if (Buffer.isBuffer(opened)) return { value: decode(opened.toString('utf8')), nonce: nonceOf(record) }
    // As if it were not there, which is what a host can deal with; operators are told.
    const code = opened === 'key-unknown' ? 'COATCHECK_KEY_UNKNOWN' : opened
    events.emit('error', { code, operation: `${kind}.read` })
    return null
  }
  const sealed = (ref: DocumentRef, value: T): Buffer => seal.seal(Buffer.from(encode(value), 'utf8'), addressOf(ref))

  const readOrRefuse = async (ref: DocumentRef): Promise<StoredDocument<T> | 'unreadable' | null> => {
    const look = async (): Promise<{ record: Buffer; opened: Buffer | Refusal } | null> => {
      const record = await driver.read(ref)
      return record && { record, opened: seal.open(record, addressOf(ref)) }
    }
    let seen = await look()
    if (!Buffer.isBuffer(seen?.opened) && driver.confirm) seen = await confirmMiss(driver.confirm(ref), look())
    return seen && (valueOf(seen.record, seen.opened) ?? 'unreadable')
  }
  const read = async (ref: DocumentRef): Promise<StoredDocument<T> | null> => {
    const found = await readOrRefuse(ref)
    return found === 'unreadable' ? null : found
  }

  const queue = createChangeQueue<StoredDocument<T>>()
  const changeNow = async (
    ref: DocumentRef,
    change: (value: T) => T | null | Promise<T | null>,
    ttlMs: (value: T) => number | null,
    known: StoredDocument<T> | undefined,
  ): Promise<Saved<T>> => {
    let stored = known ?? (await read(ref))
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (!stored) return { status: 'gone' }
      const value = await change(stored.value)
      if (value === null) return { status: 'saved', document: stored }
      const record = sealed(ref, value)
      const written = await driver.write(ref, record, { ttlMs: ttlMs(value), expect: stored.nonce })
      if (written.status === 'done') return { status: 'saved', document: { value, nonce: nonceOf(record) } }
      if (written.status !== 'conflict') return { status: written.status }
      stored = open(ref, written.current)
    }
    throw new SessionError('COATCHECK_SESSION_CONFLICT', { details: { operation: `${kind}.change` } })
  }

  return {
    driver,
    refOf: (id) => ({ kind, name: keyring.nameOf(kind, id) }),
    read,
    readOrRefuse,

    async put(ref, value, { ttlMs, isNew = false }) {
      const record = sealed(ref, value)
      const written = await driver.write(ref, record, { ttlMs, ...(isNew && { expect: 'absent' }) })
      if (written.status === 'conflict') return { status: 'taken' }
      if (written.status !== 'done') return { status: written.status }
      return { status: 'saved', document: { value, nonce: nonceOf(record) } }
    },

    change: (ref, change, ttlMs, known) =>
      queue.take(ref.name, async (latest) => {
        const saved = await changeNow(ref, change, ttlMs, latest ?? known)
        return { result: saved, latest: saved.status === 'saved' ? saved.document : undefined }
      }),

    async take(ref) {
      const record = await driver.take(ref)
      return record && (open(ref, record)?.value ?? null)
    },
  }
}
