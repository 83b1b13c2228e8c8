/** Sign-ins that have been answered, in the memory of the process: the embedded store of development. Bounded by its space. */
import type { MemorySpace } from './space.ts'
import { type RedisKeys, redisKeys } from '../keys.ts'
import type { TransactionDriver } from '../../oidc/transaction-driver.ts'

/** @param keys names in the space, for several applications that share one. */
export function createMemoryTransactionDriver(space: MemorySpace, keys: RedisKeys = redisKeys('')): TransactionDriver {
  return {
    // async: an error rejects, as it does for the Redis driver
    async claim(stateHash, sealedBy, ttlMs) {
      const key = keys.signIn(stateHash)
      if (space.has(key)) return Promise.resolve(false)
      space.setBuffer(key, sealedBy, ttlMs)
      return true
    },
  }
}
