/**
 * Remembers when all sessions of a user were ended. The signature of an old cookie stays right after that, and no document need know the
 * cookie: it was never shown, or the old application has sealed it again. So what began before the revocation is not adopted.
 */
import type { Clock } from '../../core/clock.ts'
import { MAX_TTL_MS } from '../../core/time-to-live.ts'
import { createDocuments, type DocumentDeps } from '../../documents/documents.ts'

export interface RevokedUsers {
  /**
   * Called before the sessions of the user end. So of a revocation and an adoption at the same time, either the revocation ends the
   * adopted session, or the adoption finds the mark after it has stored the session.
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
      // How long old cookies can be shown is unknown here.
      await documents.put(documents.refOf(userKey), { atMs: clock.now() }, { ttlMs: MAX_TTL_MS })
    },
    async covers(userKey, beganAtMs) {
      const revoked = await documents.readOrRefuse(documents.refOf(userKey))
      if (revoked === null) return false
      // Sealed with a key that is gone: when the sessions were ended is unknown.
      return revoked === 'unreadable' || beganAtMs === null || beganAtMs <= revoked.value.atMs
    },
  }
}
