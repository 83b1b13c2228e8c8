/**
 * Records of another library on Redis. The steps are in scripts/old-record.ts. A reply is accepted only with the token of its call.
 */
import { isUtf8 } from 'node:buffer'
import { type Clock, systemClock } from '../../core/clock.ts'
import { systemRandom } from '../../core/random.ts'
import { checkedTtlMs } from '../../core/time-to-live.ts'
import type { RedisArgument, RedisClientPort, RedisReply } from '../../redis/client-port.ts'
import { misalignedReplies } from '../../redis/reply-alignment.ts'
import type { RedisScript } from '../../redis/script.ts'
import { createScriptRunner } from '../../redis/script-runner.ts'
import { CREATE_OLD, EXPIRE_OLD, READ_OLD, REMOVE_OLD, REPLACE_OLD } from './scripts/old-record.ts'
import type { OldRecord, OldRecordDriver, OldRecordWritten } from '../../migrate/old-record-driver.ts'

const SCANNED_PER_COMMAND = 500
const TOKEN_BYTES = 9

/** @param client connects to the servers that hold the old keys */
export function createRedisOldRecordDriver(
  client: RedisClientPort,
  {
    timeOffsetMs = () => 0,
    clock = systemClock,
  }: { readonly timeOffsetMs?: () => number; readonly clock?: Clock } = {},
): OldRecordDriver {
  const run = createScriptRunner(client, timeOffsetMs)
  const processToken = systemRandom.bytes(TOKEN_BYTES).toString('base64url')
  let calls = 0

  /**
   * Runs one script. The token in its reply proves that the reply belongs to this call, so a miss needs no further verification.
   * @throws {RedisError} `COATCHECK_REDIS_MISALIGNED_REPLIES`
   */
  const ask = async (
    runner: 'inTime' | 'always',
    script: RedisScript,
    key: string,
    args: readonly RedisArgument[],
  ): Promise<{ readonly status: string; readonly rest: readonly RedisReply[] }> => {
    const token = `${processToken}.${++calls}`
    const [status, echoed, ...rest] = await run[runner](script, [key], [token, ...args])
    if (Buffer.isBuffer(echoed) && echoed.toString('latin1') === token) return { status: String(status), rest }
    // Replaces a connection whose replies are misaligned, and rejects then.
    await client.verifyAlignment(key)
    throw misalignedReplies()
  }

  const write = async (script: RedisScript, key: string, args: readonly RedisArgument[]): Promise<OldRecordWritten> => {
    const sentAtMs = clock.now()
    const { status, rest } = await ask('inTime', script, key, args)
    if (status === 'changed') return { status, current: recordIn(rest, sentAtMs) }
    return { status: status === 'written' ? status : 'missing' }
  }

  return {
    async read(key) {
      const sentAtMs = clock.now()
      const { status, rest } = await ask('always', READ_OLD, key, [])
      return status === 'found' ? recordIn(rest, sentAtMs) : null
    },

    replace: (key, expected, text, ttlMs) => write(REPLACE_OLD, key, [expected, text, ttlArgument(ttlMs)]),
    create: (key, text, ttlMs) => write(CREATE_OLD, key, [text, ttlArgument(ttlMs)]),

    async expire(key, ttlMs) {
      const { rest } = await ask('inTime', EXPIRE_OLD, key, [String(checkedTtlMs(ttlMs))])
      return rest[0] === 1
    },

    async remove(key, expected) {
      const args = expected === undefined ? ['0', ''] : ['1', expected]
      const { rest } = await ask('always', REMOVE_OLD, key, args)
      return rest[0] === 1
    },

    async *scan(prefix) {
      const pattern = `${prefix.replace(/[\\*?[\]]/g, '\\$&')}*`
      for (const server of client.servers()) {
        let cursor = '0'
        do {
          const args = ['SCAN', cursor, 'MATCH', pattern, 'COUNT', String(SCANNED_PER_COMMAND), 'TYPE', 'string']
          const [next, found] = (await server.command(prefix, args)) as [Buffer, readonly Buffer[]]
          for (const key of found) yield key.toString()
          cursor = next.toString()
        } while (cursor !== '0')
      }
    },
  }
}

function recordIn([value, life]: readonly RedisReply[], sentAtMs: number): OldRecord {
  if (!Buffer.isBuffer(value) || typeof life !== 'number') throw misalignedReplies()
  // 0: the key expires within this millisecond.
  const ttlMs = life < 0 ? null : Math.max(1, life)
  const text = isUtf8(value) ? value.toString('utf8') : ''
  return { text, ttlMs, endsAtMs: ttlMs === null ? null : sentAtMs + life }
}

function ttlArgument(ttlMs: number | null): string {
  return ttlMs === null ? '' : String(checkedTtlMs(ttlMs))
}
