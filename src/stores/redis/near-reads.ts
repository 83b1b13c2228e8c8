/** Reads sessions through the near cache. Record and generation form one value, dropped when either of their keys changes. */
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

/** A missing record is not kept, because the reason for its absence is a separate lookup. */
function isWhole({ record }: StoredSession): boolean {
  return record !== null
}

/** Copies the bytes: a reply's Buffer is part of a larger buffer, which would stay in memory. */
function keepable({ record, generation }: StoredSession): StoredSession {
  return { record: record && Buffer.from(record), generation: generation && Buffer.from(generation), isKept: true }
}
