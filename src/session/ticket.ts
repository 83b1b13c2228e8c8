/**
 * The ticket: the secret value of the cookie.
 *   kind (1) · user key (12) · session id (16) · secret (32) · absolute expiry in seconds (4) · MAC (8)
 * as base64url, 98 characters. With the MAC, the server refuses a forged or expired ticket without asking the store. The MAC does not prove
 * that the session is live. The store keeps only a keyed hash of the secret, inside the sealed record. It is the next 16 bytes of the same
 * HMAC-SHA256 whose first 8 bytes are the MAC: one computation serves both, and neither part reveals the other. The hash uses the ring
 * key that issued the ticket, and lives as long as that key verifies tickets.
 */
import { timingSafeEqual } from 'node:crypto'
import type { CacheBudget } from '../core/cache-budget.ts'
import type { Clock } from '../core/clock.ts'
import { Doorkeeper } from '../core/doorkeeper.ts'
import type { Random } from '../core/random.ts'
import type { Keyring } from '../keyring/keyring.ts'
import type { Loaded } from './loaded.ts'
import { SECRET_HASH_BYTES } from './session-codec.ts'
import type { SessionKind, SessionRef } from './session-driver.ts'

const USER_KEY_AT = 1
const USER_KEY_BYTES = 12
const ID_AT = 13
const ID_BYTES = 16
const SECRET_AT = 29
const SECRET_BYTES = 32
const EXPIRY_AT = 61
const MAC_AT = 65
const MAC_BYTES = 8
const TICKET_BYTES = MAC_AT + MAC_BYTES
/** Memory of a cached ticket without the record that it holds, estimated. */
const CACHED_TICKET_BYTES = 640
/** Memory of a decoded record for each of its sealed bytes, estimated: the bytes, their content, and the parsed data. */
const CACHED_BYTES_PER_SEALED_BYTE = 4
const TICKET_CHARACTERS: number = Math.ceil((TICKET_BYTES * 4) / 3)

const KIND_CODES: Readonly<Record<SessionKind, number>> = { anonymous: 1, user: 2 }

export interface ParsedTicket {
  readonly ref: SessionRef
  /** The hash of the secret, as the record stores it. */
  readonly secretHash: Buffer
  readonly absoluteExpiresAtMs: number
  /**
   * The decoded record of a cached ticket. Each seal uses a new nonce, so equal bytes have equal content: a record that has not changed is
   * not decrypted and parsed again. The store still answers every read. `null`: none yet. `undefined`: the ticket is not cached.
   */
  opened?: Loaded | null
}

export interface IssuedTicket {
  readonly ticket: string
  readonly secretHash: Buffer
}

export interface Tickets {
  /** Issues a ticket with a new secret. The expiry is rounded up to a full second. */
  issue(ref: SessionRef, absoluteExpiresAtMs: number): IssuedTicket
  parse(ticket: string): ParsedTicket | 'malformed' | 'expired'
  /** Returns the record with its own copy of the bytes, and keeps it with its ticket if the ticket is cached. */
  keep(ticket: ParsedTicket, loaded: Loaded): Loaded
  /** Creates the address of a new session. Without a user key it is anonymous, in its own slot. */
  newRef(userKey?: string): SessionRef
}

/** @param caches holds tickets that come again, with their decoded records; absent: nothing is cached */
export function createTickets(keyring: Keyring, random: Random, clock: Clock, caches?: CacheBudget): Tickets {
  // Only tickets with a valid MAC are added, so a client cannot fill it with forged tickets.
  const cache = caches?.cache<ParsedTicket>('tickets', (parsed) => CACHED_TICKET_BYTES + recordBytes(parsed.opened))
  const doorkeeper = caches && new Doorkeeper()
  const inTime = (parsed: ParsedTicket): ParsedTicket | 'expired' =>
    parsed.absoluteExpiresAtMs > clock.now() ? parsed : 'expired'

  return {
    newRef(userKey) {
      const id = random.bytes(ID_BYTES).toString('base64url')
      if (userKey !== undefined) return { kind: 'user', userKey, id }
      return { kind: 'anonymous', userKey: random.bytes(USER_KEY_BYTES).toString('base64url'), id }
    },

    issue(ref, absoluteExpiresAtMs) {
      const bytes = Buffer.alloc(TICKET_BYTES)
      const secret = random.bytes(SECRET_BYTES)
      bytes[0] = KIND_CODES[ref.kind]
      bytes.write(ref.userKey, USER_KEY_AT, USER_KEY_BYTES, 'base64url')
      bytes.write(ref.id, ID_AT, ID_BYTES, 'base64url')
      secret.copy(bytes, SECRET_AT)
      bytes.writeUInt32BE(Math.ceil(absoluteExpiresAtMs / 1000), EXPIRY_AT)
      const sum = Buffer.from(keyring.active.ticketMac.sum(bytes.subarray(0, MAC_AT)), 'latin1')
      sum.copy(bytes, MAC_AT, 0, MAC_BYTES)
      return { ticket: bytes.toString('base64url'), secretHash: secretHashIn(sum) }
    },

    parse(ticket) {
      const known = cache?.get(ticket)
      if (known) return inTime(known)
      if (ticket.length !== TICKET_CHARACTERS) return 'malformed'
      const bytes = Buffer.from(ticket, 'base64url')
      const kind = kindOf(bytes[0])
      const secretHash = bytes.length === TICKET_BYTES ? verifiedSecretHash(bytes, keyring) : null
      if (kind === null || secretHash === null) return 'malformed'
      const ref: SessionRef = {
        kind,
        userKey: bytes.toString('base64url', USER_KEY_AT, ID_AT),
        id: bytes.toString('base64url', ID_AT, SECRET_AT),
      }
      const parsed: ParsedTicket = { ref, secretHash, absoluteExpiresAtMs: bytes.readUInt32BE(EXPIRY_AT) * 1000 }
      if (doorkeeper?.isKnown(bytes.readUInt32BE(SECRET_AT)) === true) {
        // Copies: the ticket is a part of the whole `Cookie` header, and the hash a part of a larger buffer.
        const text = bytes.toString('base64url')
        const kept: ParsedTicket = { ...parsed, secretHash: ownCopy(secretHash), opened: null }
        if (text === ticket) cache?.set(text, kept)
        return inTime(text === ticket ? kept : parsed)
      }
      return inTime(parsed)
    },

    keep(ticket, { sealed, ...loaded }) {
      // A copy in any case: the bytes of a reply belong to a buffer of up to 64 KiB, which a session that lives long would hold.
      if (ticket.opened === undefined) return { ...loaded, sealed: Buffer.from(sealed) }
      const kept = { ...loaded, sealed: ownCopy(sealed) }
      cache?.grow(recordBytes(kept) - recordBytes(ticket.opened))
      ticket.opened = kept
      return kept
    },
  }
}

/** The session id, for logs, the command line and the application. It opens nothing. */
export function sessionIdOf(ref: { readonly userKey: string; readonly id: string }): string {
  return `${ref.userKey}.${ref.id}`
}

/** Returns `null` when the text is no session id. */
export function parseSessionId(sessionId: string): { userKey: string; id: string } | null {
  const match = /^([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{22})$/.exec(sessionId)
  return match ? { userKey: match[1] ?? '', id: match[2] ?? '' } : null
}

/** Returns whether a valid ticket belongs to a user. Its first byte says so. */
export function isTicketOfUser(ticket: string): boolean {
  return kindOf(Buffer.from(ticket.slice(0, 4), 'base64url')[0]) === 'user'
}

/** Returns a copy that shares no memory with other buffers. */
function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(copy)
  return copy
}

function recordBytes(opened: Loaded | null | undefined): number {
  return opened ? opened.sealed.length * CACHED_BYTES_PER_SEALED_BYTE : 0
}

function kindOf(code: number | undefined): SessionKind | null {
  if (code === KIND_CODES.user) return 'user'
  return code === KIND_CODES.anonymous ? 'anonymous' : null
}

/** Returns `null` if no key of the ring made this ticket. */
function verifiedSecretHash(bytes: Buffer, keyring: Keyring): Buffer | null {
  const signed = bytes.subarray(0, MAC_AT)
  const given = bytes.subarray(MAC_AT)
  for (const { ticketMac } of keyring.keys) {
    const sum = Buffer.from(ticketMac.sum(signed), 'latin1')
    if (timingSafeEqual(sum.subarray(0, MAC_BYTES), given)) return secretHashIn(sum)
  }
  return null
}

function secretHashIn(sum: Buffer): Buffer {
  return sum.subarray(MAC_BYTES, MAC_BYTES + SECRET_HASH_BYTES)
}
