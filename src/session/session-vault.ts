/** Sits between the driver's bytes and the decoded record: it seals, opens, and decides which session a ticket finds. */
import { GENERATION_BYTES } from '../keyring/record-layout.ts'
import type { Clock } from '../core/clock.ts'
import { SessionError } from '../core/errors.ts'
import { nonceOf, type Refusal, type Seal, type SealAddress } from '../keyring/seal.ts'
import { decodeRecord, encodeRecord, type SessionRecord } from './session-codec.ts'
import type { SessionRef, StoredSession } from './session-driver.ts'
import { isExpired, statusOf, type TicketStatus } from './session-policy.ts'
import { type ParsedTicket, sessionIdOf, type Tickets } from './ticket.ts'
import type { Loaded } from './loaded.ts'
import type { MissReason } from './types.ts'

export interface FoundRecord {
  readonly loaded: Loaded
  readonly status: TicketStatus
}

/** A ticket that finds no session. */
export interface Missed {
  readonly reason: MissReason
  /** Reason for listeners. */
  readonly refused?: Refusal | 'secret'
  /** False: the store returned no record. */
  readonly isStored: boolean
  /**
   * True: the reply may belong to another command, so the caller must verify the miss. False once the vault has opened the record: then the reply
   * belongs to this command.
   */
  readonly isUnproven: boolean
}

export interface Vault {
  seal(ref: SessionRef, record: SessionRecord): Loaded
  open(ref: SessionRef, sealed: Buffer): Loaded | Refusal
  /** Returns whether the sealed record belongs to this session and opens. */
  opens(ref: SessionRef, sealed: Buffer): boolean
  /** Evaluates the driver's reply for a ticket: the session and the status of the ticket, or the reason why there is no session. */
  evaluate(ticket: ParsedTicket, stored: StoredSession): FoundRecord | Missed
}

const ABSENT: Missed = { reason: 'lost', isStored: false, isUnproven: true }
const UNREADABLE: Missed = { reason: 'lost', isStored: true, isUnproven: true }

/** The address that the seal of a session record covers. `namespace`: the prefix of all keys. */
export function sessionAddress(namespace: string, { kind, userKey, id }: SessionRef): SealAddress {
  return { type: 'session', kind, name: `${namespace}${sessionIdOf({ userKey, id })}`, shard: userKey }
}

/** @param deps `tickets`: keeps decoded records with their tickets; absent: nothing is kept */
export function createVault(deps: { seal: Seal; namespace: string; clock: Clock; tickets?: Tickets }): Vault {
  const { seal, namespace, clock, tickets } = deps
  const addressOf = (ref: SessionRef): SealAddress => sessionAddress(namespace, ref)

  const open = (ref: SessionRef, sealed: Buffer): Loaded | Refusal => {
    const plaintext = seal.open(sealed, addressOf(ref), GENERATION_BYTES)
    if (typeof plaintext === 'string') return plaintext
    const record = decodeRecord(plaintext)
    return record ? { ref, record, sealed } : 'unreadable'
  }

  const openedBefore = new WeakMap<StoredSession, Loaded>()
  const openNow = (ticket: ParsedTicket, sealed: Buffer): Loaded | Refusal => {
    if (ticket.opened?.sealed.equals(sealed) === true) return ticket.opened
    const loaded = open(ticket.ref, sealed)
    return typeof loaded === 'string' || !tickets ? loaded : tickets.keep(ticket, loaded)
  }

  return {
    open: (ref, sealed) => open(ref, sealed),

    opens: (ref, sealed) => typeof open(ref, sealed) !== 'string',

    seal(ref, record) {
      return { ref, record, sealed: seal.seal(encodeRecord(record), addressOf(ref), GENERATION_BYTES) }
    },

    evaluate(ticket, stored) {
      const { record: sealed, generation } = stored
      const { ref } = ticket
      if (!sealed) return ABSENT
      if (ref.kind === 'user') {
        if (!generation) return UNREADABLE
        if (!isOfGeneration(sealed, generation)) return { reason: 'revoked', isStored: true, isUnproven: true }
      }
      const loaded = openedBefore.get(stored) ?? openNow(ticket, sealed)
      if (stored.isKept && typeof loaded !== 'string') openedBefore.set(stored, loaded)
      if (typeof loaded === 'string') return { ...UNREADABLE, refused: loaded }
      const nowMs = clock.now()
      const status = statusOf(ticket.secretHash, loaded.record.secrets, nowMs)
      if (status === 'refused') return { reason: 'revoked', refused: 'secret', isStored: true, isUnproven: false }
      return isExpired(loaded.record, nowMs)
        ? { reason: 'expired', isStored: true, isUnproven: false }
        : { loaded, status }
    },
  }
}

/**
 * Opens the current record of a session after a conflict.
 * @throws {SessionError} `COATCHECK_SESSION_ENDED` if it does not open. The driver has verified that it is the reply to this command
 */
export function openConflict(vault: Vault, ref: SessionRef, sealed: Buffer): Loaded {
  const current = vault.open(ref, sealed)
  if (typeof current === 'string') throw new SessionError('COATCHECK_SESSION_ENDED')
  return current
}

/** Returns the nonce for a compare-and-set. A copy: the sealed bytes may belong to a larger buffer of the client. */
export function sealedNonce({ sealed }: Loaded): Buffer {
  return nonceOf(sealed, GENERATION_BYTES)
}

/** Compares eight bytes as two numbers, so that a path of every read needs no Buffer. */
function isOfGeneration(sealed: Buffer, generation: Buffer): boolean {
  if (sealed.length < GENERATION_BYTES || generation.length !== GENERATION_BYTES) return false
  return sealed.readUInt32BE(0) === generation.readUInt32BE(0) && sealed.readUInt32BE(4) === generation.readUInt32BE(4)
}
