/**
 * Sealed JSON documents of a drop-in library. The library's name for a document is hashed, the content is encrypted for that name, and a
 * change is a compare-and-set. The adapters decide what a library's contract leaves open (which change belongs to which read).
 */
import { SessionError } from '../core/errors.ts'
import type { EventBus } from '../core/events.ts'
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
  { readonly status: 'saved'; readonly document: StoredDocument<T> } | { readonly status: NotSaved }
/**
 * `taken`: the document should be new, but one exists. `gone`: the document should exist, but none does. `ended`: it was ended and never
 * comes back.
 */
export type NotSaved = 'taken' | 'gone' | 'ended'

/** Documents of one kind. */
export interface Documents<T> {
  /** Returns the address of the document with this name. The hash does not reveal the name. */
  refOf(id: string): DocumentRef
  read(ref: DocumentRef): Promise<StoredDocument<T> | null>
  /** Reads as `read` does, and returns `unreadable` for a document that does not open. It must not count as missing. */
  readOrRefuse(ref: DocumentRef): Promise<StoredDocument<T> | 'unreadable' | null>
  /** Replaces the stored document. With `isNew`, it stores only if no document exists. */
  put(
    ref: DocumentRef,
    value: T,
    options: { readonly ttlMs: number | null; readonly isNew?: boolean },
  ): Promise<Saved<T>>
  /**
   * Changes the stored document, starting from `known` if it is given, and never brings back a removed document.
   * @param change called again with the document that others have written meanwhile, each time before a write. Its effects must be safe to
   *   repeat. `null`: no change.
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
  /** The key prefix. The seal of each document covers it. */
  readonly namespace: string
  readonly events: EventBus
}

/** Converts a document to text before it is sealed, and back. */
export interface DocumentCodec<T> {
  encode(value: T): string
  decode(text: string): T
}

const asJson = { encode: JSON.stringify, decode: JSON.parse }

/** The address that the seal of a document covers. `namespace`: the prefix of all keys. */
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
    // Treated as absent, which a drop-in library can handle; an event reports it to operators.
    const code = opened === 'key-unknown' ? 'COATCHECK_KEY_UNKNOWN' : opened
    events.emit('error', { code, operation: `${kind}.read` })
    return null
  }
  const sealed = (ref: DocumentRef, value: T): Buffer => seal.seal(Buffer.from(encode(value), 'utf8'), addressOf(ref))

  const readOrRefuse = async (ref: DocumentRef): Promise<StoredDocument<T> | 'unreadable' | null> => {
    const seen = await driver.readVerified(
      ref,
      (record) => record && { record, opened: seal.open(record, addressOf(ref)) },
      (found) => !Buffer.isBuffer(found?.opened),
    )
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
      // A record that does not open may be the reply to another command. `read` confirms it.
      stored = open(ref, written.current) ?? (await read(ref))
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
