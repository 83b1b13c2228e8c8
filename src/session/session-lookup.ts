/**
 * Looks up the session of a parsed ticket, or the reason for its absence. It never trusts a single miss: it confirms the miss and reads
 * again (core/confirm-miss.ts).
 */
import { isCoatcheckError } from '../core/errors.ts'
import type { EventBus } from '../core/events.ts'
import { confirmMiss } from '../core/confirm-miss.ts'
import type { SessionDriver, SessionRef, StoredSession } from './session-driver.ts'
import type { FoundRecord, Missed, Vault } from './session-vault.ts'
import { type ParsedTicket, sessionIdOf } from './ticket.ts'
import type { MissReason } from './types.ts'

/** Rejects when the store did not answer, and reports that to listeners. */
export type SessionLookup = (parsed: ParsedTicket) => Promise<FoundRecord | MissReason>

/** The record that was read, and its meaning for the ticket. */
interface Seen {
  readonly record: StoredSession['record']
  readonly found: FoundRecord | Missed
}

export function createSessionLookup(deps: { driver: SessionDriver; vault: Vault; events: EventBus }): SessionLookup {
  const { driver, vault, events } = deps

  const read = async (parsed: ParsedTicket): Promise<Seen> => {
    const stored = await driver.read(parsed.ref)
    return { record: stored.record, found: vault.evaluate(parsed, stored) }
  }

  return async (parsed) => {
    try {
      let seen = await read(parsed)
      if (isUnconfirmed(seen) && driver.confirm) seen = await confirmMiss(driver.confirm(parsed.ref), read(parsed))
      const { record, found } = seen
      if ('loaded' in found) return found
      if (!record) return await explainAbsence(driver, parsed.ref)
      if (found.refused) events.emit('session.refused', { sessionId: sessionIdOf(parsed.ref), why: found.refused })
      return found.reason
    } catch (error) {
      const code = isCoatcheckError(error) ? error.code : 'UNKNOWN'
      events.emit('session.find-failed', { sessionId: sessionIdOf(parsed.ref), code })
      throw error
    }
  }
}

function isUnconfirmed({ found }: Seen): boolean {
  return !('loaded' in found) && found.isUnconfirmed
}

/**
 * Explains why the record of a valid ticket is missing. The index keeps entries until their absolute end, which distinguishes "expired"
 * from "lost". An anonymous session has no index; the idle timeout is by far its likeliest end.
 */
async function explainAbsence(driver: SessionDriver, ref: SessionRef): Promise<MissReason> {
  const { ended, generation, index } = await driver.explain(ref)
  if (ended !== null) return 'revoked'
  if (ref.kind === 'anonymous') return 'expired'
  if (generation === 'missing' || index === 'live' || index === 'gone') return 'lost'
  return index === 'expired' ? 'expired' : 'revoked'
}
