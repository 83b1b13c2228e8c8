/** Describes a session without its data: one row of "your devices", and of an operator's list. */
import { own } from '../core/json.ts'
import { parseProfile } from './session-codec.ts'
import { deadlineOf } from './session-policy.ts'
import type { Loaded } from './loaded.ts'
import { sessionIdOf } from './ticket.ts'
import type { SessionInfo } from './types.ts'

export function infoOf({ ref, record }: Loaded): SessionInfo {
  const { device, authentication } = parseProfile(record)
  return {
    id: sessionIdOf(ref),
    device: device ?? own({}),
    createdAtMs: record.createdAtMs,
    lastSeenAtMs: record.lastSeenAtMs,
    expiresAtMs: deadlineOf(record),
    authentication: authentication ?? null,
  }
}
