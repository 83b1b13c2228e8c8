/** Used sign-in transactions on Redis: one key each, `RedisKeys.signIn`. The script is in scripts/sign-in.ts. */
import { checkedTtlMs } from '../../core/time-to-live.ts'
import type { RedisClientPort } from '../../redis/client-port.ts'
import type { RedisKeys } from '../keys.ts'
import { createScriptRunner } from '../../redis/script-runner.ts'
import { CLAIM_SIGN_IN } from './scripts/sign-in.ts'
import type { TransactionDriver } from '../../oidc/transaction-driver.ts'

export function createRedisTransactionDriver(
  client: RedisClientPort,
  keys: RedisKeys,
  { timeOffsetMs = () => 0 }: { readonly timeOffsetMs?: () => number } = {},
): TransactionDriver {
  const run = createScriptRunner(client, timeOffsetMs)
  return {
    async claim(transactionId, sealedBy, ttlMs) {
      const args = [sealedBy, String(checkedTtlMs(ttlMs))]
      const [isFirst] = await run.inTime(CLAIM_SIGN_IN, [keys.signIn(transactionId)], args)
      return isFirst === 1
    },
  }
}
