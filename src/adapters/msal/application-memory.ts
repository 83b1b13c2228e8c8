/**
 * The memory of an MSAL application object: one partition at a time. MSAL fills it before an access and reads it afterwards, so a request
 * has it alone from `load` to `unload`. Without that, the tokens of one user could be stored in the partition of another.
 *
 * Access tokens on behalf of a user stay in memory when the next partition is loaded: MSAL looks for them without a call of the plugin.
 * They belong to the hash of the assertion that they were requested with, and MSAL finds them by that hash only.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { EMPTY_CACHE, type MsalCache, parseCache } from './cache-merge.ts'
import type { MsalCacheContext, MsalTokenCache } from './types.ts'

/** Between `load` and `unload`, MSAL only changes its memory. A request that has failed in between unloads nothing. */
const TURNS_AT_MOST = 16
const LENT_AT_MOST = 500

export interface ApplicationMemory {
  /** Replaces the memory by a partition. Waits for the request that has the memory. */
  load(context: MsalCacheContext, partition: string, text: string | null): Promise<void>
  /** What MSAL has of this partition; `null` if it changed nothing, or if another request has loaded the memory since. */
  unload(context: MsalCacheContext): MsalCache | null
  /** Tells where the entries of the last `unload` were stored, if not in the partition that was loaded. */
  movedTo(context: MsalCacheContext, partition: string): void
}

/** The part of MSAL's `NodeStorage` that all three majors have. */
interface Storage {
  getKeys(): string[]
  getItem(key: string): unknown
  removeItem(key: string): unknown
  isAuthorityMetadata(key: string): boolean
}

interface Lent {
  readonly partition: string
  readonly secret: string
}

interface Memory {
  holder: MsalCacheContext | null
  /** The request that loaded last, and the partition that it loaded. */
  last: MsalCacheContext | null
  partition: string
  /** Entries of other partitions, by MSAL's key. */
  lent: Map<string, Lent>
}

export function createApplicationMemory(nowMs: () => number): ApplicationMemory {
  const memories = new WeakMap<MsalTokenCache, Memory>()
  const memoryOf = ({ tokenCache }: MsalCacheContext): Memory => {
    const memory: Memory = memories.get(tokenCache) ?? { holder: null, last: null, partition: '', lent: new Map() }
    memories.set(tokenCache, memory)
    return memory
  }

  return {
    async load(context, partition, text) {
      const memory = memoryOf(context)
      for (let turn = 0; memory.holder !== null && turn < TURNS_AT_MOST; turn++) await nextTurn()
      memory.holder = context
      memory.last = context
      memory.lent = keepLent(context.tokenCache, memory, partition, parseCache(text), nowMs())
      memory.partition = partition
      context.tokenCache.deserialize(text ?? EMPTY_CACHE)
    },

    unload(context) {
      const memory = memoryOf(context)
      if (memory.holder !== context) return null
      memory.holder = null
      if (!context.cacheHasChanged) return null
      const cache = parseCache(context.tokenCache.serialize())
      const isOwn = ([key, entry]: [string, unknown]): boolean => memory.lent.get(key)?.secret !== secretOf(entry)
      return { ...cache, AccessToken: Object.fromEntries(Object.entries(cache['AccessToken'] ?? {}).filter(isOwn)) }
    },

    movedTo(context, partition) {
      const memory = memoryOf(context)
      if (memory.last === context) memory.partition = partition
    },
  }
}

/**
 * Empties the memory but for tokens on behalf of users of other partitions. `deserialize` only adds: without this, the accounts of the
 * request before would be written into this partition.
 * @returns the entries that stayed
 */
function keepLent(
  tokenCache: MsalTokenCache,
  memory: Memory,
  partition: string,
  stored: MsalCache,
  nowMs: number,
): Map<string, Lent> {
  const { storage } = tokenCache as MsalTokenCache & { readonly storage?: Storage }
  const kept = new Map<string, Lent>()
  for (const key of storage?.getKeys() ?? []) {
    if (storage?.isAuthorityMetadata(key)) continue
    const entry = storage?.getItem(key)
    const secret = secretOf(entry)
    const before = memory.lent.get(key)
    const owner = before?.secret === secret ? before.partition : memory.partition
    const isKept = owner !== partition && isOnBehalf(entry, nowMs) && !stored['AccessToken']?.[key]
    if (isKept) kept.set(key, { partition: owner, secret })
    else storage?.removeItem(key)
  }
  for (const [key] of [...kept].slice(0, Math.max(0, kept.size - LENT_AT_MOST))) {
    storage?.removeItem(key)
    kept.delete(key)
  }
  return kept
}

function isOnBehalf(entry: unknown, nowMs: number): boolean {
  const { userAssertionHash, expiresOn } = (entry ?? {}) as Readonly<Record<string, unknown>>
  return typeof userAssertionHash === 'string' && userAssertionHash !== '' && Number(expiresOn) * 1000 > nowMs
}

function secretOf(entry: unknown): string {
  const { secret } = (entry ?? {}) as Readonly<Record<string, unknown>>
  return typeof secret === 'string' ? secret : ''
}
