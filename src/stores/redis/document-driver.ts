/** Documents on Redis: one string each, and sets as sorted sets by end of life. The steps are in scripts/document.ts. */
import { checkedTtlMs } from '../../core/time-to-live.ts'
import type { RedisClientPort } from '../../redis/client-port.ts'
import type { RedisKeys } from '../keys.ts'
import { askAligned, readVerified } from '../../redis/reply-alignment.ts'
import { createScriptRunner } from '../../redis/script-runner.ts'
import {
  COUNT,
  END_DOCUMENT,
  ENTER,
  MEMBERS,
  REOPEN_DOCUMENT,
  TAKE_DOCUMENT,
  WRITE_DOCUMENT,
} from './scripts/document.ts'
import type { DocumentDriver, DocumentRef, DocumentWritten } from '../../documents/document-driver.ts'

const SCANNED_PER_COMMAND = 500

/** The reply to another command can say so, and the caller would drop its change. */
function isLoss(status: string): boolean {
  return status === 'gone' || status === 'ended'
}

export function createRedisDocumentDriver(
  client: RedisClientPort,
  keys: Pick<RedisKeys, 'document' | 'documentSet'>,
  { timeOffsetMs = () => 0 }: { readonly timeOffsetMs?: () => number } = {},
): DocumentDriver {
  const run = createScriptRunner(client, timeOffsetMs)
  const keyOf = ({ kind, name }: DocumentRef): string => keys.document(kind, name)
  const setOf = ({ kind, name }: DocumentRef): string => keys.documentSet(kind, name)
  /** A one-byte value only marks that the document was ended. It is not a record. */
  const recordIn = (reply: unknown): Buffer | null => (Buffer.isBuffer(reply) && reply.length > 1 ? reply : null)
  const read = async (ref: DocumentRef): Promise<Buffer | null> => {
    const key = keyOf(ref)
    return recordIn(await client.command(key, ['GET', key]))
  }

  return {
    read,

    readVerified: (ref, evaluate, isMiss) =>
      readVerified(client, keyOf(ref), async () => evaluate(await read(ref)), isMiss),

    async write(ref, record, { ttlMs, expect = '' }) {
      const key = keyOf(ref)
      const ttl = ttlMs === null ? '' : String(checkedTtlMs(ttlMs))
      const [status, current] = await askAligned(
        client,
        key,
        () => run.inTime(WRITE_DOCUMENT, [key], [expect, record, ttl]),
        ([word]) => isLoss(String(word)),
        // A second write of a new document would meet the first one.
        expect === 'absent' ? 1 : undefined,
      )
      return { status: String(status), ...(current && { current }) } as DocumentWritten
    },

    async take(ref) {
      const [, record] = await run.inTime(TAKE_DOCUMENT, [keyOf(ref)], [])
      return recordIn(record)
    },

    async end(ref, rememberMs, alsoUnstored = false) {
      const [, ended] = await run.always(
        END_DOCUMENT,
        [keyOf(ref)],
        [String(checkedTtlMs(rememberMs, 'rememberMs')), alsoUnstored ? '1' : '0'],
      )
      return ended === 1
    },

    async reopen(ref) {
      await run.inTime(REOPEN_DOCUMENT, [keyOf(ref)], [])
    },

    async remove(ref) {
      const key = keyOf(ref)
      return (await client.command(key, ['DEL', key])) === 1
    },

    async count(ref, ttlMs) {
      const [, count] = await run.inTime(COUNT, [keyOf(ref)], [String(checkedTtlMs(ttlMs))])
      return count as number
    },

    async counted(ref) {
      const key = keyOf(ref)
      const reply = await client.command(key, ['GET', key])
      return Buffer.isBuffer(reply) ? Number(reply) : null
    },

    async enter(set, member, ttlMs) {
      await run.inTime(ENTER, [setOf(set)], [member, ttlMs === null ? '' : String(checkedTtlMs(ttlMs))])
    },

    async leave(set, members) {
      if (members.length === 0) return
      const key = setOf(set)
      await client.command(key, ['ZREM', key, ...members])
    },

    async members(set) {
      const members = await run.always(MEMBERS, [setOf(set)], [])
      return members.map(String)
    },

    async *names(kind) {
      const prefix = keys.document(kind, '')
      const pattern = `${prefix.replace(/[\\*?[\]]/g, '\\$&')}*`
      for (const server of client.servers()) {
        let cursor = '0'
        do {
          const args = ['SCAN', cursor, 'MATCH', pattern, 'COUNT', String(SCANNED_PER_COMMAND), 'TYPE', 'string']
          const [next, found] = (await server.command(prefix, args)) as [Buffer, readonly Buffer[]]
          for (const key of found) yield key.toString().slice(prefix.length)
          cursor = next.toString()
        } while (cursor !== '0')
      }
    },
  }
}
