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

/** One session, or all of a user. */
export type EndingWish =
  | {
      /** Id of the session to end. */
      readonly sessionId: string
    }
  | {
      /** Hash of the id of the user whose sessions end. */
      readonly userKey: string
      /** The session that stays. */
      readonly exceptSessionId?: string
    }

/** What a call would end. */
export interface EndingPlan {
  /** Hash of the user id. */
  readonly userKey: string
  /** Live sessions that will end. */
  readonly sessions: number
  /** Those that stay. */
  readonly remaining: number
  /** Grants and access tokens that are deleted with the last session; 0 when one stays. */
  readonly tokenRecords: number
  /** Until when APIs go on accepting access tokens that were handed out before, epoch ms; `null`: there are none. */
  readonly accessTokensUntilMs: number | null
}

/** What a call has ended. */
export interface EndingReport extends EndingPlan {
  /** Sessions that were ended. */
  readonly ended: number
  /** As many replicas have acknowledged it as `durability` asks for. */
  readonly durable: boolean
  /** Whether `redisStore({ durability })` asks replicas to acknowledge. */
  readonly isDurabilityAsked: boolean
}

/** Only reads. @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`: no session id, or not of this user @throws {RedisError} */
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
 * @param reason one word, remembered for an hour: what a visitor with a dead ticket, and the next operator, are told
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` @throws {RedisError} nothing has ended then, or the journal goes on with it
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
