/**
 * The Lua scripts of sign-ins that are under way. Scripts although `SET … PX` and `GETDEL` could do it: a command that arrives
 * after its deadline would use up a sign-in whose callback was answered with an outage, and is tried again by the browser.
 * ARGV[1] `notAfter` and ARGV[2]: see prologue.ts.
 */
import { defineScript, type RedisScript } from '../script.ts'
import { PROLOGUE } from './prologue.ts'

/** KEYS 1 sign-in · ARGV 3 record · 4 life in ms · Replies {'kept'} · {'late'} */
export const PUT_SIGN_IN: RedisScript = defineScript(
  'sign-in.put',
  `${PROLOGUE}
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return {'kept'}
`,
)

/** KEYS 1 sign-in · Replies {'taken', record} · {'none', nil} · {'late'} */
export const TAKE_SIGN_IN: RedisScript = defineScript(
  'sign-in.take',
  `${PROLOGUE}
local record = redis.call('GET', KEYS[1])
if not record then return {'none', false} end
redis.call('DEL', KEYS[1])
return {'taken', record}
`,
)
