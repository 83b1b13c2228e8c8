/**
 * Verifies that replies still belong to their commands. The Redis protocol numbers neither. If a proxy or a pool drops or repeats one
 * reply, each later command on that connection receives the reply of another command. Sealed records protect themselves: a record opens
 * only under its own key. A null reply cannot be authenticated. Before a driver trusts one, it sends `PING <nonce>` and checks the echo.
 */
import { randomBytes } from 'node:crypto'
import { RedisError } from '../core/errors.ts'
import type { RedisArgument, RedisClientPort, RedisReply } from './client-port.ts'

/** Each further attempt means that the connection was replaced during the command. */
const ATTEMPTS = 3

const processTag = randomBytes(9).toString('base64url')
let sentPings = 0

/**
 * Sends `PING` with a unique text. Rejects as the command does.
 * @returns whether the reply is that text
 */
export async function isAligned(send: (args: readonly RedisArgument[]) => Promise<unknown>): Promise<boolean> {
  const nonce = `${processTag}.${++sentPings}`
  const reply = await send(['PING', nonce])
  return Buffer.isBuffer(reply) && reply.toString('latin1') === nonce
}

export function misalignedReplies(): RedisError {
  return new RedisError('COATCHECK_REDIS_MISALIGNED_REPLIES')
}

/**
 * Returns an answer only if its replies were aligned: the `PING` after it is answered correctly, and the connection's epoch is unchanged.
 * Otherwise asks again. A surplus reply also changes the epoch: replies before it may have been misaligned, and replies after it are not.
 * @param ask safe to run twice
 * @param isUnconfirmed returns true for an answer that must be verified. Default: every answer is verified
 * @param attempts 1: `ask` is not safe to run twice
 * @throws {RedisError} `COATCHECK_REDIS_MISALIGNED_REPLIES`, and what `ask` throws
 */
export async function askAligned<T>(
  client: Pick<RedisClientPort, 'verifyAlignment' | 'epochOf'>,
  key: string,
  ask: () => Promise<T>,
  isUnconfirmed: (answer: T) => boolean = () => true,
  attempts: number = ATTEMPTS,
): Promise<T> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const epoch = client.epochOf(key)
    const answer = await ask()
    if (!isUnconfirmed(answer)) return answer
    await client.verifyAlignment(key)
    if (client.epochOf(key) === epoch) return answer
  }
  throw misalignedReplies()
}

/**
 * Reads, and never trusts a single reply that says that nothing is there: it verifies the connection and reads again, in one round trip.
 * The second reply counts. This also covers two replies that were swapped: the connection is aligned after them, and still the first reply
 * was wrong.
 * @param isMiss whether the caller would treat the value as a missing record
 * @param forget called before the second read
 * @throws {RedisError} `COATCHECK_REDIS_MISALIGNED_REPLIES`, and what `read` throws
 */
export async function readVerified<T>(
  client: Pick<RedisClientPort, 'verifyAlignment'>,
  key: string,
  read: () => Promise<T>,
  isMiss: (value: T) => boolean,
  forget?: () => void,
): Promise<T> {
  const value = await read()
  if (!isMiss(value)) return value
  forget?.()
  const [, again] = await Promise.all([client.verifyAlignment(key), read()])
  return again
}

/**
 * Sends a step, and sends it again while its reply cannot be true, each time after it verified the connection.
 * @param step safe to run several times, because it knows its own nonce
 * @returns the first reply that can be true, or the last of three
 * @throws {RedisError} `COATCHECK_REDIS_MISALIGNED_REPLIES`, and what `step` throws
 */
export async function stepVerified<T>(
  client: Pick<RedisClientPort, 'verifyAlignment'>,
  key: string,
  step: () => Promise<T>,
  isForeign: (reply: T) => boolean,
): Promise<T> {
  let reply = await step()
  for (let attempt = 1; attempt < ATTEMPTS && isForeign(reply); attempt++) {
    await client.verifyAlignment(key)
    reply = await step()
  }
  return reply
}

/**
 * Reads a reply. If `read` rejects its shape, the connection's alignment is verified in the background.
 * @throws what `read` throws
 */
export function readReply<T>(
  client: Pick<RedisClientPort, 'verifyAlignment'>,
  key: string,
  reply: RedisReply,
  read: (reply: RedisReply) => T,
): T {
  try {
    return read(reply)
  } catch (error) {
    // `verifyAlignment` replaces a misaligned connection. The caller gets the error of `read`.
    client.verifyAlignment(key).catch(() => undefined)
    throw error
  }
}
