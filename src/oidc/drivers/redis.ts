/**
 * Sign-in transactions on Redis: `SET … PX` and `GETDEL` of one key, `RedisKeys.signIn`. `GETDEL` reads and removes in one
 * step, so of any number of callbacks with one state exactly one goes on. When its reply is lost the transaction is gone:
 * the visitor starts the sign-in again, which is the safe side.
 */
import type { RedisClientPort } from '../../redis/client-port.ts'
import type { RedisKeys } from '../../redis/keys.ts'
import type { TransactionDriver } from '../transaction-driver.ts'

/** A sign-in is allowed more patience than a read in a request: the visitor is about to leave for the provider anyway. */
const DEADLINE_MS = 1000

export interface RedisTransactionDriverOptions {
  /** Default 1,000. */
  readonly deadlineMs?: number
}

export function createRedisTransactionDriver(
  client: RedisClientPort,
  keys: RedisKeys,
  { deadlineMs = DEADLINE_MS }: RedisTransactionDriverOptions = {},
): TransactionDriver {
  return {
    async put(stateHash, record, ttlMs) {
      const key = keys.signIn(stateHash)
      await client.command(key, ['SET', key, record, 'PX', String(Math.ceil(ttlMs))], { deadlineMs })
    },

    async take(stateHash) {
      const key = keys.signIn(stateHash)
      return (await client.command(key, ['GETDEL', key], { deadlineMs })) as Buffer | null
    },
  }
}
