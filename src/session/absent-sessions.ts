/**
 * Finds which sessions of any users have ended, by their ids. An index beside the sessions uses it, such as the provider sessions of
 * `oidc/`.
 */
import type { SessionDriver } from './session-driver.ts'
import { parseSessionId, sessionIdOf } from './ticket.ts'

/**
 * Returns the ids whose records the store does not hold. Texts that are no session id are left out.
 * @throws {RedisError} when the store did not answer
 */
export async function absentSessions(
  driver: Pick<SessionDriver, 'absent'>,
  sessionIds: readonly string[],
): Promise<readonly string[]> {
  const idsOfUsers = new Map<string, string[]>()
  for (const sessionId of sessionIds) {
    const address = parseSessionId(sessionId)
    if (!address) continue
    const ids = idsOfUsers.get(address.userKey) ?? []
    ids.push(address.id)
    idsOfUsers.set(address.userKey, ids)
  }
  const absent: string[] = []
  for (const [userKey, ids] of idsOfUsers) {
    for (const id of await driver.absent(userKey, ids)) absent.push(sessionIdOf({ userKey, id }))
  }
  return absent
}
