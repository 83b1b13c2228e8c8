/**
 * Reads the index of a user's sessions with plain commands, for lists. See scripts/session-index.ts for the layout. The commands have
 * the read deadline, and work where Redis refuses writes.
 */
import { GENERATION_BYTES } from '../../keyring/record-layout.ts'
import type { RedisClientPort } from '../../redis/client-port.ts'
import type { RedisKeys } from '../keys.ts'
import { askAligned, readReply } from '../../redis/reply-alignment.ts'
import { stringsReply } from '../../redis/reply-shape.ts'
import { isInSet, liveIdsOf } from './scripts/session-index.ts'

const READ_PER_COMMAND = 200
/** An empty set means that the index had moved back to the value before the set was read, or that all entries have expired. */
const ATTEMPTS = 3

export interface RedisSessionIndex {
  /** Ids of live sessions by deadline, latest first; all of them without `max`. One command, or two for a user with many sessions. */
  liveIds(userKey: string, max?: number): Promise<readonly string[]>
  /** Returns the ids whose records are absent, judged by the records alone: see `SessionDriver.absent`. */
  absent(userKey: string, ids: readonly string[]): Promise<readonly string[]>
  /** Returns the records that have the stored generation: see `SessionDriver.list`. */
  list(userKey: string, max: number): Promise<readonly { readonly id: string; readonly record: Buffer }[]>
}

export function createRedisSessionIndex(
  client: RedisClientPort,
  keys: RedisKeys,
  timeOffsetMs: () => number,
): RedisSessionIndex {
  const liveIds = async (userKey: string, max = Number.MAX_SAFE_INTEGER): Promise<readonly string[]> => {
    const generationKey = keys.generation(userKey)
    const set = keys.sessions(userKey)
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const [value] = readReply(
        client,
        generationKey,
        [await client.command(generationKey, ['GET', generationKey])],
        stringsReply,
      )
      if (!value) return []
      const nowMs = client.serverNow(generationKey) + timeOffsetMs()
      const index = value.toString('latin1', GENERATION_BYTES)
      if (!isInSet(index)) return liveIdsOf(index, nowMs).slice(0, max)
      const limit = ['LIMIT', '0', String(max)]
      const range = ['ZREVRANGEBYSCORE', set, '+inf', `(${nowMs}`, ...limit]
      const ids = readReply(client, set, await client.command(set, range), stringsReply)
      if (ids.length > 0) return ids.map(String)
    }
    return []
  }

  const list = async (userKey: string, max: number): Promise<Awaited<ReturnType<RedisSessionIndex['list']>>> => {
    const generationKey = keys.generation(userKey)
    const ids = await liveIds(userKey, max)
    const rows: { id: string; record: Buffer }[] = []
    for (let at = 0; at < ids.length; at += READ_PER_COMMAND) {
      const chunk = ids.slice(at, at + READ_PER_COMMAND)
      const names = [generationKey, ...chunk.map((id) => keys.session(userKey, id))]
      const reply = await client.command(generationKey, ['MGET', ...names])
      const [value, ...records] = readReply(client, generationKey, reply, (all) => stringsReply(all, names.length))
      const generation = value?.subarray(0, GENERATION_BYTES)
      for (const [i, record] of records.entries()) {
        const isLive = record !== null && generation?.equals(record.subarray(0, GENERATION_BYTES)) === true
        if (isLive) rows.push({ id: chunk[i] ?? '', record })
      }
    }
    return rows
  }

  const absent = async (userKey: string, ids: readonly string[]): Promise<readonly string[]> => {
    const missing: string[] = []
    for (let at = 0; at < ids.length; at += READ_PER_COMMAND) {
      const chunk = ids.slice(at, at + READ_PER_COMMAND)
      const names = chunk.map((id) => keys.session(userKey, id))
      const reply = await client.command(names[0] ?? '', ['MGET', ...names])
      const records = readReply(client, names[0] ?? '', reply, (all) => stringsReply(all, names.length))
      missing.push(...chunk.filter((_, i) => records[i] === null))
    }
    return missing
  }

  return {
    liveIds,

    // A null reply cannot be authenticated, and the caller forgets absent sessions.
    absent: (userKey, ids) =>
      askAligned(
        client,
        keys.generation(userKey),
        () => absent(userKey, ids),
        (missing) => missing.length > 0,
      ),

    // A list that is too short looks like any other.
    list: (userKey, max) => askAligned(client, keys.generation(userKey), () => list(userKey, max)),
  }
}
