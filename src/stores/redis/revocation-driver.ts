/** Revocation outbox on Redis: a hash per user (`RedisKeys.revocations`) and one index (`RedisKeys.revocationIndex`). */
import { NONCE_BYTES } from '../../keyring/record-layout.ts'
import { checkedTtlMs } from '../../core/time-to-live.ts'
import type { RedisClientPort } from '../../redis/client-port.ts'
import type { RedisKeys } from '../keys.ts'
import { stringsReply } from '../../redis/reply-shape.ts'
import { createScriptRunner } from '../../redis/script-runner.ts'
import { ANNOUNCE, CLAIM, COMPLETE_CLAIM } from './scripts/revocation.ts'
import { OUTBOX_LIFE_MS, type OutboxEntry, type RevocationDriver } from '../../token/revocation-driver.ts'

export function createRedisRevocationDriver(
  client: RedisClientPort,
  keys: RedisKeys,
  { timeOffsetMs = () => 0 }: { readonly timeOffsetMs?: () => number } = {},
): RevocationDriver {
  const run = createScriptRunner(client, timeOffsetMs)
  const index = [keys.revocationIndex()]

  return {
    async announce(userKey, dueInMs) {
      await run.always(ANNOUNCE, index, [userKey, String(dueInMs), String(OUTBOX_LIFE_MS)])
    },

    async add(userKey, entry, lifeMs) {
      const key = keys.revocations(userKey)
      await client.command(key, ['HSET', key, fieldOf(entry), entry.record])
      await client.command(key, ['PEXPIRE', key, String(checkedTtlMs(lifeMs, 'lifeMs'))])
    },

    async claim(max, forMs) {
      const [claim, ...users] = await run.inTime(CLAIM, index, [String(max), String(forMs)])
      return users.map((userKey) => ({ userKey: String(userKey), claim: String(claim) }))
    },

    async list(userKey) {
      const key = keys.revocations(userKey)
      const flat = stringsReply(await client.command(key, ['HGETALL', key]))
      const entries: OutboxEntry[] = []
      for (let i = 0; i + 1 < flat.length; i += 2) {
        const [field, record] = [flat[i] as Buffer, flat[i + 1] as Buffer]
        const nonceAt = field.length - NONCE_BYTES
        entries.push({ provider: field.toString('utf8', 0, nonceAt - 1), nonce: field.subarray(nonceAt), record })
      }
      return entries
    },

    async remove(userKey, entry) {
      const key = keys.revocations(userKey)
      await client.command(key, ['HDEL', key, fieldOf(entry)])
    },

    async completeClaim({ userKey, claim }, retryInMs) {
      const due = retryInMs === null ? '-1' : String(Math.ceil(retryInMs))
      await run.always(COMPLETE_CLAIM, index, [userKey, claim, due])
    },
  }
}

function fieldOf({ provider, nonce }: OutboxEntry): Buffer {
  return Buffer.concat([Buffer.from(`${provider}:`, 'utf8'), nonce])
}
