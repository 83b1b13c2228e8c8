/**
 * Ends sessions as an operator. The plan lists in advance what the step will end. The report lists what it ended, and what stays valid.
 * The user may sign in or out between the two, so only the result of the driver's one step counts. The plan never replaces the step:
 * the index that it reads may lack live sessions.
 */
import { GENERATION_BYTES } from '../keyring/record-layout.ts'
import { MisuseError } from '../core/errors.ts'
import { endedRememberedMs } from '../session/session-policy.ts'
import { parseSessionId } from '../session/ticket.ts'
import { revokeSessionsOfUser } from '../session/user-revocation.ts'
import type { AdminContext } from './context.ts'
import { sessionAddressOf } from './session-address.ts'
import { statusOfRecord } from './session-status.ts'
import { tokensOf } from './tokens.ts'
import { ADMIN_DEADLINE_MS } from './scan.ts'

/** As many as `listSessions()` gives. */
const MAX_LISTED = 1000

/** Selects what to end: one session, or all sessions of a user. */
export type RevocationTarget =
  | {
      /** Id of the session to end. */
      readonly sessionId: string
    }
  | {
      /** Hash of the id of the user whose sessions end. */
      readonly userKey: string
      /** Id of a session of this user that stays. Absent: none stays. */
      readonly exceptSessionId?: string
    }

/** What `endSessions()` would end. */
export interface RevocationPlan {
  /** Hash of the user id. */
  readonly userKey: string
  /**
   * Number of live sessions that will end. Of a user: as many as the index names, up to 1,000; those that it does not name end too.
   */
  readonly sessions: number
  /** Whether the session is live, or whether the store has a generation of the user. False: no session is live. */
  readonly isKnown: boolean
  /** Number of live sessions of the user that stay. */
  readonly remaining: number
  /** Number of refresh tokens and access tokens that are deleted with the last session. 0: a session stays. */
  readonly tokenRecords: number
  /**
   * Until when APIs may still accept access tokens that were returned before, epoch milliseconds. `null`: no access token is
   * stored.
   */
  readonly accessTokensUntilMs: number | null
}

/** What `endSessions()` has ended, together with its plan. */
export interface RevocationReport extends RevocationPlan {
  /** Number of live sessions that ended. Of a user: those that the index named; those that it does not name ended too. */
  readonly ended: number
  /** True when as many replicas as `redisStore({ durability })` names have acknowledged it. */
  readonly durable: boolean
  /** Whether `redisStore({ durability })` asks replicas to acknowledge. */
  readonly isDurabilityAsked: boolean
}

/**
 * Returns what `endSessions()` would end. Only reads, and not in one atomic step: sessions may begin or end afterwards.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` when a text is no session id, or `exceptSessionId` is not of this user
 * @throws {RedisError} during an outage
 */
export async function planRevocation(context: AdminContext, target: RevocationTarget): Promise<RevocationPlan> {
  const { userKey, id } = addressOf(target)
  // Records that the keys of the operator do not open count too: the step ends them.
  const listed = (await context.store.sessions.list(userKey, MAX_LISTED)).map((one) => one.id)
  const others = listed.filter((one) => one !== id).length
  const named = id !== null && (await isLive(context, userKey, id)) ? 1 : 0
  const isOfOne = 'sessionId' in target
  const [sessions, remaining] = isOfOne ? [named, others] : [others, named]
  const isKnown = isOfOne ? named === 1 : await hasGeneration(context, userKey)
  const tokens = await tokensOf(context, userKey)
  const untilMs = Math.max(0, ...tokens.flatMap(({ resources }) => resources.map(({ expiresAt }) => expiresAt)))
  const records = tokens.reduce(
    (sum, { hasRefreshToken, resources }) => sum + resources.length + Number(hasRefreshToken),
    0,
  )
  return {
    userKey,
    sessions,
    isKnown,
    remaining,
    tokenRecords: remaining > 0 || (isOfOne && !isKnown) ? 0 : records,
    accessTokensUntilMs: untilMs === 0 ? null : untilMs,
  }
}

/**
 * Ends one session, or all sessions of a user, in one atomic step. The user's tokens are deleted together with the last session.
 * @param plan from `planRevocation()`. It only completes the report: the step ends what it finds
 * @param reason one word for logs and `coatcheck sessions show`, remembered for at most an hour
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
 * @throws {RedisError} during an outage. This process then repeats the revocation until it is closed; run it again afterwards.
 */
export async function endSessions(
  context: AdminContext,
  target: RevocationTarget,
  plan: RevocationPlan,
  reason: string,
): Promise<RevocationReport> {
  const { count, durable } =
    'sessionId' in target
      ? await context.sessions.revoke(target.sessionId, reason)
      : await endAll(context, target, reason)
  return { ...plan, ended: count, durable, isDurabilityAsked: context.server.client.isDurable }
}

/** By user key, which is all that an operator may have; `SessionStore.revokeByUser` wants the user id. */
async function endAll(
  { store, config, events, revocationMarks }: AdminContext,
  target: RevocationTarget,
  reason: string,
): Promise<{ readonly count: number; readonly durable: boolean }> {
  const { userKey, id } = addressOf(target)
  const ending = { reason, ttlMs: endedRememberedMs(config.session.absoluteTimeoutMs) }
  const deps = { driver: store.sessions, events, revoking: revocationMarks.sessions }
  const ended = await revokeSessionsOfUser(deps, userKey, ending, id ?? undefined)
  await revocationMarks.signedOut(userKey, false)
  return ended
}

/** `id`: of the session that the target names, or that stays, as key names have it. */
function addressOf(target: RevocationTarget): { readonly userKey: string; readonly id: string | null } {
  if ('sessionId' in target) return sessionAddressOf(target.sessionId)
  const { userKey, exceptSessionId } = target
  if (exceptSessionId === undefined) return { userKey, id: null }
  const kept = parseSessionId(exceptSessionId)
  if (kept?.userKey === userKey) return kept
  throw new MisuseError('COATCHECK_INVALID_ARGUMENT', 'The session that is to stay is none of this user.')
}

/** Whatever the index says, and whether or not the keys of the operator open the record. */
async function isLive({ server }: AdminContext, userKey: string, id: string): Promise<boolean> {
  const { state } = await statusOfRecord(server, { key: server.keys.session(userKey, id), userKey })
  return state === 'live' || state === 'anonymous'
}

async function hasGeneration({ server: { client, keys } }: AdminContext, userKey: string): Promise<boolean> {
  const key = keys.generation(userKey)
  const command = ['GETRANGE', key, '0', String(GENERATION_BYTES - 1)]
  const head = (await client.command(key, command, { deadlineMs: ADMIN_DEADLINE_MS })) as Buffer
  return head.length === GENERATION_BYTES
}
