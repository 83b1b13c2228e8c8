/** Sign-in transactions in the memory of the process: the embedded store of development. Bounded by its space. */
import type { MemorySpace } from '../../memory/space.ts'
import { type RedisKeys, redisKeys } from '../../redis/keys.ts'
import type { TransactionDriver } from '../transaction-driver.ts'

/** @param keys names in the space, for several applications that share one. */
export function createMemoryTransactionDriver(space: MemorySpace, keys: RedisKeys = redisKeys('')): TransactionDriver {
  return {
    // async: an error rejects, as it does for the Redis driver
    async put(stateHash, record, ttlMs) {
      space.setBuffer(keys.signIn(stateHash), record, Math.ceil(ttlMs))
    },

    async take(stateHash) {
      const key = keys.signIn(stateHash)
      const record = space.getBuffer(key)
      space.delete(key)
      return Promise.resolve(record)
    },
  }
}
