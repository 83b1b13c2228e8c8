/**
 * Ending sessions as an operator: what will happen, told before, and what has happened and what it does not reach, told after.
 * Between the two the user may sign in or out; what counts is what the driver's one step finds.
 */
import { MisuseError } from '../core/errors.ts'
import { endedRememberedMs } from '../session/session-policy.ts'
import { parseSessionId } from '../session/ticket.ts'
import type { AdminGround } from './ground.ts'
import { sessionAddressOf } from './session-address.ts'
import { listSessions } from './sessions.ts'
import { tokensOf } from './tokens.ts'

/** Selects what to end: one session, or all sessions of a user. */
export type EndingWish =
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
export interface EndingPlan {
  /** Hash of the user id. */
  readonly userKey: string
  /** Number of live sessions that will end; listed up to 1,000. */
  readonly sessions: number
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
export interface EndingReport extends EndingPlan {
  /** Number of live sessions that ended. */
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
export async function planEnding(ground: AdminGround, wish: EndingWish): Promise<EndingPlan> {
  const { userKey } = addressOf(wish)
  const live = await listSessions(ground, userKey)
  const stays =
    'sessionId' in wish
      ? live.filter((one) => one.id !== wish.sessionId)
      : live.filter((one) => one.id === exceptOf(wish))
  const isAnonymous = 'sessionId' in wish && live.length === 0
  const sessions = isAnonymous ? await countOfAnonymous(ground, wish.sessionId) : live.length - stays.length
  const tokens = await tokensOf(ground, userKey)
  const untilMs = Math.max(0, ...tokens.flatMap(({ resources }) => resources.map(({ expiresAt }) => expiresAt)))
  const records = tokens.reduce(
    (sum, { hasRefreshToken, resources }) => sum + resources.length + Number(hasRefreshToken),
    0,
  )
  return {
    userKey,
    sessions,
    remaining: stays.length,
    tokenRecords: stays.length > 0 || sessions === 0 ? 0 : records,
    accessTokensUntilMs: untilMs === 0 ? null : untilMs,
  }
}

/**
 * Ends one session, or all sessions of a user, in one atomic step. The user's tokens are deleted together with the last session.
 * @param plan from `planEnding()`. It only completes the report: the step ends what it finds
 * @param reason one word for logs and `coatcheck sessions show`, remembered for at most an hour
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
 * @throws {RedisError} during an outage. This process then repeats the revocation until it is closed; run it again afterwards.
 */
export async function endSessions(
  ground: AdminGround,
  wish: EndingWish,
  plan: EndingPlan,
  reason: string,
): Promise<EndingReport> {
  const { count, durable } =
    'sessionId' in wish ? await ground.sessions.revoke(wish.sessionId, reason) : await endAll(ground, wish, reason)
  return { ...plan, ended: count, durable, isDurabilityAsked: ground.server.client.isDurable }
}

/** By user key, which is all that an operator may have; `SessionStore.revokeByUser` wants the user id. */
async function endAll(
  { store, config, events }: AdminGround,
  wish: EndingWish,
  reason: string,
): Promise<{ readonly count: number; readonly durable: boolean }> {
  const { userKey, id } = addressOf(wish)
  const ending = { reason, ttlMs: endedRememberedMs(config.session.absoluteTimeoutMs) }
  const ended = await store.sessions.endByUser(userKey, ending, id ?? undefined)
  events.emit('session.user-ended', { userKey, count: ended.count, reason })
  return ended
}

/** `id`: of the session that the wish names, or that stays, as key names have it. */
function addressOf(wish: EndingWish): { readonly userKey: string; readonly id: string | null } {
  if ('sessionId' in wish) return sessionAddressOf(wish.sessionId)
  const { userKey, exceptSessionId } = wish
  if (exceptSessionId === undefined) return { userKey, id: null }
  const kept = parseSessionId(exceptSessionId)
  if (kept?.userKey === userKey) return kept
  throw new MisuseError('COATCHECK_INVALID_ARGUMENT', 'The session that is to stay is none of this user.')
}

function exceptOf(wish: EndingWish): string | undefined {
  return 'sessionId' in wish ? undefined : wish.exceptSessionId
}

async function countOfAnonymous({ store }: AdminGround, sessionId: string): Promise<number> {
  const { record } = await store.sessions.read({ kind: 'anonymous', ...sessionAddressOf(sessionId) })
  return record === null ? 0 : 1
}
