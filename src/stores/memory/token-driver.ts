/**
 * Tokens in the memory of the process, for the embedded development store, with the semantics of the Redis driver. A user's hash is one
 * `Map<field, record>` under its Redis key name. The session driver of the same space deletes it with the user's last session.
 *
 * On a full space, even the replacement of an expected record is refused if it is larger than the old one. The cache then keeps the grant
 * in the process, as during an outage.
 */
import { END_OF_LIFE_BYTES } from '../../keyring/record-layout.ts'
import { checkedTtlMs } from '../../core/time-to-live.ts'
import { grantsOf, postGrants } from './outbox.ts'
import { nonceOf } from '../../keyring/seal.ts'
import type { MemorySpace } from './space.ts'
import { type RedisKeys, redisKeys } from '../keys.ts'
import { type TokenRevocations, NO_TOKEN_REVOCATIONS, OUTBOX_LIFE_MS } from '../../token/revocation-driver.ts'
import { grantField } from '../../token/token-fields.ts'
import {
  type FieldSelection,
  LEASE_HOLDER_AT,
  LEASE_VALIDITY_AT,
  type LeaseClaim,
  type TokenDriver,
} from '../../token/token-driver.ts'

const LEASE_REMEMBERED_MS = 60_000
const MAX_LEASE_MS = 60_000
const FIELD_OVERHEAD_BYTES = 96 // map slot and Buffer header

type Hash = Map<string, Buffer>

/** @param keys builds names in the space; must match those of the session driver that shares the space */
export function createMemoryTokenDriver(
  space: MemorySpace,
  keys: Pick<RedisKeys, 'tokens' | 'revocations'> = redisKeys(''),
  tokenRevocations: TokenRevocations = NO_TOKEN_REVOCATIONS,
): TokenDriver {
  const hashOf = (userKey: string): Hash => space.get<Hash>(keys.tokens(userKey)) ?? new Map<string, Buffer>()

  /** Throws on a full space without a change, because `hash` is a copy. */
  const store = (userKey: string, hash: Hash): void => {
    const now = space.clock.now()
    let latest = 0
    let bytes = 0
    for (const [field, record] of hash) {
      const end = endOfLife(record)
      if (end <= now) hash.delete(field)
      else bytes += field.length + record.length + FIELD_OVERHEAD_BYTES
      latest = Math.max(latest, end)
    }
    if (hash.size === 0) space.delete(keys.tokens(userKey))
    else space.put(keys.tokens(userKey), hash, bytes, latest - now)
  }

  const read = (userKey: string, fields: readonly string[]): (Buffer | null)[] => {
    const hash = hashOf(userKey)
    const now = space.clock.now()
    const records = fields.map((field) => hash.get(field))
    return records.map((record) => (record && endOfLife(record) > now ? copyOf(record) : null))
  }

  return {
    read: async (userKey, fields) => Promise.resolve(read(userKey, fields)),

    readVerified: async (userKey, fields, evaluate) => Promise.resolve(evaluate(read(userKey, fields))),

    async readOne(userKey, field) {
      const record = hashOf(userKey).get(field)
      return Promise.resolve(record && endOfLife(record) > space.clock.now() ? copyOf(record) : null)
    },

    async readAll(userKey) {
      const now = space.clock.now()
      const alive = [...hashOf(userKey)].filter(([, record]) => endOfLife(record) > now)
      return Promise.resolve(new Map(alive.map(([field, record]) => [field, Buffer.from(record)])))
    },

    // async, so that an error rejects as in the Redis driver
    async write(userKey, { set, remove, expect, lease }) {
      const now = space.clock.now()
      const hash = new Map(hashOf(userKey))
      if (expect) {
        const stored = hash.get(expect.field)
        const current = stored && endOfLife(stored) > now ? stored : null
        const nonce = current && nonceOf(current, END_OF_LIFE_BYTES)
        if (!sameNonce(nonce, expect.nonce)) {
          const written = set.get(expect.field)
          if (nonce && written && nonceOf(written.record, END_OF_LIFE_BYTES).equals(nonce)) return { status: 'done' }
          return { status: 'conflict', current: copyOf(current) }
        }
        const holder = lease && validHolder(hash.get(lease.field), now)
        if (holder && !holder.equals(lease.holder)) return { status: 'conflict', current: copyOf(current) }
      }
      for (const field of selected(hash, remove)) hash.delete(field)
      for (const [field, { record, ttlMs }] of set) hash.set(field, stamped(record, now + checkedTtlMs(ttlMs)))
      if (lease && isLeaseOf(hash.get(lease.field), lease)) hash.delete(lease.field)
      store(userKey, hash)
      if (lease) space.publish(keys.tokens(userKey))
      return { status: 'done' }
    },

    // async: see above
    async takeLease(userKey, claim) {
      const hash = new Map(hashOf(userKey))
      const lease = hash.get(claim.field)
      if (!isLeaseOf(lease, claim) && validHolder(lease, space.clock.now())) return false
      store(userKey, hash.set(claim.field, leaseRecord(claim, space.clock.now())))
      return true
    },

    // async: see above
    async renewLease(userKey, claim) {
      const hash = new Map(hashOf(userKey))
      if (!isLeaseOf(hash.get(claim.field), claim)) return false
      store(userKey, hash.set(claim.field, leaseRecord(claim, space.clock.now())))
      return true
    },

    async releaseLease(userKey, claim) {
      const hash = new Map(hashOf(userKey))
      if (isLeaseOf(hash.get(claim.field), claim) && hash.delete(claim.field)) {
        store(userKey, hash)
        space.publish(keys.tokens(userKey))
      }
      return Promise.resolve()
    },

    watchLeases(userKey, listener) {
      return { confirmed: Promise.resolve(true), close: space.watch(keys.tokens(userKey), listener) }
    },

    // async: see above
    async delete(userKey, selection, expect) {
      const hash = new Map(hashOf(userKey))
      const current = expect && hash.get(expect.field)
      if (expect && !(current && nonceOf(current, END_OF_LIFE_BYTES).equals(expect.nonce))) return { count: 0 }
      const fields = selection ? selected(hash, selection) : [...hash.keys()]
      const moved = tokenRevocations.providers.filter((provider) => fields.includes(grantField(provider)))
      const grants = grantsOf(hash, moved)
      if (moved.length > 0) tokenRevocations.announce(userKey)
      for (const field of fields) hash.delete(field)
      store(userKey, hash)
      postGrants(space, keys.revocations(userKey), grants, OUTBOX_LIFE_MS)
      if (moved.length > 0) tokenRevocations.moved(userKey)
      return { count: fields.length }
    },
  }
}

/** Same byte layout as in the Redis scripts. */
function leaseRecord({ holder, ttlMs }: LeaseClaim, now: number): Buffer {
  const record = Buffer.alloc(LEASE_HOLDER_AT)
  record.writeBigUInt64BE(BigInt(now + checkedTtlMs(ttlMs) + LEASE_REMEMBERED_MS), 0)
  record.writeBigUInt64BE(BigInt(now + checkedTtlMs(ttlMs)), LEASE_VALIDITY_AT)
  return Buffer.concat([record, holder])
}

function isLeaseOf(lease: Buffer | undefined, { holder }: LeaseClaim): boolean {
  return lease?.subarray(LEASE_HOLDER_AT).equals(holder) === true
}

/** Returns the current lease holder, or `null`. */
function validHolder(lease: Buffer | undefined, now: number): Buffer | null {
  if (!lease) return null
  const ends = Number(lease.readBigUInt64BE(LEASE_VALIDITY_AT))
  return ends > now && ends <= now + MAX_LEASE_MS ? lease.subarray(LEASE_HOLDER_AT) : null
}

function selected(hash: Hash, { fields = [], prefixes = [] }: FieldSelection = {}): string[] {
  return [...hash.keys()].filter((name) => fields.includes(name) || prefixes.some((prefix) => name.startsWith(prefix)))
}

function endOfLife(record: Buffer): number {
  return record.length < END_OF_LIFE_BYTES ? 0 : Number(record.readBigUInt64BE(0))
}

function stamped(record: Buffer, endOfLifeMs: number): Buffer {
  const copy = Buffer.from(record)
  copy.writeBigUInt64BE(BigInt(endOfLifeMs), 0)
  return copy
}

function sameNonce(a: Buffer | null | undefined, b: Buffer | null): boolean {
  return a && b ? a.equals(b) : !a && !b
}

function copyOf(record: Buffer | null | undefined): Buffer | null {
  return record ? Buffer.from(record) : null
}
