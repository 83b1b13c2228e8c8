/** The index of a user's sessions as it lies in Redis: the one place of operators' tools that knows its format. */
import type { StoreServer } from '../store.ts'
import { askFor } from './walk.ts'

/** Ids that the index names as alive, whether they have a record or not. */
export async function indexedIds(server: StoreServer, userKey: string): Promise<string[]> {
  const index = server.keys.sessions(userKey)
  const after = `(${server.client.serverNow(index)}`
  return ((await askFor(server, index, ['ZRANGEBYSCORE', index, after, '+inf'])) as Buffer[]).map(String)
}
