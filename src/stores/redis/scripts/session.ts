/**
 * Lua scripts of sessions. One user's keys lie in one slot, and every key that a script touches is declared in KEYS.
 * Why scripts: each compares and acts in one atomic step, which a sequence of commands cannot do.
 *
 * Common to all
 * - ARGV 1 and 2, see prologue.ts: a write whose deadline was reported as missed is never executed afterwards. `not_after` is 0 for scripts
 *   that end sessions.
 * - Order of writes: scripts that create or replace begin with the write that a full server may refuse, so that a refusal changes nothing.
 *   Scripts that end sessions begin with deletions, so that they work on a full server (once a script has written, Redis lets it finish).
 * - A user's generation and index: `session-index.ts`.
 * - A record's head is the generation. See record-parts.ts.
 */
import { GENERATION_BYTES } from '../../../keyring/record-layout.ts'
import { defineScript, type RedisScript } from '../../../redis/script.ts'
import { OUTBOX } from './outbox.ts'
import { PROLOGUE } from './prologue.ts'
import { recordParts } from './record-parts.ts'
import { SESSION_INDEX } from './session-index.ts'

const RECORD_PARTS = recordParts(GENERATION_BYTES)

/**
 * KEYS 1 record · 2 ended marker
 * ARGV 3 record · 4 life of the record in ms
 * Replies {'created'} · {'ended'} · {'late'}
 */
export const CREATE_ANONYMOUS: RedisScript = defineScript(
  'session.create-anonymous',
  `${PROLOGUE}${RECORD_PARTS}
local record_key, marker_key = KEYS[1], KEYS[2]
local record, life = ARGV[3], ARGV[4]
local nonce = stored_nonce(record_key)
if nonce == nonce_of(record) then return {'created'} end
if nonce ~= '' or redis.call('EXISTS', marker_key) == 1 then return {'ended'} end
redis.call('SET', record_key, record, 'PX', life)
return {'created'}
`,
)

/**
 * KEYS 1 record · 2 generation · 3 index · 4 ended marker · then, for each candidate of the limit: record, ended marker
 * ARGV 3 record · 4 ttl ms · 5 slack ms · 6 absolute ms · 7 generation if there is none · 8 id · 9 limit (0: none) · 10 'refuse' or
 * 'end-oldest' · 11 life of ended markers ms · then the candidates' ids
 * Replies {'created', ended ids…} · {'ended'} · {'refused'} · {'late'} · {'retry', live ids, earliest deadline first…}: the limit must end a session
 * whose keys were not passed; call again with these candidates
 */
export const CREATE_USER: RedisScript = defineScript(
  'session.create-user',
  `${PROLOGUE}${RECORD_PARTS}${SESSION_INDEX}
local record_key, generation_key, index_key, marker_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local record, ttl, slack, absolute, new_generation, id = ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local limit, limit_policy, marker_life = tonumber(ARGV[9]), ARGV[10], ARGV[11]
local first_candidate, first_candidate_key = 12, 5
local nonce = stored_nonce(record_key)
if nonce == nonce_of(record) then return {'created'} end
if nonce ~= '' or redis.call('EXISTS', marker_key) == 1 then return {'ended'} end
local user = user_of(generation_key, index_key)
local reply = {'created'}
local victims = {}
if limit > 0 and user then
  local over = live_count(user, now) + 1 - limit
  if over > 0 then
    if limit_policy == 'refuse' then return {'refused'} end
    local at = {}
    for i = first_candidate, #ARGV do at[ARGV[i]] = first_candidate_key + (i - first_candidate) * 2 end
    for _, candidate in ipairs(live(user, now, over)) do
      if not at[candidate] then
        reply = live(user, now, over + 20)
        table.insert(reply, 1, 'retry')
        return reply
      end
      victims[#victims + 1] = {candidate, at[candidate]}
    end
  end
end
local generation = user and user.generation or new_generation
redis.call('SET', record_key, with_head(generation, record), 'PX', ttl + slack)
if not user then
  user = new_user(generation_key, index_key, generation)
  redis.call('UNLINK', index_key)
end
for _, victim in ipairs(victims) do
  local victim_id, victim_key, victim_marker = victim[1], KEYS[victim[2]], KEYS[victim[2] + 1]
  redis.call('DEL', victim_key)
  leave(user, victim_id)
  redis.call('SET', victim_marker, 'limit', 'PX', marker_life)
  reply[#reply + 1] = victim_id
end
forget(user, now - absolute)
enter(user, id, now + ttl)
store(user, absolute + slack)
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
  `${PROLOGUE}${RECORD_PARTS}${SESSION_INDEX}
local record_key, generation_key, index_key = KEYS[1], KEYS[2], KEYS[3]
local expected_nonce, record, ttl, slack, absolute, id = ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local current = redis.call('GET', record_key)
if not current then return {'gone'} end
local nonce = nonce_of(current)
if nonce == nonce_of(record) then return {'done'} end
local user
if #KEYS > 1 then
  user = user_of(generation_key, index_key)
  if not user or user.generation ~= head_of(current) then return {'gone'} end
  record = with_head(user.generation, record)
end
if nonce ~= expected_nonce then return {'conflict', current} end
redis.call('SET', record_key, record, 'PX', ttl + slack)
if user then
  enter(user, id, now + ttl)
  store(user, absolute + slack)
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
  `${PROLOGUE}${RECORD_PARTS}${OUTBOX}${SESSION_INDEX}
local record_key, generation_key, index_key, marker_key, tokens, outbox = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local id, reason, marker_life, expected_nonce, seen, outbox_life = ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local first_provider = 9
local current = redis.call('GET', record_key)
if current and expected_nonce ~= '' and nonce_of(current) ~= expected_nonce then return {'conflict', current} end
local user = user_of(generation_key, index_key)
local ended = (current and (not user or user.generation == head_of(current))) and 1 or 0
local removed = redis.call('DEL', record_key) == 1
if user and leave(user, id) then
  removed = true
  store(user, 0)
end
local last = 0
if (removed or seen == 'tokens') and (not user or live_count(user, now) == 0) then
  last = 1
  local grants = grants_of(tokens, first_provider, #ARGV)
  redis.call('UNLINK', tokens)
  post(outbox, outbox_life, grants)
end
if not removed and seen == '' and redis.call('EXISTS', marker_key) == 0 then return {'done', 0, 0, 0} end
redis.call('SET', marker_key, reason, 'PX', marker_life)
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
local generation_key, index_key, tokens, outbox, kept_record_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local new_generation, kept_id, outbox_life = ARGV[3], ARGV[4], ARGV[5]
local first_provider = 6
local user = user_of(generation_key, index_key)
if user and user.generation == new_generation then
  -- WAIT speaks of writes of its own connection, so a repetition that asks for replicas writes again what is there. A full
  -- server takes the life, and the generation only if the key has no life.
  local life = redis.call('PTTL', generation_key)
  if life > 0 then redis.call('PEXPIRE', generation_key, life) else redis.call('SETRANGE', generation_key, 0, new_generation) end
  return {0, 1}
end
local stays = nil
if user and kept_record_key and redis.pcall('GETRANGE', kept_record_key, 0, ${GENERATION_BYTES - 1}) == user.generation then
  stays = deadline(user, kept_id) or now + redis.call('PTTL', kept_record_key)
end
local ids = user and live(user, now, -1) or {}
redis.call('UNLINK', index_key)
if user then
  local after = new_user(generation_key, index_key, new_generation)
  if stays then enter(after, kept_id, stays) end
  store(after, 0)
  if stays then redis.call('SETRANGE', kept_record_key, 0, new_generation) end
end
if not stays then
  local grants = grants_of(tokens, first_provider, #ARGV)
  redis.call('UNLINK', tokens)
  post(outbox, outbox_life, grants)
end
local reply = {0, user and 1 or 0}
for _, id in ipairs(ids) do
  if not (stays and id == kept_id) then reply[#reply + 1] = id end
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
local reason, marker_life = ARGV[3], ARGV[4]
local removed = 0
for i = 1, #KEYS, 2 do
  local record_key, marker_key = KEYS[i], KEYS[i + 1]
  removed = removed + redis.call('UNLINK', record_key)
  redis.call('SET', marker_key, reason, 'PX', marker_life)
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
local marker_key, generation_key, index_key = KEYS[1], KEYS[2], KEYS[3]
local id = ARGV[3]
local user = user_of(generation_key, index_key)
local index = 'missing'
if user then
  local ends = deadline(user, id)
  if ends then
    index = ends > now and 'live' or 'expired'
  elseif not user.entries and redis.call('EXISTS', index_key) == 0 then
    index = 'gone'
  end
end
return {redis.call('GET', marker_key) or '', user and 1 or 0, index}
`,
)
