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
local ended = tonumber(redis.call('ZSCORE', KEYS[1], 'ended') or '-1')
if ended >= tonumber(ARGV[4]) then return {'ended'} end
for _, over in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], ${FIRST_MS}, now, 'LIMIT', 0, ${REMOVED_AT_ONCE})) do
  redis.call('ZREM', KEYS[1], over, '${ISSUED_AT}' .. over)
end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[5]), ARGV[3])
-- A time that is no time in seconds would pass for a session id.
if tonumber(ARGV[4]) < ${FIRST_MS} then redis.call('ZADD', KEYS[1], ARGV[4], '${ISSUED_AT}' .. ARGV[3]) end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[5]) then redis.call('PEXPIRE', KEYS[1], ARGV[5]) end
local count = redis.call('ZCOUNT', KEYS[1], ${FIRST_MS}, '+inf')
local swept = tonumber(redis.call('ZSCORE', KEYS[1], 'swept') or '0')
local crowded = count > 2 * swept + tonumber(ARGV[6])
if crowded or count < swept then redis.call('ZADD', KEYS[1], count, 'swept') end
if crowded then return {'crowded'} end
return {'registered'}
`,
)

/** KEYS 1 provider session · Reply {session ids…}, ended ones too */
export const LIST: RedisScript = defineScript(
  'provider-session.list',
  `${PROLOGUE}
return redis.call('ZRANGEBYSCORE', KEYS[1], ${FIRST_MS}, '+inf')
`,
)

/**
 * KEYS 1 provider session · Reply {sessions left}. Runs after a sweep; writes nothing for an unknown provider session. Also removes the
 * times of issue whose session id was removed by a build before `iat:`.
 */
export const SWEPT: RedisScript = defineScript(
  'provider-session.swept',
  `${PROLOGUE}
if redis.call('EXISTS', KEYS[1]) == 0 then return {0} end
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(${FIRST_MS}')) do
  local id = string.match(member, '^${ISSUED_AT}(.*)$')
  if id and not redis.call('ZSCORE', KEYS[1], id) then redis.call('ZREM', KEYS[1], member) end
end
local count = redis.call('ZCOUNT', KEYS[1], ${FIRST_MS}, '+inf')
redis.call('ZADD', KEYS[1], count, 'swept')
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
if ARGV[4] == '' and redis.call('EXISTS', KEYS[1]) == 0 then return {} end
local ended = math.max(tonumber(redis.call('ZSCORE', KEYS[1], 'ended') or '-1'), tonumber(ARGV[3]))
redis.call('ZADD', KEYS[1], ended, 'ended')
local life = tonumber(ARGV[4]) or 0
if redis.call('PTTL', KEYS[1]) < life then redis.call('PEXPIRE', KEYS[1], life) end
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], now, '+inf')
if ARGV[4] == '' then return ids end
local younger = {}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], string.format('(%.17g', ended + tonumber(ARGV[5])), '(${FIRST_MS}')) do
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
redis.call('SET', KEYS[1], '1', 'PX', ARGV[3])
return {1}
`,
)
