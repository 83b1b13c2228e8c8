/**
 * Explains the state of a session: live, expired, ended and why, lost, or unknown. Only reads, in two steps of the session driver; with
 * keys it also opens the record. The two steps are not atomic together: a session that ends in between is reported as ended.
 */
import { GENERATION_BYTES } from '../keyring/record-layout.ts'
import type { AdminContext, ServerContext } from './context.ts'
import { deadlineOf, endedRememberedMs, isExpired } from '../session/session-policy.ts'
import { type Absence, isAnonymousRecord, type SessionKind, type StoredSession } from '../session/session-driver.ts'
import type { Loaded } from '../session/loaded.ts'
import { createVault } from '../session/session-vault.ts'
import { sessionAddressOf } from './session-address.ts'

/**
 * State of a session.
 *
 * - `live`: its ticket opens it.
 * - `expired`: the idle timeout or the absolute timeout has passed.
 * - `ended`: it was revoked.
 * - `lost`: its record is missing, and no revocation explains that.
 * - `unreadable`: its record does not open with the given keys.
 * - `unknown`: no trace of it is left.
 */
export type SessionState = 'live' | 'expired' | 'ended' | 'lost' | 'unreadable' | 'unknown'

/**
 * The evidence for the state of a session.
 *
 * - `live`: the record is valid.
 * - `deadline`: a timeout has passed.
 * - `reason`: a marker names the reason; see `SessionSummary.reason`.
 * - `all-ended`: all sessions of the user were ended at once, and no reason is stored.
 * - `record-missing`: the index lists the session as live, but the record is missing.
 * - `generation-missing`: the record exists, but the generation of the user is missing.
 * - `index-missing`: the record and the list of the user's sessions are missing.
 * - `key-unknown`: the record is sealed with a key that is not in `COATCHECK_KEYS`.
 * - `damaged`: the record does not open with the key that it names.
 * - `no-trace`: the user has other keys; nothing of this session is left.
 * - `nothing`: nothing is stored of the session or of its user.
 */
export type SessionBecause =
  | 'live'
  | 'deadline'
  | 'reason'
  | 'all-ended'
  | 'record-missing'
  | 'generation-missing'
  | 'index-missing'
  | 'key-unknown'
  | 'damaged'
  | 'no-trace'
  | 'nothing'

/** What the store knows about one session: its state, the evidence and its times. It holds no data and no ticket. */
export interface SessionSummary {
  /** Id of the session. */
  readonly sessionId: string
  /** State of the session when it was read. */
  readonly state: SessionState
  /** The evidence for the state. */
  readonly because: SessionBecause
  /**
   * The word that was given when the session was ended. `null`: none is stored. The text comes from a caller: escape control
   * characters before you print it.
   */
  readonly reason: string | null
  /** Whether the session has a user. `null`: nothing stored shows it. */
  readonly kind: SessionKind | null
  /** The times in the record. `null`: there is no record, it does not open, or no keys were given. */
  readonly times: SessionTimes | null
  /**
   * How long the store remembers why a session ended, milliseconds: the absolute timeout, at most an hour. Without keys, the
   * upper limit.
   */
  readonly reasonsKeptForMs: number
}

/** The times of a session. */
export interface SessionTimes {
  /** When the session was created, epoch milliseconds. */
  readonly createdAtMs: number
  /** When the session was last used, epoch milliseconds. Exact to a tenth of the idle timeout. */
  readonly lastSeenAtMs: number
  /** When the session ends unless a request extends it, epoch milliseconds. */
  readonly idleExpiresAtMs: number
  /** When the session ends in any case, epoch milliseconds. */
  readonly absoluteExpiresAtMs: number
  /** The earlier of the two, epoch milliseconds. */
  readonly expiresAtMs: number
}

/** What is needed to open records. Without it, the explanation relies on the server alone. */
type WithKeys = Pick<AdminContext, 'seal' | 'prefix' | 'clock' | 'config'>

/** A status, and the record behind it. */
export interface ExaminedSession {
  readonly summary: SessionSummary
  /** The opened record. `null`: there is none, no keys were given, or it does not open. */
  readonly loaded: Loaded | null
}

/**
 * Explains the state of one session. Only reads, in two steps that are not atomic together: a session that ends in between is
 * reported as ended.
 * @param context from `openServer()` or `openAdmin()`
 * @param keys the result of `openAdmin()`, or `null` without keys. Without keys an anonymous session counts as live until its
 *   record is deleted, five minutes after its deadline: only the record holds the deadline
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` when the text is no session id
 * @throws {RedisError} during an outage
 */
export async function explainSession(
  context: Pick<ServerContext, 'store'>,
  keys: WithKeys | null,
  sessionId: string,
): Promise<SessionSummary> {
  return (await examineSession(context, keys, sessionId)).summary
}

/** `explainSession` for callers that also use the record, so that a second read cannot find another state. */
export async function examineSession(
  { store }: Pick<ServerContext, 'store'>,
  keys: WithKeys | null,
  sessionId: string,
): Promise<ExaminedSession> {
  const address = sessionAddressOf(sessionId)
  // Looked up as a user's session: that also reads the generation, and an anonymous session has the same key name.
  const ref = { kind: 'user', ...address } as const
  const stored = await store.sessions.read(ref)
  const absence = await store.sessions.explain(ref)
  const kind = kindOf(stored, absence)
  const opened = keys && stored.record ? open(keys, { ...ref, kind: kind ?? 'user' }, stored.record) : null
  const loaded = typeof opened === 'string' ? null : opened
  const summary = {
    sessionId,
    kind,
    reason: absence.ended,
    times: loaded && timesOf(loaded),
    reasonsKeptForMs: endedRememberedMs(keys?.config.session.absoluteTimeoutMs ?? Number.POSITIVE_INFINITY),
    ...judge(kind, stored, absence, keys, opened),
  }
  return { summary, loaded }
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
    // The index lists the session as live, and only a revocation removes a record.
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
