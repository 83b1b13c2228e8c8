/** Completed sign-ins in the memory of the process, for the embedded development store. The space bounds their number. */
import type { MemorySpace } from './space.ts'
import { type RedisKeys, redisKeys } from '../keys.ts'
import type { TransactionDriver } from '../../oidc/transaction-driver.ts'

/** @param keys builds names in the space, for several applications that share one */
export function createMemoryTransactionDriver(space: MemorySpace, keys: RedisKeys = redisKeys('')): TransactionDriver {
  return {
    // async, so that an error rejects as in the Redis driver
    async claim(transactionId, sealedBy, ttlMs) {
      const key = keys.signIn(transactionId)
      if (space.has(key)) return Promise.resolve(false)
      space.setBuffer(key, sealedBy, ttlMs)
      return true
    },
  }
}
