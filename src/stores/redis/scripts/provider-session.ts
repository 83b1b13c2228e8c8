/**
 * Lua scripts of provider sessions. One zset per provider session or subject has these members:
 *
 * - each Coatcheck session id, with the time its session ends (epoch ms, above 10^11);
 * - `iat:<session id>`, with the time of issue of its ID token (epoch seconds of the provider, below 10^11);
 * - `ended`, with the time of the last logout (epoch seconds of the provider);
 * - `swept`, with the number of sessions that the last sweep left.
 *
 * Builds before `iat:` neither write nor read it: they select session ids by their scores. `SWEPT` removes what they leave behind.
 * Why scripts: a sign-in and a logout that arrive together must not miss each other, in either order.
 */
import { defineScript, type RedisScript } from '../../../redis/script.ts'
import { PROLOGUE } from './prologue.ts'

// Scores above are times of Coatcheck (ms). Scores below are times of the provider (s).
const FIRST_MS = '100000000000'
const ISSUED_AT = 'iat:'

/** The members of a session, for `ZREM`. */
export function membersOf(sessionId: string): readonly [string, string] {
  return [sessionId, ISSUED_AT + sessionId]
}

/** Number of expired entries that one call removes. The next sign-in removes more, so that no call blocks Redis for long. */
const REMOVED_AT_ONCE = 500

/**
 * KEYS 1 provider session · ARGV 3 session id · 4 time of issue of its ID token, epoch seconds · 5 life in ms · 6 slack
 * Replies {'registered'} · {'crowded'}: more sessions than twice `swept` and the slack · {'ended'}: a logout exists that is not older ·
 * {'late'}. `crowded` sets `swept`, so that only one of many simultaneous sign-ins sweeps.
 */
export const REGISTER: RedisScript = defineScript(
  'provider-session.register',
  `${PROLOGUE}
local members = KEYS[1]
local session_id, issued_at, life, slack = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local ended = tonumber(redis.call('ZSCORE', members, 'ended') or '-1')
if ended >= tonumber(issued_at) then return {'ended'} end
for _, over in ipairs(redis.call('ZRANGEBYSCORE', members, ${FIRST_MS}, now, 'LIMIT', 0, ${REMOVED_AT_ONCE})) do
  redis.call('ZREM', members, over, '${ISSUED_AT}' .. over)
end
redis.call('ZADD', members, now + tonumber(life), session_id)
-- A time that is no time in seconds would pass for a session id.
if tonumber(issued_at) < ${FIRST_MS} then redis.call('ZADD', members, issued_at, '${ISSUED_AT}' .. session_id) end
if redis.call('PTTL', members) < tonumber(life) then redis.call('PEXPIRE', members, life) end
local count = redis.call('ZCOUNT', members, ${FIRST_MS}, '+inf')
local swept = tonumber(redis.call('ZSCORE', members, 'swept') or '0')
local crowded = count > 2 * swept + slack
if crowded or count < swept then redis.call('ZADD', members, count, 'swept') end
if crowded then return {'crowded'} end
return {'registered'}
`,
)

/** KEYS 1 provider session · Reply {session ids…}, ended ones too */
export const LIST: RedisScript = defineScript(
  'provider-session.list',
  `${PROLOGUE}
local members = KEYS[1]
return redis.call('ZRANGEBYSCORE', members, ${FIRST_MS}, '+inf')
`,
)

/**
 * KEYS 1 provider session · Reply {sessions left}. Runs after a sweep; writes nothing for an unknown provider session. Also removes the
 * times of issue whose session id was removed by a build before `iat:`.
 */
export const SWEPT: RedisScript = defineScript(
  'provider-session.swept',
  `${PROLOGUE}
local members = KEYS[1]
if redis.call('EXISTS', members) == 0 then return {0} end
for _, member in ipairs(redis.call('ZRANGEBYSCORE', members, '-inf', '(${FIRST_MS}')) do
  local id = string.match(member, '^${ISSUED_AT}(.*)$')
  if id and not redis.call('ZSCORE', members, id) then redis.call('ZREM', members, member) end
end
local count = redis.call('ZCOUNT', members, ${FIRST_MS}, '+inf')
redis.call('ZADD', members, count, 'swept')
return {count}
`,
)

/**
 * KEYS 1 provider session · ARGV 3 time of the logout, epoch seconds · 4 life of the mark in ms, or '': no mark for an unknown provider
 * session
 * 5 maximum clock difference, seconds
 * Reply {session ids…}. They stay listed until they have been ended, so that a repetition finds them. With a mark, the reply omits sessions
 * whose ID token is younger than the last logout by more than that difference.
 */
export const END_PROVIDER_SESSION: RedisScript = defineScript(
  'provider-session.end',
  `${PROLOGUE}
local members = KEYS[1]
local logout_at, mark_life, max_skew = tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])
if mark_life == '' and redis.call('EXISTS', members) == 0 then return {} end
local ended = math.max(tonumber(redis.call('ZSCORE', members, 'ended') or '-1'), logout_at)
redis.call('ZADD', members, ended, 'ended')
local life = tonumber(mark_life) or 0
if redis.call('PTTL', members) < life then redis.call('PEXPIRE', members, life) end
local ids = redis.call('ZRANGEBYSCORE', members, now, '+inf')
if mark_life == '' then return ids end
local younger = {}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', members, string.format('(%.17g', ended + max_skew), '(${FIRST_MS}')) do
  younger[member] = true
end
local found = {}
for _, id in ipairs(ids) do
  if not younger['${ISSUED_AT}' .. id] then found[#found + 1] = id end
end
return found
`,
)

/**
 * A script, although `SET` could do it. If Redis executed the command after its deadline, it would refuse the repetition of a logout that
 * was reported as failed.
 * KEYS 1 logout token · ARGV 3 life in ms · Replies {1} · {'late'}
 */
export const MARK_USED: RedisScript = defineScript(
  'provider-session.mark-used',
  `${PROLOGUE}
local logout_token = KEYS[1]
local life = ARGV[3]
redis.call('SET', logout_token, '1', 'PX', life)
return {1}
`,
)
