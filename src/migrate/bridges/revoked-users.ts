/**
 * Stores when all sessions of a user were ended, and decides which old sessions that covers. The signature of an old cookie stays valid
 * after a revocation, and Coatcheck knows only the cookies that a browser has sent to it. An old application that seals its cookie again
 * makes one that Coatcheck has never seen. So no session that began before the revocation is adopted.
 */
import type { Clock } from '../../core/clock.ts'
import { MAX_TTL_MS } from '../../core/time-to-live.ts'
import { createDocuments, type DocumentDeps } from '../../documents/documents.ts'

export interface RevokedUsers {
  /**
   * Called before the sessions of the user end. If an adoption runs at the same time, either the revocation ends the adopted session, or the
   * adoption finds the mark after it has stored the session.
   */
  mark(userKey: string): Promise<void>
  /** @param beganAtMs when the old session began, epoch milliseconds; `null`: unknown, which counts as before the revocation */
  covers(userKey: string, beganAtMs: number | null): Promise<boolean>
}

interface Revocation {
  /** Epoch milliseconds. */
  readonly atMs: number
}

export function createRevokedUsers(deps: DocumentDeps, clock: Clock): RevokedUsers {
  const documents = createDocuments<Revocation>(deps, 'adopted-revoked')
  return {
    async mark(userKey) {
      // The lifetime of old cookies is unknown here, so the mark gets the longest one.
      await documents.put(documents.refOf(userKey), { atMs: clock.now() }, { ttlMs: MAX_TTL_MS })
    },
    async covers(userKey, beganAtMs) {
      const revoked = await documents.readOrRefuse(documents.refOf(userKey))
      if (revoked === null) return false
      // The key that sealed the mark is no longer in the ring. The time of the revocation is unknown, so it covers every session.
      return revoked === 'unreadable' || beganAtMs === null || beganAtMs <= revoked.value.atMs
    },
  }
}
