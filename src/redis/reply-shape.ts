/**
 * Replies as their commands give them. One of another shape belongs to another command: a proxy or a pool has lost count. It is an
 * error like any other then; what has the right shape and belongs to somebody else does not open, since it is sealed for its place.
 */
import type { RedisReply } from './client-port.ts'
import { misalignedReplies } from './reply-alignment.ts'

/**
 * @param length that it has to have, when that is known
 * @throws {RedisError} `COATCHECK_REDIS_MISALIGNED_REPLIES`
 */
export function listReply(reply: RedisReply, length?: number): readonly RedisReply[] {
  if (Array.isArray(reply) && (length === undefined || reply.length === length)) return reply as readonly RedisReply[]
  throw misalignedReplies()
}

/**
 * A list of strings, some of which may be missing.
 * @throws {RedisError} `COATCHECK_REDIS_MISALIGNED_REPLIES`
 */
export function stringsReply(reply: RedisReply, length?: number): readonly (Buffer | null)[] {
  const list = listReply(reply, length)
  for (const item of list) if (item !== null && !Buffer.isBuffer(item)) throw misalignedReplies()
  return list as readonly (Buffer | null)[]
}
