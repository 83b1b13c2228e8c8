/** A Lua script and its SHA-1, computed once. The heading of each script describes KEYS, ARGV and the reply. */
import { createHash } from 'node:crypto'

export interface RedisScript {
  readonly name: string
  readonly lua: string
  readonly sha1: string
}

export function defineScript(name: string, lua: string): RedisScript {
  return { name, lua, sha1: createHash('sha1').update(lua).digest('hex') }
}

const LATE = Buffer.from('late')

/** True for the reply of a script that arrived after its deadline: see `stores/redis/scripts/prologue.ts`. */
export function isLateReply(reply: unknown): boolean {
  if (!Array.isArray(reply) || reply.length !== 1) return false
  const [word] = reply as unknown[]
  return Buffer.isBuffer(word) && word.equals(LATE)
}
