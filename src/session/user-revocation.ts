/**
 * The end of all sessions of a user. `revokeByUser`, the routes and the operations of operators all pass here, so no way to end them
 * forgets the marks that keep old sessions of other libraries from being adopted.
 */
import type { EventBus } from '../core/events.ts'
import type { EndedByUser, Ending, SessionDriver } from './session-driver.ts'

export interface UserEndingDeps {
  readonly driver: Pick<SessionDriver, 'endByUser'>
  readonly events: EventBus
  /** Called before the sessions end. A failure stops no revocation: the caller hears of it afterwards. `undefined`: nothing to mark. */
  readonly revoking: ((userKey: string) => Promise<unknown>) | undefined
}

/**
 * @param exceptId of a session of this user that stays
 * @throws {RedisError} during an outage, also if the sessions have ended and only the mark is missing
 */
export async function revokeSessionsOfUser(
  { driver, events, revoking }: UserEndingDeps,
  userKey: string,
  ending: Ending,
  exceptId: string | undefined,
): Promise<EndedByUser> {
  const [preparation] = revoking ? await Promise.allSettled([revoking(userKey)]) : []
  const ended = await driver.endByUser(userKey, ending, exceptId)
  events.emit('session.user-ended', { userKey, count: ended.count, reason: ending.reason })
  if (preparation?.status === 'rejected') throw preparation.reason
  return ended
}
