/**
 * A user's generation and the index of their sessions, as the session scripts see them: one value, `user:{…}:gen`, and beyond
 * `MAX_ENTRIES` sessions a sorted set next to it. A separate key costs 170 to 230 bytes, and most users have one session
 * (docs/decisions/0015-index-in-the-generation.md).
 *
 * Value: 8 bytes generation, then
 * - entries, earliest deadline first: 22 characters id, 13 digits deadline (epoch ms); none when every session has been ended;
 * - or `+`: the entries are members of the set, by deadline. If the set is then missing, it has been lost.
 * The set only exists while the value says so, and is never empty. So a set that was read is the whole index.
 *
 * Another Redis client may have changed both keys. Every script still works, so that a revocation works. It reads the entries up to the
 * first damaged one, ignores a set of another type, and accepts a key without expiry. The next write repairs the value.
 */
import { GENERATION_BYTES } from '../../../keyring/record-layout.ts'

const ID_CHARACTERS = 22
const DEADLINE_DIGITS = 13
/** No id begins with `+`: ids are base64url. */
const IN_SET = '+'
/** Each read of a session transfers the value, so it stays small: at most 288 bytes. */
const MAX_ENTRIES = 8
/** If a user's set shrinks to this size, the next sign-in moves the entries back into the value. */
const FEW_ENTRIES = MAX_ENTRIES / 2

const ENTRY = ID_CHARACTERS + DEADLINE_DIGITS
const DEADLINE = new RegExp(`^[0-9]{${DEADLINE_DIGITS}}$`)

/**
 * @param index the value after the generation
 * @returns whether the entries are in the set
 */
export function isInSet(index: string): boolean {
  return index.startsWith(IN_SET)
}

/**
 * @param index the value after the generation, if the entries are not in the set
 * @returns ids of live sessions, latest deadline first
 */
export function liveIdsOf(index: string, nowMs: number): string[] {
  const ids: string[] = []
  for (let at = 0; at < index.length; at += ENTRY) {
    const deadlineAt = at + ID_CHARACTERS
    const deadline = index.slice(deadlineAt, at + ENTRY)
    if (!DEADLINE.test(deadline)) break
    if (Number(deadline) > nowMs) ids.unshift(index.slice(at, deadlineAt))
  }
  return ids
}

/**
 * `user_of(generation key, set)`: nil when there is no whole generation · `new_user` · `live(user, now, max)`: ids, earliest deadline
 * first, -1 for all · `live_count` · `deadline(user, id)` or nil · `leave`: whether it was there · `enter` · `forget(user, before)` ·
 * `store(user, life)`: call it last; keeps both keys alive for at least `life` ms; 0 leaves the expiry as it is. `enter`, `leave` and
 * `forget` write, so they come after the write that a full server may refuse.
 */
export const SESSION_INDEX = `
local function live_at_least(key, ms)
  if ms > 0 and redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, ms) end
end
local function new_user(key, set, generation)
  return {key = key, set = set, generation = generation, entries = {}}
end
local function user_of(key, set)
  local value = redis.call('GET', key)
  if not value or #value < ${GENERATION_BYTES} then return nil end
  local user = new_user(key, set, string.sub(value, 1, ${GENERATION_BYTES}))
  user.value = value
  if string.sub(value, ${GENERATION_BYTES + 1}, ${GENERATION_BYTES + 1}) == '${IN_SET}' then
    -- An error: the key is no sorted set.
    if type(redis.pcall('ZCOUNT', set, '-inf', '+inf')) == 'number' then user.entries = nil end
    return user
  end
  for at = ${GENERATION_BYTES + 1}, #value, ${ENTRY} do
    local ends = string.sub(value, at + ${ID_CHARACTERS}, at + ${ENTRY - 1})
    if #ends < ${DEADLINE_DIGITS} or string.find(ends, '%D') then break end
    table.insert(user.entries, {string.sub(value, at, at + ${ID_CHARACTERS - 1}), tonumber(ends)})
  end
  return user
end
local function live(user, now, max)
  if not user.entries then return redis.call('ZRANGEBYSCORE', user.set, '(' .. now, '+inf', 'LIMIT', 0, max) end
  local ids = {}
  for _, entry in ipairs(user.entries) do
    if entry[2] > now and #ids ~= max then ids[#ids + 1] = entry[1] end
  end
  return ids
end
local function live_count(user, now)
  if not user.entries then return redis.call('ZCOUNT', user.set, '(' .. now, '+inf') end
  return #live(user, now, -1)
end
local function deadline(user, id)
  if not user.entries then return tonumber(redis.call('ZSCORE', user.set, id) or nil) end
  for _, entry in ipairs(user.entries) do
    if entry[1] == id then return entry[2] end
  end
end
local function leave(user, id)
  if not user.entries then
    if redis.call('ZREM', user.set, id) == 0 then return false end
    if redis.call('EXISTS', user.set) == 0 then user.entries = {} end
    return true
  end
  for i, entry in ipairs(user.entries) do
    if entry[1] == id then
      table.remove(user.entries, i)
      return true
    end
  end
  return false
end
local function enter(user, id, ends)
  if user.entries then
    leave(user, id)
    local at = 1
    while user.entries[at] and user.entries[at][2] <= ends do at = at + 1 end
    table.insert(user.entries, at, {id, ends})
    if #user.entries <= ${MAX_ENTRIES} then return end
    redis.call('UNLINK', user.set)
    for _, entry in ipairs(user.entries) do redis.call('ZADD', user.set, entry[2], entry[1]) end
    user.entries = nil
  else
    redis.call('ZADD', user.set, ends, id)
  end
end
local function forget(user, before)
  if user.entries then
    while user.entries[1] and user.entries[1][2] <= before do table.remove(user.entries, 1) end
    return
  end
  redis.call('ZREMRANGEBYSCORE', user.set, '-inf', before)
  if redis.call('ZCOUNT', user.set, '-inf', '+inf') > ${FEW_ENTRIES} then return end
  local left = redis.call('ZRANGEBYSCORE', user.set, '-inf', '+inf', 'WITHSCORES')
  user.entries = {}
  for i = 1, #left, 2 do table.insert(user.entries, {left[i], tonumber(left[i + 1])}) end
  redis.call('UNLINK', user.set)
end
local function store(user, life)
  local kept = redis.call('PTTL', user.key)
  local parts = {user.generation}
  if user.entries then
    for _, entry in ipairs(user.entries) do parts[#parts + 1] = entry[1] .. string.format('%0${DEADLINE_DIGITS}.0f', entry[2]) end
  else
    parts[2] = '${IN_SET}'
    live_at_least(user.set, math.max(life, kept))
  end
  local value = table.concat(parts)
  if life > 0 and kept < life then
    redis.call('SET', user.key, value, 'PX', life)
  elseif value ~= user.value then
    redis.call('SET', user.key, value, 'KEEPTTL')
  end
end
`
