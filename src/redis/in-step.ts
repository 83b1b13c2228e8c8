/**
 * Whether replies still belong to their commands. The protocol has no numbers: a connection on which a reply was left out or
 * sent twice (a broken proxy, a pool that gives a connection on too early) answers every question with the answer to another one
 * from then on. What is sealed for its place does not open elsewhere, so nobody gets what is somebody else's; but "there is
 * nothing" has no seal. So whoever is about to believe that asks for something that only this question can be answered with.
 */
import { randomBytes } from 'node:crypto'
import { RedisError } from '../core/errors.ts'
import type { RedisArgument, RedisClientPort, RedisReply } from './client-port.ts'

/** A connection that is replaced while somebody asks is rare enough once. */
const ATTEMPTS = 3

const process = randomBytes(9).toString('base64url')
let asked = 0

/** @returns whether the reply to a `PING` with words of its own is these words. Rejects as the command does. */
export async function isInStep(send: (args: readonly RedisArgument[]) => Promise<unknown>): Promise<boolean> {
  const words = `${process}.${++asked}`
  const reply = await send(['PING', words])
  return Buffer.isBuffer(reply) && reply.toString('latin1') === words
}

export function outOfStep(): RedisError {
  return new RedisError('COATCHECK_REDIS_OUT_OF_STEP')
}

/**
 * Returns an answer only if its replies were aligned: the `PING` behind it is answered correctly, and the connection's epoch is the
 * one from before. The epoch also changes when a surplus reply has arrived, which aligns the later replies again. Otherwise asks again.
 * @param ask safe to run twice
 * @param isDoubtful what needs no proof is passed on. Default: everything does
 * @throws {RedisError} `COATCHECK_REDIS_OUT_OF_STEP`, and what `ask` throws
 */
export async function certainly<T>(
  client: Pick<RedisClientPort, 'inStep' | 'epochOf'>,
  key: string,
  ask: () => Promise<T>,
  isDoubtful: (answer: T) => boolean = () => true,
): Promise<T> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const epoch = client.epochOf(key)
    const answer = await ask()
    if (!isDoubtful(answer)) return answer
    await client.inStep(key)
    if (client.epochOf(key) === epoch) return answer
  }
  throw outOfStep()
}

/**
 * What a reply says, by a function that throws for one of a foreign shape: then the connection is looked at, too.
 * @throws what `read` throws
 */
export function readReply<T>(
  client: Pick<RedisClientPort, 'inStep'>,
  key: string,
  reply: RedisReply,
  read: (reply: RedisReply) => T,
): T {
  try {
    return read(reply)
  } catch (error) {
    // Its own finding goes to the connection; the caller has heard enough.
    client.inStep(key).catch(() => undefined)
    throw error
  }
}
