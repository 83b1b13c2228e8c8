/**
 * Sessions in the memory of this process, the embedded default for development. It has the semantics and key names of the Redis driver, on
 * a `MemorySpace` that it shares with the other memory drivers. It holds sealed bytes like Redis. Each method is atomic, because it
 * contains no `await`.
 */
import { GENERATION_BYTES } from '../../keyring/record-layout.ts'
import { nonceOf } from '../../keyring/seal.ts'
import type { MemorySpace } from './space.ts'
import { grantsOf, postGrants } from './outbox.ts'
import type { RedisKeys } from '../keys.ts'
import { type TokenRevocations, NO_TOKEN_REVOCATIONS, OUTBOX_LIFE_MS } from '../../token/revocation-driver.ts'
import type { Random } from '../../core/random.ts'
import type { SessionLimit } from '../../config/session-settings.ts'
import type {
  Conflict,
  Created,
  Ended,
  Ending,
  SessionDriver,
  SessionLife,
  SessionRef,
} from '../../session/session-driver.ts'

const INDEX_ENTRY_BYTES = 96

/** Session ids by deadline, epoch milliseconds of the space's clock. */
type Index = Map<string, number>

export function createMemorySessionDriver(
  space: MemorySpace,
  keys: RedisKeys,
  random: Random,
  tokenRevocations: TokenRevocations = NO_TOKEN_REVOCATIONS,
): SessionDriver {
  const driver = new MemorySessions(space, keys, random, tokenRevocations)
  return {
    read: async (ref) => driver.read(ref),
    readVerified: async (ref, evaluate) => evaluate(driver.read(ref)),
    explain: async (ref) => driver.explain(ref),
    create: async (ref, record, life, limit) => driver.create(ref, record, life, limit),
    replace: async (ref, expectedNonce, record, life) => driver.replace(ref, expectedNonce, record, life),
    end: async (ref, ending) => driver.end(ref, ending),
    endUnchanged: async (ref, expectedNonce, ending) => driver.endUnchanged(ref, expectedNonce, ending),
    endByUser: async (userKey, ending, exceptId) => ({
      count: driver.endByUser(userKey, ending, exceptId),
      durable: false,
    }),
    absent: async (userKey, ids) => ids.filter((id) => !space.has(keys.session(userKey, id))),
    list: async (userKey, max) => driver.list(userKey, max),
  }
}

/** The synchronous implementation. The driver above turns an exception (a full space) into a rejected promise. */
class MemorySessions {
  readonly #space: MemorySpace
  readonly #keys: RedisKeys
  readonly #random: Random
  readonly #tokenRevocations: TokenRevocations

  constructor(space: MemorySpace, keys: RedisKeys, random: Random, tokenRevocations: TokenRevocations) {
    this.#tokenRevocations = tokenRevocations
    this.#space = space
    this.#keys = keys
    this.#random = random
  }

  read({ kind, userKey, id }: SessionRef): Awaited<ReturnType<SessionDriver['read']>> {
    return {
      record: this.#space.getBuffer(this.#keys.session(userKey, id)),
      generation: kind === 'user' ? this.#space.getBuffer(this.#keys.generation(userKey)) : null,
    }
  }

  explain({ userKey, id }: SessionRef): Awaited<ReturnType<SessionDriver['explain']>> {
    const deadlineMs = this.#index(userKey).get(id)
    return {
      ended: this.#space.getBuffer(this.#keys.ended(userKey, id))?.toString('utf8') ?? null,
      generation: this.#space.has(this.#keys.generation(userKey)) ? 'present' : 'missing',
      index: deadlineMs === undefined ? 'missing' : deadlineMs > this.#now() ? 'live' : 'expired',
    }
  }

  create(ref: SessionRef, record: Buffer, life: SessionLife, limit?: SessionLimit): Created {
    const { userKey, id } = ref
    const existing = this.#space.getBuffer(this.#keys.session(userKey, id))
    if (existing && nonceOf(existing, GENERATION_BYTES).equals(nonceOf(record, GENERATION_BYTES)))
      return { status: 'created', endedIds: [] }
    if (existing || this.#space.has(this.#keys.ended(userKey, id))) return { status: 'ended' }
    if (ref.kind === 'anonymous') {
      this.#write(ref, record, life)
      return { status: 'created', endedIds: [] }
    }
    const over = limit ? this.#live(userKey).length + 1 - limit.max : 0
    if (limit?.action === 'refuse' && over > 0) return { status: 'refused' }
    const generation = this.#space.getBuffer(this.#keys.generation(userKey))
    // All or nothing: the space refuses here, before the first change, or not at all.
    this.#space.reserve(record.length + 4 * INDEX_ENTRY_BYTES + 1024)
    const kept = generation ?? this.#random.bytes(GENERATION_BYTES)
    // Without a generation, every session in the index is dead.
    if (!generation) this.#space.delete(this.#keys.sessions(userKey))
    const lives = Math.max(life.absoluteMs + life.slackMs, this.#space.ttlMs(this.#keys.generation(userKey)) ?? 0)
    this.#space.setBuffer(this.#keys.generation(userKey), kept, lives)
    const endedIds = over > 0 ? this.#live(userKey).slice(0, over) : []
    // The new session comes first: the end of a user's last session would delete the tokens.
    this.#write(ref, stamped(record, kept), life)
    for (const earliest of endedIds)
      this.end({ kind: 'user', userKey, id: earliest }, { reason: 'limit', ttlMs: life.absoluteMs })
    return { status: 'created', endedIds }
  }

  replace(
    ref: SessionRef,
    expectedNonce: Buffer,
    record: Buffer,
    life: SessionLife,
  ): Awaited<ReturnType<SessionDriver['replace']>> {
    const { record: current, generation } = this.read(ref)
    if (!current) return { status: 'gone' }
    const nonce = nonceOf(current, GENERATION_BYTES)
    if (nonce.equals(nonceOf(record, GENERATION_BYTES))) return { status: 'done' }
    if (ref.kind === 'user' && !generation?.equals(current.subarray(0, GENERATION_BYTES))) return { status: 'gone' }
    if (!nonce.equals(expectedNonce)) return { status: 'conflict', record: current }
    this.#write(ref, generation ? stamped(record, generation) : record, life)
    return { status: 'done' }
  }

  endUnchanged(ref: SessionRef, expectedNonce: Buffer, ending: Ending): Ended | Conflict {
    const { record } = this.read(ref)
    if (record && !nonceOf(record, GENERATION_BYTES).equals(expectedNonce)) return { status: 'conflict', record }
    return this.end(ref, ending)
  }

  end(ref: SessionRef, ending: Ending): Ended {
    const { userKey, id } = ref
    const { record, generation } = this.read({ ...ref, kind: 'user' })
    const wasLive = record !== null && (generation === null || generation.equals(record.subarray(0, GENERATION_BYTES)))
    this.#space.delete(this.#keys.session(userKey, id))
    const index = this.#index(userKey)
    const wasListed = index.delete(id)
    const mayTakeTokens = record !== null || wasListed || ending.takesTokens === true
    const lastOfUser = mayTakeTokens && this.#live(userKey).length === 0
    if (lastOfUser) this.#endTokens(userKey)
    const isKnown = record !== null || wasListed || this.#space.has(this.#keys.ended(userKey, id))
    if (isKnown || ending.existed || ending.takesTokens) this.#mark(userKey, id, ending)
    return { status: 'done', count: wasLive ? 1 : 0, lastOfUser, durable: false }
  }

  endByUser(userKey: string, ending: Ending, exceptId?: string): number {
    const live = this.#live(userKey)
    const kept = exceptId === undefined ? null : this.#keptRecord(userKey, exceptId)
    const generationTtlMs = this.#space.ttlMs(this.#keys.generation(userKey))
    const ended = live.filter((id) => !(kept && id === exceptId))
    for (const id of ended) {
      this.#space.delete(this.#keys.session(userKey, id))
      this.#index(userKey).delete(id)
      this.#mark(userKey, id, ending)
    }
    if (!kept) this.#endTokens(userKey)
    if (generationTtlMs === null) return 0
    const generation = this.#random.bytes(GENERATION_BYTES)
    this.#space.setBuffer(this.#keys.generation(userKey), generation, generationTtlMs)
    if (kept && exceptId !== undefined) {
      const recordKey = this.#keys.session(userKey, exceptId)
      this.#space.setBuffer(recordKey, stamped(kept, generation), this.#space.ttlMs(recordKey) ?? 1)
    }
    return ended.length
  }

  #endTokens(userKey: string): void {
    const key = this.#keys.tokens(userKey)
    const grants = grantsOf(this.#space.get<Map<string, Buffer>>(key), this.#tokenRevocations.providers)
    this.#tokenRevocations.announce(userKey)
    this.#space.delete(key)
    postGrants(this.#space, this.#keys.revocations(userKey), grants, OUTBOX_LIFE_MS)
    this.#tokenRevocations.moved(userKey)
  }

  list(userKey: string, max: number): Awaited<ReturnType<SessionDriver['list']>> {
    const newestFirst = this.#live(userKey).reverse().slice(0, max)
    return newestFirst.flatMap((id) => {
      const record = this.#keptRecord(userKey, id)
      return record ? [{ id, record }] : []
    })
  }

  /** Returns the record if it has the stored generation. */
  #keptRecord(userKey: string, id: string): Buffer | null {
    const { record, generation } = this.read({ kind: 'user', userKey, id })
    return record && generation?.equals(record.subarray(0, GENERATION_BYTES)) ? record : null
  }

  #write(ref: SessionRef, record: Buffer, life: SessionLife): void {
    this.#space.setBuffer(this.#keys.session(ref.userKey, ref.id), record, life.ttlMs + life.slackMs)
    if (ref.kind === 'anonymous') return
    const index = this.#index(ref.userKey)
    const forgetBeforeMs = this.#now() - life.absoluteMs
    for (const [id, deadlineMs] of index) if (deadlineMs < forgetBeforeMs) index.delete(id)
    index.set(ref.id, this.#now() + life.ttlMs)
    const key = this.#keys.sessions(ref.userKey)
    const lives = life.absoluteMs + life.slackMs
    this.#space.put(key, index, index.size * INDEX_ENTRY_BYTES, Math.max(lives, this.#space.ttlMs(key) ?? 0))
    const generationKey = this.#keys.generation(ref.userKey)
    this.#space.expire(generationKey, Math.max(lives, this.#space.ttlMs(generationKey) ?? 0))
  }

  /** A marker that does not fit is left out. The record is gone all the same. */
  #mark(userKey: string, id: string, ending: Ending): void {
    try {
      this.#space.setBuffer(this.#keys.ended(userKey, id), Buffer.from(ending.reason, 'utf8'), ending.ttlMs)
    } catch {
      // Ending must work on a full store.
    }
  }

  #index(userKey: string): Index {
    return this.#space.get<Index>(this.#keys.sessions(userKey)) ?? new Map<string, number>()
  }

  /** Live ids, earliest deadline first. */
  #live(userKey: string): string[] {
    const nowMs = this.#now()
    return [...this.#index(userKey)]
      .filter(([, deadlineMs]) => deadlineMs > nowMs)
      .sort((a, b) => a[1] - b[1])
      .map(([id]) => id)
  }

  #now(): number {
    return this.#space.clock.now()
  }
}

function stamped(record: Buffer, generation: Buffer): Buffer {
  return Buffer.concat([generation, record.subarray(GENERATION_BYTES)])
}
