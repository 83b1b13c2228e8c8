/**
 * Tokens on Redis. The one key it touches is the user's token hash (`RedisKeys.tokens`), which session scripts also delete
 * with a user's last session. Reading is one command, every change one script (redis/scripts/token.ts).
 *
 * If you change this, also change: the scripts' headings, docs/tokens.md, the memory driver, the conformance cases.
 */
import type { RedisArgument, RedisClientPort } from '../../redis/client-port.ts'
import type { RedisKeys } from '../../redis/keys.ts'
import { createScriptRunner } from '../../redis/script-runner.ts'
import { DELETE_TOKENS, RELEASE_LEASE, TAKE_LEASE, WRITE_TOKENS } from '../../redis/scripts/token.ts'
import type { LeaseClaim, TokenChange, TokenDriver } from '../token-driver.ts'

export interface RedisTokenDriverOptions {
  /** Tests travel in time with it; see the scripts. */
  readonly timeOffsetMs?: () => number
}

export function createRedisTokenDriver(
  client: RedisClientPort,
  keys: RedisKeys,
  { timeOffsetMs = () => 0 }: RedisTokenDriverOptions = {},
): TokenDriver {
  const run = createScriptRunner(client, timeOffsetMs)

  return {
    async read(userKey, fields) {
      const key = keys.tokens(userKey)
      return (await client.command(key, ['HMGET', key, ...fields])) as readonly (Buffer | null)[]
    },

    async readAll(userKey) {
      const key = keys.tokens(userKey)
      // HKEYS would be a second command; the reply of HGETALL is a flat array in RESP2 and in what the port makes of RESP3.
      const flat = (await client.command(key, ['HGETALL', key])) as readonly Buffer[]
      const all = new Map<string, Buffer>()
      for (let i = 0; i + 1 < flat.length; i += 2) all.set((flat[i] as Buffer).toString('utf8'), flat[i + 1] as Buffer)
      return all
    },

    async write(userKey, change) {
      const [status, current] = await run.inTime(WRITE_TOKENS, [keys.tokens(userKey)], writeArguments(change))
      if (String(status) === 'done') return { status: 'done' }
      return { status: 'conflict', current: (current as Buffer | null | undefined) ?? null }
    },

    async takeLease(userKey, claim) {
      const [isOurs] = await run.inTime(TAKE_LEASE, [keys.tokens(userKey)], leaseArguments(claim, '1'))
      return isOurs === 1
    },

    async renewLease(userKey, claim) {
      const [isOurs] = await run.inTime(TAKE_LEASE, [keys.tokens(userKey)], leaseArguments(claim, '0'))
      return isOurs === 1
    },

    async releaseLease(userKey, { field, holder }) {
      await run.always(RELEASE_LEASE, [keys.tokens(userKey)], [field, holder])
    },

    async delete(userKey, selection) {
      const { fields = [], prefixes = [] } = selection ?? {}
      const args = selection ? [String(fields.length), ...fields, ...prefixes] : ['-1']
      const [count] = await run.always(DELETE_TOKENS, [keys.tokens(userKey)], args)
      return count as number
    },
  }
}

function leaseArguments({ field, holder, ttlMs }: LeaseClaim, take: '0' | '1'): RedisArgument[] {
  return [field, holder, String(Math.ceil(ttlMs)), take]
}

function writeArguments({ set, remove, expect, lease }: TokenChange): RedisArgument[] {
  const args: RedisArgument[] = [expect?.field ?? '', expect?.nonce ?? '']
  args.push(lease?.field ?? '', lease?.holder ?? '', String(set.size))
  for (const [field, { record, ttlMs }] of set) args.push(field, record, String(Math.ceil(ttlMs)))
  const { fields = [], prefixes = [] } = remove ?? {}
  args.push(String(fields.length), ...fields, ...prefixes)
  return args
}
