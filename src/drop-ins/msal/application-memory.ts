/**
 * Guards the memory of an MSAL application object, which holds one partition at a time. MSAL calls the plugin before and after it uses the
 * memory. One request holds the memory from `load` to `unload`. Otherwise the tokens of one user could be stored in the partition of
 * another.
 *
 * When the plugin loads the next partition, it retains access tokens on behalf of users, because MSAL looks for them without a call of the
 * plugin. MSAL finds such a token only by the hash of the assertion with which it was requested.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { EMPTY_CACHE, type MsalCache, parseCache } from './cache-merge.ts'
import type { MsalCacheContext, MsalTokenCache } from './types.ts'

/**
 * How many turns of the event loop a request waits for the memory. Between `load` and `unload`, MSAL only changes its memory. So a holder
 * that takes longer has failed, and never unloads.
 */
const MAX_TURNS = 16
const MAX_RETAINED_TOKENS = 500
/** MSAL's `credentialType` of access tokens, in lower case: bearer tokens, and those bound to a key. */
const ACCESS_TOKEN_TYPES = new Set(['accesstoken', 'accesstoken_with_authscheme'])

export interface ApplicationMemory {
  /** Replaces the memory by a partition. Waits for the request that holds the memory. */
  load(context: MsalCacheContext, partition: string, text: string | null): Promise<void>
  /** Returns MSAL's entries of this partition; `null` if MSAL changed nothing, or if another request has loaded the memory since. */
  unload(context: MsalCacheContext): MsalCache | null
  /** The plugin stored the entries of the last `unload` in this partition, which may differ from the one that it loaded. */
  movedTo(context: MsalCacheContext, partition: string): void
}

/** The part of MSAL's `NodeStorage` that all three majors have. */
interface Storage {
  getKeys(): string[]
  getItem(key: string): unknown
  removeItem(key: string): unknown
  isAuthorityMetadata(key: string): boolean
}

interface RetainedToken {
  readonly partition: string
  readonly secret: string
}

interface Memory {
  holder: MsalCacheContext | null
  /** The request that loaded last, and the partition that it loaded. */
  last: MsalCacheContext | null
  partition: string
  /** Access tokens of other partitions, by MSAL's key. */
  retained: Map<string, RetainedToken>
}

export function createApplicationMemory(nowMs: () => number): ApplicationMemory {
  const memories = new WeakMap<MsalTokenCache, Memory>()
  const memoryOf = ({ tokenCache }: MsalCacheContext): Memory => {
    const memory: Memory = memories.get(tokenCache) ?? { holder: null, last: null, partition: '', retained: new Map() }
    memories.set(tokenCache, memory)
    return memory
  }

  return {
    async load(context, partition, text) {
      const memory = memoryOf(context)
      for (let turn = 0; memory.holder !== null && turn < MAX_TURNS; turn++) await nextTurn()
      memory.holder = context
      memory.last = context
      memory.retained = clearMemory(context.tokenCache, memory, partition, parseCache(text), nowMs())
      memory.partition = partition
      context.tokenCache.deserialize(text ?? EMPTY_CACHE)
    },

    unload(context) {
      const memory = memoryOf(context)
      if (memory.holder !== context) return null
      memory.holder = null
      if (!context.cacheHasChanged) return null
      const cache = parseCache(context.tokenCache.serialize())
      const isOwn = ([key, entry]: [string, unknown]): boolean => memory.retained.get(key)?.secret !== secretOf(entry)
      return { ...cache, AccessToken: Object.fromEntries(Object.entries(cache['AccessToken'] ?? {}).filter(isOwn)) }
    },

    movedTo(context, partition) {
      const memory = memoryOf(context)
      if (memory.last === context) memory.partition = partition
    },
  }
}

/**
 * Empties the memory, except for tokens on behalf of users of other partitions. `deserialize` only adds: without this, the plugin would
 * store the accounts of the previous request in this partition.
 * @returns the tokens that stayed
 */
function clearMemory(
  tokenCache: MsalTokenCache,
  memory: Memory,
  partition: string,
  stored: MsalCache,
  nowMs: number,
): Map<string, RetainedToken> {
  const { storage } = tokenCache as MsalTokenCache & { readonly storage?: Storage }
  const kept = new Map<string, RetainedToken>()
  for (const key of storage?.getKeys() ?? []) {
    if (storage?.isAuthorityMetadata(key)) continue
    const entry = storage?.getItem(key)
    const secret = secretOf(entry)
    const before = memory.retained.get(key)
    const owner = before?.secret === secret ? before.partition : memory.partition
    const isKept = owner !== partition && isOnBehalf(entry, nowMs) && !stored['AccessToken']?.[key]
    if (isKept) kept.set(key, { partition: owner, secret })
    else storage?.removeItem(key)
  }
  for (const [key] of [...kept].slice(0, Math.max(0, kept.size - MAX_RETAINED_TOKENS))) {
    storage?.removeItem(key)
    kept.delete(key)
  }
  return kept
}

/** MSAL also gives a refresh token the hash of an assertion. Such a token belongs to its partition alone. */
function isOnBehalf(entry: unknown, nowMs: number): boolean {
  const { credentialType, userAssertionHash, expiresOn } = (entry ?? {}) as Readonly<Record<string, unknown>>
  const isAccessToken = typeof credentialType === 'string' && ACCESS_TOKEN_TYPES.has(credentialType.toLowerCase())
  const hasAssertion = typeof userAssertionHash === 'string' && userAssertionHash !== ''
  return isAccessToken && hasAssertion && Number(expiresOn) * 1000 > nowMs
}

function secretOf(entry: unknown): string {
  const { secret } = (entry ?? {}) as Readonly<Record<string, unknown>>
  return typeof secret === 'string' ? secret : ''
}
