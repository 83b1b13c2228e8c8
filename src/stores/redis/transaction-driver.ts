/** Completed sign-ins on Redis: one key each, `RedisKeys.signIn`. The step is in scripts/sign-in.ts. */
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
    async claim(stateHash, sealedBy, ttlMs) {
      const args = [sealedBy, String(checkedTtlMs(ttlMs))]
      const [isFirst] = await run.inTime(CLAIM_SIGN_IN, [keys.signIn(stateHash)], args)
      return isFirst === 1
    },
  }
}
