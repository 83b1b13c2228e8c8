/**
 * Sign-ins that are under way, on Redis: one key each, `RedisKeys.signIn`; the steps are in redis/scripts/sign-in.ts. Taking
 * reads and removes in one step, so of any number of callbacks with one state exactly one goes on. When its reply is lost the
 * sign-in is gone: the visitor starts it again, which is the safe side.
 */
import type { RedisClientPort } from '../../redis/client-port.ts'
import type { RedisKeys } from '../../redis/keys.ts'
import { createScriptRunner } from '../../redis/script-runner.ts'
import { PUT_SIGN_IN, TAKE_SIGN_IN } from '../../redis/scripts/sign-in.ts'
import type { TransactionDriver } from '../transaction-driver.ts'

export function createRedisTransactionDriver(
  client: RedisClientPort,
  keys: RedisKeys,
  { timeOffsetMs = () => 0 }: { readonly timeOffsetMs?: () => number } = {},
): TransactionDriver {
  const run = createScriptRunner(client, timeOffsetMs)
  return {
    async put(stateHash, record, ttlMs) {
      await run.inTime(PUT_SIGN_IN, [keys.signIn(stateHash)], [record, String(Math.ceil(ttlMs))])
    },

    async take(stateHash) {
      const [, record] = await run.inTime(TAKE_SIGN_IN, [keys.signIn(stateHash)], [])
      return (record as Buffer | null | undefined) ?? null
    },
  }
}
