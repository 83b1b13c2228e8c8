/**
 * Checks the shape of replies. A reply with an unexpected shape belongs to another command, because a proxy or a pool lost count. It then
 * fails like any other error. A misplaced reply with the right shape does not open, because records are sealed for their key.
 */
import type { RedisReply } from './client-port.ts'
import { misalignedReplies } from './reply-alignment.ts'

/**
 * @param length required length, if known
 * @throws {RedisError} `COATCHECK_REDIS_MISALIGNED_REPLIES`
 */
export function listReply(reply: RedisReply, length?: number): readonly RedisReply[] {
  if (Array.isArray(reply) && (length === undefined || reply.length === length)) return reply as readonly RedisReply[]
  throw misalignedReplies()
}

/**
 * Accepts a list of strings, some of which may be missing.
 * @throws {RedisError} `COATCHECK_REDIS_MISALIGNED_REPLIES`
 */
export function stringsReply(reply: RedisReply, length?: number): readonly (Buffer | null)[] {
  const list = listReply(reply, length)
  for (const item of list) if (item !== null && !Buffer.isBuffer(item)) throw misalignedReplies()
  return list as readonly (Buffer | null)[]
}
