/**
 * Between the driver's bytes and the decoded record: sealing, opening, and deciding what a ticket finds. Stateless.
 */
import type { Clock } from '../core/clock.ts'
import type { EventBus } from '../core/events.ts'
import { nonceOf, type Refusal, type Seal, type SealAddress } from '../keyring/seal.ts'
import { decodeRecord, encodeRecord, type SessionRecord } from './session-codec.ts'
import { GENERATION_BYTES, type SessionDriver, type SessionRef, type StoredSession } from './session-driver.ts'
import { isExpired, standingOf, type TicketStanding } from './session-policy.ts'
import { type ParsedTicket, sessionIdOf } from './ticket.ts'
import type { MissReason } from './types.ts'

/** A record as it was read, with what a compare and set needs. */
export interface Loaded {
  readonly ref: SessionRef
  readonly record: SessionRecord
  readonly nonce: Buffer
}

export interface Vault {
  seal(ref: SessionRef, record: SessionRecord): { readonly bytes: Buffer; readonly loaded: Loaded }
  open(ref: SessionRef, bytes: Buffer): Loaded | Refusal
  /** What the ticket finds: the session and how the ticket stands to it, or why there is none. */
  find(ticket: ParsedTicket): Promise<{ loaded: Loaded; standing: TicketStanding } | MissReason>
}

export function createVault(deps: {
  driver: SessionDriver
  seal: Seal
  namespace: string
  clock: Clock
  events: EventBus
}): Vault {
  const { driver, seal, namespace, clock, events } = deps
  const addressOf = (ref: SessionRef): SealAddress => ({
    type: 'session',
    kind: ref.kind,
    name: `${namespace}${ref.userKey}.${ref.id}`,
    shard: ref.userKey,
  })

  const open = (ref: SessionRef, bytes: Buffer): Loaded | Refusal => {
    const plaintext = seal.open(bytes, addressOf(ref), GENERATION_BYTES)
    if (typeof plaintext === 'string') return plaintext
    const record = decodeRecord(plaintext)
    return record ? { ref, record, nonce: nonceOf(bytes, GENERATION_BYTES) } : 'unreadable'
  }

  const refused = (ref: SessionRef, why: Refusal | 'secret'): void =>
    events.emit('session.refused', { sessionId: sessionIdOf(ref), why })

  const evaluate = (
    ticket: ParsedTicket,
    stored: StoredSession,
  ): { loaded: Loaded; standing: TicketStanding } | MissReason => {
    const { ref } = ticket
    const { record: bytes, generation } = stored
    if (!bytes) return 'lost'
    if (ref.kind === 'user') {
      if (!generation) return 'lost'
      if (!generation.equals(bytes.subarray(0, GENERATION_BYTES))) return 'revoked'
    }
    const loaded = open(ref, bytes)
    if (typeof loaded === 'string') {
      refused(ref, loaded)
      return 'lost'
    }
    const nowMs = clock.now()
    const standing = standingOf(ticket.secretHash, loaded.record.secrets, nowMs)
    if (standing === 'refused') {
      refused(ref, 'secret')
      return 'revoked'
    }
    return isExpired(loaded.record, nowMs) ? 'expired' : { loaded, standing }
  }

  return {
    open,

    seal(ref, record) {
      const bytes = seal.seal(encodeRecord(record), addressOf(ref), GENERATION_BYTES)
      return { bytes, loaded: { ref, record, nonce: nonceOf(bytes, GENERATION_BYTES) } }
    },

    async find(ticket) {
      const stored = await driver.read(ticket.ref)
      return stored.record ? evaluate(ticket, stored) : explainAbsence(driver, ticket.ref)
    },
  }
}

/**
 * Why the record of a valid ticket is not there. The index keeps entries until their absolute end, so that "expired" can be
 * told from "lost"; an anonymous session has no index, and idling out is by far its likeliest end.
 */
async function explainAbsence(driver: SessionDriver, ref: SessionRef): Promise<MissReason> {
  const { ended, generation, index } = await driver.explain(ref)
  if (ended !== null) return 'revoked'
  if (ref.kind === 'anonymous') return 'expired'
  if (generation === 'missing' || index === 'live') return 'lost'
  return index === 'expired' ? 'expired' : 'revoked'
}
