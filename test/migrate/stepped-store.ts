/** The store of one process whose calls of a driver are steps, so that a test holds or cuts the process at each of them. */
import { randomBytes } from 'node:crypto'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import type { StoreFactory } from '../../src/stores/store.ts'
import { inSteps, type Steps } from './dual-read-world.ts'

/** @param stepped makes the calls of a driver steps; default: each call before it is sent */
export function steppedStore(url: string, steps: Steps, stepped: typeof inSteps = inSteps): StoreFactory {
  const factory = redisStore({ url })
  return {
    isLocal: factory.isLocal,
    // A process of its own shares no connection.
    identity: randomBytes(8).toString('hex'),
    open(context) {
      const store = factory.open(context)
      return {
        ...store,
        oldRecords: async () => stepped(await store.oldRecords(), steps),
        documents: stepped(store.documents, steps),
        tokens: stepped(store.tokens, steps),
      }
    },
  }
}
