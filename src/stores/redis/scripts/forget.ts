/**
 * Deletes a remembered value. A script, although `DEL` could do it: a command that arrives after its deadline would delete a value that was
 * remembered again since.
 * KEYS 1 key · Replies {number of keys deleted} · {'late'}
 */
import { defineScript, type RedisScript } from '../../../redis/script.ts'
import { PROLOGUE } from './prologue.ts'

export const FORGET: RedisScript = defineScript(
  'forget',
  `${PROLOGUE}
local key = KEYS[1]
return {redis.call('DEL', key)}
`,
)
