/**
 * What became of a session: live, expired, ended and why, lost, or nothing that is known. Reads only, two steps of the session
 * driver; with keys also the record. The two are not one atomic step: a session that ends in between is told as ended.
 */
import type { AdminGround, ServerGround } from './ground.ts'
import { deadlineOf, endedRememberedMs, isExpired } from '../session/session-policy.ts'
import {
  type Absence,
  GENERATION_BYTES,
  isAnonymousRecord,
  type SessionKind,
  type StoredSession,
} from '../session/session-driver.ts'
import { createVault, type Loaded } from '../session/session-vault.ts'
import { sessionAddressOf } from './session-address.ts'

/** State of a session. `lost`: its record is gone though nothing ended it. `unknown`: no trace is left. */
export type SessionState = 'live' | 'expired' | 'ended' | 'lost' | 'unreadable' | 'unknown'

/** Which of the ways into a state it was. */
export type SessionBecause =
  | 'live'
  | 'deadline'
  /** `reason` says it. */
  | 'reason'
  /** All sessions of the user were ended at once, and what is left of this one has no reason (any more). */
  | 'all-ended'
  | 'record-missing'
  | 'generation-missing'
  | 'index-missing'
  | 'key-unknown'
  | 'damaged'
  /** The user is known, the session is not. */
  | 'no-trace'
  /** Neither the session nor its user left anything. */
  | 'nothing'

/** What is known about one session: its state, the reason and its times. */
export interface SessionAccount {
  /** Id of the session. */
  readonly sessionId: string
  /** State of the session now. */
  readonly state: SessionState
  /** What the state was concluded from. */
  readonly because: SessionBecause
  /** The word that was given when it was ended. Comes from outside: to be shown as one line. */
  readonly reason: string | null
  /** `null` when nothing tells. */
  readonly kind: SessionKind | null
  /** What the record says; `null` without a record, or without keys to open it. Epoch milliseconds. */
  readonly times: SessionTimes | null
  /** For how long the store remembers why a session ended. Without keys: at most. */
  readonly reasonsKeptForMs: number
}

/** The times of a session. */
export interface SessionTimes {
  /** When the session was created, epoch milliseconds. */
  readonly createdAtMs: number
  /** When the session was used last, epoch milliseconds. */
  readonly lastSeenAtMs: number
  /** When the session ends if it is not used, epoch milliseconds. */
  readonly idleExpiresAtMs: number
  /** When the session ends in any case, epoch milliseconds. */
  readonly absoluteExpiresAtMs: number
  /** The earlier of both. */
  readonly expiresAtMs: number
}

/** What opens records; left out, the server alone is asked. */
type WithKeys = Pick<AdminGround, 'seal' | 'prefix' | 'clock' | 'config'>

/** An account, and what it was made of. */
export interface SessionLook {
  readonly account: SessionAccount
  /** The opened record; `null` without one, without keys, or when it does not open. */
  readonly loaded: Loaded | null
}

/**
 * @param keys an `AdminGround`, or `null` when no keys are at hand: then an anonymous session counts as live until its record goes,
 *   five minutes after its deadline, which stands in the record only
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` when the text is no session id
 * @throws {RedisError} when Redis cannot say
 */
export async function explainSession(
  ground: Pick<ServerGround, 'store'>,
  keys: WithKeys | null,
  sessionId: string,
): Promise<SessionAccount> {
  return (await lookAtSession(ground, keys, sessionId)).account
}

/** `explainSession` for those who go on with the record: no second read finds another state. */
export async function lookAtSession(
  { store }: Pick<ServerGround, 'store'>,
  keys: WithKeys | null,
  sessionId: string,
): Promise<SessionLook> {
  const address = sessionAddressOf(sessionId)
  // Asked for as a user's: that reads the generation too, and an anonymous session lies under the same name.
  const ref = { kind: 'user', ...address } as const
  const stored = await store.sessions.read(ref)
  const absence = await store.sessions.explain(ref)
  const kind = kindOf(stored, absence)
  const opened = keys && stored.record ? open(keys, { ...ref, kind: kind ?? 'user' }, stored.record) : null
  const loaded = typeof opened === 'string' ? null : opened
  const account = {
    sessionId,
    kind,
    reason: absence.ended,
    times: loaded && timesOf(loaded),
    reasonsKeptForMs: endedRememberedMs(keys?.config.session.absoluteTimeoutMs ?? Number.POSITIVE_INFINITY),
    ...judge(kind, stored, absence, keys, opened),
  }
  return { account, loaded }
}

interface Verdict {
  readonly state: SessionState
  readonly because: SessionBecause
}

function judge(
  kind: SessionKind | null,
  { record, generation }: StoredSession,
  { ended, generation: userGeneration, index }: Absence,
  keys: WithKeys | null,
  loaded: Loaded | string | null,
): Verdict {
  if (ended !== null) return { state: 'ended', because: 'reason' }
  if (record === null) {
    // The index names it as live, and nothing but an ending takes a record away.
    if (index === 'live') return { state: 'lost', because: 'record-missing' }
    if (index === 'gone') return { state: 'lost', because: 'index-missing' }
    if (index === 'expired') return { state: 'expired', because: 'deadline' }
    return { state: 'unknown', because: userGeneration === 'present' ? 'no-trace' : 'nothing' }
  }
  if (kind === 'user') {
    if (generation === null) return { state: 'lost', because: 'generation-missing' }
    if (!record.subarray(0, GENERATION_BYTES).equals(generation)) return { state: 'ended', because: 'all-ended' }
  }
  if (typeof loaded === 'string') {
    return { state: 'unreadable', because: loaded === 'key-unknown' ? 'key-unknown' : 'damaged' }
  }
  const isOver = loaded && keys ? isExpired(loaded.record, keys.clock.now()) : index === 'expired'
  return isOver ? { state: 'expired', because: 'deadline' } : { state: 'live', because: 'live' }
}

function kindOf({ record, generation }: StoredSession, { index }: Absence): SessionKind | null {
  if (record === null) return generation !== null || index !== 'missing' ? 'user' : null
  return isAnonymousRecord(record) ? 'anonymous' : 'user'
}

function open(
  { seal, prefix, clock }: WithKeys,
  ref: { readonly kind: SessionKind; readonly userKey: string; readonly id: string },
  record: Buffer,
): Loaded | string {
  return createVault({ seal, namespace: prefix, clock }).open(ref, record)
}

function timesOf({ record }: Loaded): SessionTimes {
  const { createdAtMs, lastSeenAtMs, idleExpiresAtMs, absoluteExpiresAtMs } = record
  return { createdAtMs, lastSeenAtMs, idleExpiresAtMs, absoluteExpiresAtMs, expiresAtMs: deadlineOf(record) }
}
