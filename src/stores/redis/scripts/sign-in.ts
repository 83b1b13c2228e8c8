/**
 * Lua script of completed sign-ins. A script, although `SET … NX PX` could do it: a command that arrives after its deadline would use up a
 * sign-in whose callback failed with an outage, and which the browser may retry.
 * ARGV 1 and 2: see prologue.ts.
 */
import { defineScript, type RedisScript } from '../../../redis/script.ts'
import { PROLOGUE } from './prologue.ts'

/** KEYS 1 sign-in · ARGV 3 the key that sealed it · 4 life in ms · Replies {1} the first time · {0}: used before · {'late'} */
export const CLAIM_SIGN_IN: RedisScript = defineScript(
  'sign-in.claim',
  `${PROLOGUE}
local sign_in = KEYS[1]
local sealed_by, life = ARGV[3], ARGV[4]
if redis.call('SET', sign_in, sealed_by, 'NX', 'PX', life) then return {1} end
return {0}
`,
)
