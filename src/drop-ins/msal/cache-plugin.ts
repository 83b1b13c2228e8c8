/**
 * MSAL's cache plugin. Before MSAL reads, the plugin replaces MSAL's memory by the stored partition of the user, which may be empty. So
 * no user sees the accounts of the previous request. After MSAL has changed its memory, the plugin merges the change into the stored
 * partition, by compare and set.
 */
import { type MsalCache, parseCache } from './cache-merge.ts'
import type { ApplicationMemory } from './application-memory.ts'
import type { Partitioned, StoredPartition } from './partition-store.ts'
import type { MsalAccount, MsalCacheContext, MsalCachePlugin } from './types.ts'

export interface Partitions {
  /** The partition that MSAL is about to use. `null` or empty: none. */
  current(): Promise<string | null>
  ofAccount(account: MsalAccount): Promise<string>
}

interface ReadState {
  readonly partition: string
  readonly stored: StoredPartition
}

export function createMsalCachePlugin(deps: {
  readonly store: Partitioned
  readonly memory: ApplicationMemory
  readonly partitions: Partitions
}): MsalCachePlugin {
  const { store, memory, partitions } = deps
  const states = new WeakMap<MsalCacheContext, ReadState>()

  return {
    async beforeCacheAccess(context) {
      const partition = (await partitions.current()) ?? ''
      const stored = await store.read(partition)
      await memory.load(context, partition, stored.text)
      states.set(context, { partition, stored })
    },

    async afterCacheAccess(context) {
      const now = memory.unload(context)
      const state = states.get(context)
      if (!now || !state) return
      const before = parseCache(state.stored.text)
      const account = firstAccount(now)
      const partition = account ? await partitions.ofAccount(account) : state.partition
      if (!partition) return
      memory.movedTo(context, partition)
      // A first sign-in ends in another partition than it began. Only the entries that it added go there.
      const known = state.partition === partition ? state.stored : await store.read(partition)
      await store.change(partition, { before, now }, known)
    },
  }
}

/** The account of a partition: MSAL's own plugin also takes the first one. */
function firstAccount(cache: MsalCache): MsalAccount | null {
  const [entry] = Object.values(cache['Account'] ?? {}) as Readonly<Record<string, unknown>>[]
  if (!entry) return null
  const text = (name: string): string => (typeof entry[name] === 'string' ? entry[name] : '')
  return {
    homeAccountId: text('home_account_id'),
    environment: text('environment'),
    localAccountId: text('local_account_id'),
    username: text('username'),
    realm: text('realm'),
  }
}
