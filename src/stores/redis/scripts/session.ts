/**
 * Lua scripts of sessions. One user's keys lie in one slot, and every key that a script touches is declared in KEYS.
 * Why scripts: each compares and acts in one atomic step, which a sequence of commands cannot do.
 *
 * Common to all
 * - ARGV[1] `notAfter` and ARGV[2], see prologue.ts: a write whose deadline was reported as missed is never executed afterwards. `notAfter`
 *   is 0 for scripts that end sessions.
 * - Order of writes: scripts that create or replace begin with the write that a full server may refuse, so that a refusal changes nothing.
 *   Scripts that end sessions begin with deletions, so that they work on a full server (once a script has written, Redis lets it finish).
 * - A user's generation and index: `session-index.ts`.
 * - Record bytes (Lua counts from 1): 1..8 generation, 14..25 nonce. See session/session-driver.ts.
 */
import { defineScript, type RedisScript } from '../../../redis/script.ts'
import { OUTBOX } from './outbox.ts'
import { PROLOGUE } from './prologue.ts'
import { SESSION_INDEX } from './session-index.ts'

/**
 * KEYS 1 record · 2 ended marker
 * ARGV 3 record · 4 life of the record in ms
 * Replies {'created'} · {'ended'} · {'late'}
 */
export const CREATE_ANONYMOUS: RedisScript = defineScript(
  'session.create-anonymous',
  `${PROLOGUE}
local nonce = redis.call('GETRANGE', KEYS[1], 13, 24)
if nonce == string.sub(ARGV[3], 14, 25) then return {'created'} end
if nonce ~= '' or redis.call('EXISTS', KEYS[2]) == 1 then return {'ended'} end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return {'created'}
`,
)

/**
 * KEYS 1 record · 2 generation · 3 index · 4 ended marker · then, for each candidate of the limit: record, ended marker
 * ARGV 3 record · 4 ttl ms · 5 slack ms · 6 absolute ms · 7 generation if there is none · 8 id · 9 limit (0: none) · 10 'refuse' or
 * 'end-oldest' · 11 life of ended markers ms · then the candidates' ids
 * Replies {'created', ended ids…} · {'ended'} · {'refused'} · {'late'} · {'retry', live ids, oldest first…}: the limit must end a session
 * whose keys were not passed; call again with these candidates
 */
export const CREATE_USER: RedisScript = defineScript(
  'session.create-user',
  `${PROLOGUE}${SESSION_INDEX}
local nonce = redis.call('GETRANGE', KEYS[1], 13, 24)
if nonce == string.sub(ARGV[3], 14, 25) then return {'created'} end
if nonce ~= '' or redis.call('EXISTS', KEYS[4]) == 1 then return {'ended'} end
local user = user_of(KEYS[2], KEYS[3])
local limit = tonumber(ARGV[9])
local reply = {'created'}
local victims = {}
if limit > 0 and user then
  local over = live_count(user, now) + 1 - limit
  if over > 0 then
    if ARGV[10] == 'refuse' then return {'refused'} end
    local at = {}
    for i = 12, #ARGV do at[ARGV[i]] = 5 + (i - 12) * 2 end
    for _, id in ipairs(live(user, now, over)) do
      if not at[id] then
        reply = live(user, now, over + 20)
        table.insert(reply, 1, 'retry')
        return reply
      end
      victims[#victims + 1] = {id, at[id]}
    end
  end
end
local generation = user and user.generation or ARGV[7]
redis.call('SET', KEYS[1], generation .. string.sub(ARGV[3], 9), 'PX', ARGV[4] + ARGV[5])
if not user then
  user = new_user(KEYS[2], KEYS[3], generation)
  redis.call('UNLINK', KEYS[3])
end
for _, victim in ipairs(victims) do
  redis.call('DEL', KEYS[victim[2]])
  leave(user, victim[1])
  redis.call('SET', KEYS[victim[2] + 1], 'limit', 'PX', ARGV[11])
  reply[#reply + 1] = victim[1]
end
forget(user, now - ARGV[6])
enter(user, ARGV[8], now + ARGV[4])
store(user, ARGV[6] + ARGV[5])
return reply
`,
)

/**
 * KEYS 1 record · 2 generation · 3 index (an anonymous session passes only the first)
 * ARGV 3 expected nonce · 4 record · 5 ttl ms · 6 slack ms · 7 absolute ms · 8 id
 * Replies {'done'} · {'conflict', current record} · {'gone'} · {'late'}
 */
export const REPLACE: RedisScript = defineScript(
  'session.replace',
  `${PROLOGUE}${SESSION_INDEX}
local current = redis.call('GET', KEYS[1])
if not current then return {'gone'} end
local nonce = string.sub(current, 14, 25)
if nonce == string.sub(ARGV[4], 14, 25) then return {'done'} end
local record = ARGV[4]
local user
if #KEYS > 1 then
  user = user_of(KEYS[2], KEYS[3])
  if not user or user.generation ~= string.sub(current, 1, 8) then return {'gone'} end
  record = user.generation .. string.sub(record, 9)
end
if nonce ~= ARGV[3] then return {'conflict', current} end
redis.call('SET', KEYS[1], record, 'PX', ARGV[5] + ARGV[6])
if user then
  enter(user, ARGV[8], now + ARGV[5])
  store(user, ARGV[7] + ARGV[6])
end
return {'done'}
`,
)

/**
 * KEYS 1 record · 2 generation · 3 index · 4 ended marker · 5 tokens · 6 outbox of grants
 * ARGV 3 id · 4 reason · 5 life of the marker ms · 6 expected nonce or '' · 7 '1': the caller has seen the session; 'tokens': the caller
 * may also have stored tokens after it ended; else '' · 8 life of the outbox ms · then the providers whose grants go there
 * Replies {'done', ended 0 or 1, last of user 0 or 1, known 0 or 1} · {'conflict', current record}. Not known: nothing was written.
 */
export const END: RedisScript = defineScript(
  'session.end',
  `${PROLOGUE}${OUTBOX}${SESSION_INDEX}
local current = redis.call('GET', KEYS[1])
if current and ARGV[6] ~= '' and string.sub(current, 14, 25) ~= ARGV[6] then return {'conflict', current} end
local user = user_of(KEYS[2], KEYS[3])
local ended = (current and (not user or user.generation == string.sub(current, 1, 8))) and 1 or 0
local removed = redis.call('DEL', KEYS[1]) == 1
if user and leave(user, ARGV[3]) then
  removed = true
  store(user, 0)
end
local last = 0
if (removed or ARGV[7] == 'tokens') and (not user or live_count(user, now) == 0) then
  last = 1
  local grants = grants_of(KEYS[5], 9, #ARGV)
  redis.call('UNLINK', KEYS[5])
  post(KEYS[6], ARGV[8], grants)
end
if not removed and ARGV[7] == '' and redis.call('EXISTS', KEYS[4]) == 0 then return {'done', 0, 0, 0} end
redis.call('SET', KEYS[4], ARGV[4], 'PX', ARGV[5])
return {'done', ended, last, 1}
`,
)

/**
 * KEYS 1 generation · 2 index · 3 tokens · 4 outbox of grants · 5 record of the session that stays (optional)
 * ARGV 3 new generation · 4 id of the session that stays, or '' · 5 life of the outbox ms · then the providers whose grants go there
 * Reply {number of live sessions that ended, user 0 or 1, their ids…}. Their records are dead from here on, because their generation is
 * gone. User 0: Redis has no generation of the user, and the script has written none.
 * A repetition after a completed run changes nothing, and replies {0, 1}. The stored generation shows the first run, because no other step
 * generates the same one.
 * The script writes the new generation before any command that fails on a key of a wrong type, because an error undoes no write of a
 * script.
 */
export const END_BY_USER: RedisScript = defineScript(
  'session.end-by-user',
  `${PROLOGUE}${OUTBOX}${SESSION_INDEX}
local user = user_of(KEYS[1], KEYS[2])
if user and user.generation == ARGV[3] then
  -- WAIT speaks of writes of its own connection, so a repetition that asks for replicas writes again what is there. A full
  -- server takes the life, and the generation only if the key has no life.
  local life = redis.call('PTTL', KEYS[1])
  if life > 0 then redis.call('PEXPIRE', KEYS[1], life) else redis.call('SETRANGE', KEYS[1], 0, ARGV[3]) end
  return {0, 1}
end
local stays = nil
if user and KEYS[5] and redis.pcall('GETRANGE', KEYS[5], 0, 7) == user.generation then
  stays = deadline(user, ARGV[4]) or now + redis.call('PTTL', KEYS[5])
end
local ids = user and live(user, now, -1) or {}
redis.call('UNLINK', KEYS[2])
if user then
  local after = new_user(KEYS[1], KEYS[2], ARGV[3])
  if stays then enter(after, ARGV[4], stays) end
  store(after, 0)
  if stays then redis.call('SETRANGE', KEYS[5], 0, ARGV[3]) end
end
if not stays then
  local grants = grants_of(KEYS[3], 6, #ARGV)
  redis.call('UNLINK', KEYS[3])
  post(KEYS[4], ARGV[5], grants)
end
local reply = {0, user and 1 or 0}
for _, id in ipairs(ids) do
  if not (stays and id == ARGV[4]) then reply[#reply + 1] = id end
end
reply[1] = #reply - 2
return reply
`,
)

/**
 * Cleans up after END_BY_USER, in chunks.
 * KEYS pairs of record, ended marker · ARGV 3 reason · 4 life of the markers ms · Reply {number of records}
 */
export const CLEAR_ENDED: RedisScript = defineScript(
  'session.clear-ended',
  `${PROLOGUE}
local removed = 0
for i = 1, #KEYS, 2 do
  removed = removed + redis.call('UNLINK', KEYS[i])
  redis.call('SET', KEYS[i + 1], ARGV[3], 'PX', ARGV[4])
end
return {removed}
`,
)

/**
 * KEYS 1 ended marker · 2 generation · 3 index · ARGV 3 id
 * Reply {reason or '', generation 0 or 1, 'live' or 'expired' or 'missing' or 'gone'}
 */
export const EXPLAIN: RedisScript = defineScript(
  'session.explain',
  `${PROLOGUE}${SESSION_INDEX}
local user = user_of(KEYS[2], KEYS[3])
local index = 'missing'
if user then
  local ends = deadline(user, ARGV[3])
  if ends then
    index = ends > now and 'live' or 'expired'
  elseif not user.entries and redis.call('EXISTS', KEYS[3]) == 0 then
    index = 'gone'
  end
end
return {redis.call('GET', KEYS[1]) or '', user and 1 or 0, index}
`,
)
