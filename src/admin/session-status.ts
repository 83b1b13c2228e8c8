/** Determines the status of a session record from its first bytes and its TTL, without opening it. */
import type { KeyName } from '../stores/key-names.ts'
import { SESSION_STATUS } from '../stores/redis/scripts/inspection.ts'
import { isAnonymousRecord } from '../session/session-driver.ts'
import { RECORD_SLACK_MS } from '../session/session-policy.ts'
import type { StoreServer } from '../stores/redis/operator-view.ts'
import { ADMIN_DEADLINE_MS } from './scan.ts'

export interface SessionStatus {
  /**
   * `expired`: the record stays a little longer than the session. `dead`: its generation is not the user's current one, after
   * `revokeByUser`. `gone`: the record disappeared meanwhile.
   */
  readonly state: 'live' | 'anonymous' | 'expired' | 'dead' | 'gone'
  /** Milliseconds until the session ends without further requests. Below 0 if it has ended. */
  readonly endsInMs: number
}

/** Reads the status in one step on the server. */
export async function statusOfRecord(
  { client, keys }: StoreServer,
  { key, userKey }: Pick<KeyName, 'key' | 'userKey'>,
): Promise<SessionStatus> {
  const names = [key, keys.generation(userKey)]
  const reply = await client.script(SESSION_STATUS, names, ['0', '0'], { deadlineMs: ADMIN_DEADLINE_MS })
  const [head, generation, lifeMs] = reply as [Buffer, Buffer, number]
  const endsInMs = lifeMs - RECORD_SLACK_MS
  return { state: stateOf(head, generation, endsInMs), endsInMs }
}

function stateOf(head: Buffer, generation: Buffer, endsInMs: number): SessionStatus['state'] {
  if (head.length === 0) return 'gone'
  const isAnonymous = isAnonymousRecord(head)
  if (!isAnonymous && !head.equals(generation)) return 'dead'
  if (endsInMs <= 0) return 'expired'
  return isAnonymous ? 'anonymous' : 'live'
}
