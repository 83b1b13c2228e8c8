/**
 * Read-only scripts for operators. They return what a decision needs, and no content. A script reads two keys at the same moment, and the
 * heads of values without the values.
 */
import { GENERATION_BYTES } from '../../../keyring/record-layout.ts'
import { defineScript, type RedisScript } from '../../../redis/script.ts'
import { PROLOGUE } from './prologue.ts'
import { SESSION_INDEX } from './session-index.ts'

/**
 * KEYS 1 record · 2 generation
 * Reply {first 8 bytes of the record, first 8 of the generation ('' without one), life of the record in ms}
 */
export const SESSION_STATUS: RedisScript = defineScript(
  'inspect.session-status',
  `${PROLOGUE}
local record_key, generation_key = KEYS[1], KEYS[2]
return {redis.call('GETRANGE', record_key, 0, ${GENERATION_BYTES - 1}), redis.call('GETRANGE', generation_key, 0, ${GENERATION_BYTES - 1}), redis.call('PTTL', record_key)}
`,
)

/**
 * KEYS 1 hash
 * ARGV 3 bytes of each value
 * Reply {field, first bytes of its value, field, …}
 */
export const FIELD_HEADS: RedisScript = defineScript(
  'inspect.field-heads',
  `${PROLOGUE}
local hash = KEYS[1]
local bytes = tonumber(ARGV[3])
local all = redis.call('HGETALL', hash)
for i = 2, #all, 2 do all[i] = string.sub(all[i], 1, bytes) end
return all
`,
)

/**
 * KEYS 1 generation · 2 index beyond a few sessions
 * Reply ids that the index lists as live, whether they have a record or not
 */
export const LIVE_IDS: RedisScript = defineScript(
  'inspect.live-ids',
  `${PROLOGUE}${SESSION_INDEX}
local generation_key, index_key = KEYS[1], KEYS[2]
local user = user_of(generation_key, index_key)
return user and live(user, now, -1) or {}
`,
)
