/** Reading sessions through the near cache: record and generation as one value, forgotten with either of their keys. */
import type { RedisKeys } from '../keys.ts'
import type { NearCache } from './near-cache.ts'
import type { SessionRef, StoredSession } from '../../session/session-driver.ts'

type Read = (ref: SessionRef) => Promise<StoredSession>

export function nearReads(near: NearCache, keys: RedisKeys, read: Read): Read {
  return (ref) => {
    const { kind, userKey, id } = ref
    const key = keys.session(userKey, id)
    const kept = near.get('session', key, key) as StoredSession | undefined
    if (kept !== undefined) return Promise.resolve(kept)
    const names = kind === 'user' ? [key, keys.generation(userKey)] : [key]
    return near.load(key, names, async () => keepable(await read(ref)), isWhole)
  }
}

/** What is missing is asked for again: the reason is another question. */
function isWhole({ record }: StoredSession): boolean {
  return record !== null
}

/** Bytes of its own: those of a reply belong to a larger buffer, which would be kept with them. */
function keepable({ record, generation }: StoredSession): StoredSession {
  return { record: record && Buffer.from(record), generation: generation && Buffer.from(generation), isKept: true }
}
