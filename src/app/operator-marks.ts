/**
 * Writes marks when an operator's process ends sessions or tokens of a user, so that the application adopts no old ones again. This process
 * does not know whether the code of the application adopts any. So it always writes the marks.
 */
import type { ResolvedConfig } from '../config/types.ts'
import { systemClock } from '../core/clock.ts'
import type { EventBus } from '../core/events.ts'
import { documentDeps } from './drop-in-runtime.ts'
import type { SharedRuntime } from './shared-runtime.ts'
import type { RevocationMarks } from '../admin/context.ts'
import { parseSessionId } from '../session/ticket.ts'
import type { SessionStore } from '../session/types.ts'
import type { TokenCache } from '../token/types.ts'

/** Creates the marks. It imports the migration modules here, so an application without an admin context loads none of them. */
export async function revocationMarks(
  runtime: SharedRuntime,
  config: ResolvedConfig<object>,
  events: EventBus,
): Promise<RevocationMarks> {
  const { createRevokedUsers } = await import('../migrate/bridges/revoked-users.ts')
  const { createTokenMarks, tokenMarkDocuments } = await import('../migrate/tokens/token-marks.ts')
  const deps = documentDeps(runtime, config, events)
  const { sessions } = runtime.store
  const marks = tokenMarkDocuments(deps)
  const ofProviders = config.providers.map(({ name }) => ({
    provider: name,
    ...createTokenMarks({ marks, sessions, provider: name }),
  }))
  return {
    sessions: (userKey) => createRevokedUsers(deps, systemClock).mark(userKey),
    async tokens(userKey, provider) {
      const asked = ofProviders.filter((one) => provider === undefined || one.provider === provider)
      await Promise.all(asked.map(({ end }) => end(userKey)))
    },
    async signedOut(userKey, mayBeAnonymous) {
      await Promise.all(ofProviders.map((one) => one.signedOut(userKey, mayBeAnonymous)))
    },
  }
}

/** Returns the sessions of an admin context. The end of a user's last session also marks the old tokens. */
export function markingSessions<D extends object>(
  sessions: SessionStore<D>,
  marks: RevocationMarks,
  userKeyOf: (userId: string) => string,
): SessionStore<D> {
  return {
    ...sessions,
    async revoke(sessionId, reason) {
      const revoked = await sessions.revoke(sessionId, reason)
      const address = parseSessionId(sessionId)
      if (address) await marks.signedOut(address.userKey, true)
      return revoked
    },
    async revokeByUser(userId, input) {
      const revoked = await sessions.revokeByUser(userId, input)
      await marks.signedOut(userKeyOf(userId), false)
      return revoked
    },
  }
}

/** Returns the tokens of an admin context. Deleting the tokens of a user also marks the old ones. */
export function markingTokens(
  tokens: TokenCache,
  marks: RevocationMarks,
  userKeyOf: (userId: string) => string,
): TokenCache {
  return {
    ...tokens,
    async deleteUserTokens(userId, selection) {
      const [marking] = await Promise.allSettled([marks.tokens(userKeyOf(userId), selection?.provider)])
      await tokens.deleteUserTokens(userId, selection)
      if (marking.status === 'rejected') throw marking.reason
    },
  }
}
