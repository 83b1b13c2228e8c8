/**
 * Tokens on Redis. The only key it touches is the user's token hash (`RedisKeys.tokens`), which session scripts also delete with a user's
 * last session. A read is one command, and every change is one script (scripts/token.ts). The key's name is also the channel that
 * notifies waiting processes of a released lease.
 *
 * If you change this, also change: the scripts' headings, docs/tokens.md, the memory driver, the conformance cases.
 */
import { END_OF_LIFE_BYTES } from '../../keyring/record-layout.ts'
import { checkedTtlMs } from '../../core/time-to-live.ts'
import type { RedisArgument, RedisClientPort, RedisReply } from '../../redis/client-port.ts'
import { duringChange, type NearCache } from './near-cache.ts'
import type { RedisKeys } from '../keys.ts'
import { readReply, readVerified } from '../../redis/reply-alignment.ts'
import { stringsReply } from '../../redis/reply-shape.ts'
import { createScriptRunner } from '../../redis/script-runner.ts'
import { DELETE_TOKENS, RELEASE_LEASE, TAKE_LEASE, WRITE_TOKENS } from './scripts/token.ts'
import { type TokenRevocations, NO_TOKEN_REVOCATIONS, OUTBOX_LIFE_MS } from '../../token/revocation-driver.ts'
import type { LeaseClaim, TokenChange, TokenDriver } from '../../token/token-driver.ts'
import { grantField } from '../../token/token-fields.ts'

/**
 * After an outage, no process takes over a lease for this long. The holder from before the outage commits first (`token/uncommitted-grants.ts`).
 */
const CALM_MS = 2000

export interface RedisTokenDriverOptions {
  /** Default: no refresh token is revoked. */
  readonly tokenRevocations?: TokenRevocations
  /** Default: every read goes to the server. */
  readonly near?: NearCache | null
  /** Registers a callback for reconnects. Default: no callback is called. */
  readonly whenBack?: TokenDriver['whenBack']
  /** Default 2,000. */
  readonly calmMs?: number
  /** Tests shift the time with it; see the scripts. */
  readonly timeOffsetMs?: () => number
}

export function createRedisTokenDriver(
  client: RedisClientPort,
  keys: Pick<RedisKeys, 'tokens' | 'revocations'>,
  {
    timeOffsetMs = () => 0,
    calmMs = CALM_MS,
    tokenRevocations = NO_TOKEN_REVOCATIONS,
    near = null,
    whenBack,
  }: RedisTokenDriverOptions = {},
): TokenDriver {
  const run = createScriptRunner(client, timeOffsetMs)
  const changing = duringChange(near)

  /**
   * `ifAbsent`, because a holder whose lease has expired may be about to commit. `null`: do not take the lease, because leases from before
   * the outage may be lost.
   */
  const claimMode = (key: string): ClaimMode | null => {
    const { forMs, isAfterOutage } = client.uptime(key)
    if (forMs >= calmMs) return CLAIM.ifFree
    return isAfterOutage ? null : CLAIM.ifAbsent
  }

  const written = async (
    names: readonly string[],
    change: TokenChange,
  ): Promise<{ reply: readonly RedisReply[]; durable?: boolean }> => {
    const args = writeArguments(change)
    if (change.lasting !== true || !client.isDurable) return { reply: await run.inTime(WRITE_TOKENS, names, args) }
    return run.lastingInTime(WRITE_TOKENS, names, args)
  }

  const read = async (userKey: string, fields: readonly string[]): Promise<readonly (Buffer | null)[]> => {
    const key = keys.tokens(userKey)
    const reply = await client.command(key, ['HMGET', key, ...fields])
    const records = readReply(client, key, reply, (all) => stringsReply(all, fields.length))
    const nowMs = client.serverNow(key) + timeOffsetMs()
    return records.map((record) => (record && endOfLife(record) > nowMs ? record : null))
  }
  const readOne = (userKey: string, field: string): Promise<Buffer | null> => {
    const key = keys.tokens(userKey)
    return client.command(key, ['HGET', key, field]) as Promise<Buffer | null>
  }
  const readOneNear = (userKey: string, field: string): Promise<Buffer | null> => {
    const key = keys.tokens(userKey)
    const name = `${key} ${field}`
    const kept = near?.get('token', name, key) as Buffer | undefined
    if (kept !== undefined) return Promise.resolve(kept)
    const copied = async (): Promise<Buffer | null> => {
      const record = await readOne(userKey, field)
      // Copies the bytes: a reply's Buffer is part of a larger buffer, which would stay in memory.
      return record && Buffer.from(record)
    }
    return near?.load(name, [key], copied, (record) => record !== null) ?? copied()
  }

  return {
    keepsRecords: near !== null,
    isDurable: client.isDurable,
    ...(client.isDurable && whenBack && { whenBack }),

    read,

    readVerified(userKey, fields, evaluate, isMiss) {
      const key = keys.tokens(userKey)
      return readVerified(
        client,
        key,
        async () => evaluate(await read(userKey, fields)),
        isMiss,
        // The near cache may hold the reply to another command.
        () => near?.changed(key),
      )
    },

    // No extra function around the client's promise, and no array around one value: they would make a hit a tenth slower.
    readOne: near === null ? readOne : readOneNear,

    async readAll(userKey) {
      const key = keys.tokens(userKey)
      // HKEYS would be a second command. The reply of HGETALL is a flat array in RESP2, and the port makes RESP3 replies flat.
      const flat = readReply(client, key, await client.command(key, ['HGETALL', key]), stringsReply)
      const all = new Map<string, Buffer>()
      const nowMs = client.serverNow(key) + timeOffsetMs()
      for (let i = 0; i + 1 < flat.length; i += 2) {
        const record = flat[i + 1] as Buffer
        if (endOfLife(record) > nowMs) all.set((flat[i] as Buffer).toString('utf8'), record)
      }
      return all
    },

    async write(userKey, change) {
      const key = keys.tokens(userKey)
      const { reply, durable } = await changing([key], written([key], change))
      const [status, current] = reply
      if (String(status) === 'done') return { status: 'done', ...(durable !== undefined && { durable }) }
      return { status: 'conflict', current: (current as Buffer | null | undefined) ?? null }
    },

    async takeLease(userKey, claim) {
      const key = keys.tokens(userKey)
      const mode = claimMode(key)
      if (mode === null) return false
      const [isOurs] = await run.inTime(TAKE_LEASE, [key], leaseArguments(claim, mode))
      return isOurs === 1
    },

    async renewLease(userKey, claim) {
      const [isOurs] = await run.inTime(TAKE_LEASE, [keys.tokens(userKey)], leaseArguments(claim, CLAIM.renewOnly))
      return isOurs === 1
    },

    async releaseLease(userKey, { field, holder }) {
      await run.always(RELEASE_LEASE, [keys.tokens(userKey)], [field, holder])
    },

    watchLeases: (userKey, listener) => client.watch(keys.tokens(userKey), listener),

    async delete(userKey, selection, expect) {
      const { fields = [], prefixes = [] } = selection ?? {}
      const moved = tokenRevocations.providers.filter((provider) => !selection || fields.includes(grantField(provider)))
      const names = [keys.tokens(userKey), ...(moved.length > 0 ? [keys.revocations(userKey)] : [])]
      const condition = [expect?.field ?? '', expect?.nonce ?? '']
      const outbox = [String(OUTBOX_LIFE_MS), String(moved.length), ...moved]
      if (moved.length > 0) tokenRevocations.announce(userKey)
      const what = selection ? [String(fields.length), ...fields, ...prefixes] : ['-1']
      const step = run.repeatable(DELETE_TOKENS, names, [...condition, ...outbox, ...what])
      const { reply, durable } = await changing(names, run.lastingOf(step))
      if (moved.length > 0) tokenRevocations.moved(userKey)
      return { count: reply[0] as number, ...(client.isDurable && { durable }) }
    },
  }
}

/** When the script takes a lease that the holder does not have. `ifFree`: also one that has expired. `ifAbsent`: only if none is stored. */
const CLAIM = { renewOnly: '0', ifAbsent: '1', ifFree: '2' } as const
type ClaimMode = (typeof CLAIM)[keyof typeof CLAIM]

function leaseArguments({ field, holder, ttlMs }: LeaseClaim, mode: ClaimMode): RedisArgument[] {
  return [field, holder, String(checkedTtlMs(ttlMs)), mode]
}

/** Epoch ms. Avoids `readBigUInt64BE`, which allocates, because this is the hot path. */
function endOfLife(record: Buffer): number {
  return record.length < END_OF_LIFE_BYTES ? 0 : record.readUInt32BE(0) * 2 ** 32 + record.readUInt32BE(4)
}

/**
 * For the script, an empty text means that the field must be absent. No record has an empty nonce, so an empty expected nonce is sent as
 * another text.
 */
function expectedNonce(nonce: Buffer | null): RedisArgument {
  if (nonce === null) return ''
  return nonce.length === 0 ? 'none' : nonce
}

function writeArguments({ set, remove, expect, lease }: TokenChange): RedisArgument[] {
  const args: RedisArgument[] = [expect?.field ?? '', expect ? expectedNonce(expect.nonce) : '']
  args.push(lease?.field ?? '', lease?.holder ?? '', String(set.size))
  for (const [field, { record, ttlMs }] of set) args.push(field, record, String(checkedTtlMs(ttlMs)))
  const { fields = [], prefixes = [] } = remove ?? {}
  args.push(String(fields.length), ...fields, ...prefixes)
  return args
}
