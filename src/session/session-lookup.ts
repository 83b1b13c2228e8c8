/** Looks up the session of a parsed ticket, or the reason for its absence. The driver verifies a reply before it returns a miss. */
import { isCoatcheckError } from '../core/errors.ts'
import type { EventBus } from '../core/events.ts'
import type { SessionDriver, SessionRef } from './session-driver.ts'
import type { FoundRecord, Missed, Vault } from './session-vault.ts'
import { type ParsedTicket, sessionIdOf } from './ticket.ts'
import type { MissReason } from './types.ts'

/** Rejects when the store did not answer, and reports that to listeners. */
export type SessionLookup = (parsed: ParsedTicket) => Promise<FoundRecord | MissReason>

export function createSessionLookup(deps: { driver: SessionDriver; vault: Vault; events: EventBus }): SessionLookup {
  const { driver, vault, events } = deps

  return async (parsed) => {
    try {
      const found = await driver.readVerified(parsed.ref, (stored) => vault.evaluate(parsed, stored), isUnproven)
      if ('loaded' in found) return found
      if (!found.isStored) return await explainAbsence(driver, parsed.ref)
      if (found.refused) events.emit('session.refused', { sessionId: sessionIdOf(parsed.ref), why: found.refused })
      return found.reason
    } catch (error) {
      const code = isCoatcheckError(error) ? error.code : 'UNKNOWN'
      events.emit('session.find-failed', { sessionId: sessionIdOf(parsed.ref), code })
      throw error
    }
  }
}

function isUnproven(found: FoundRecord | Missed): boolean {
  return !('loaded' in found) && found.isUnproven
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
