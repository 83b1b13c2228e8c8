/**
 * The plugin: before MSAL reads, its memory is replaced by the partition of the user, empty when there is none, so that nobody
 * sees the accounts of whoever came before; after MSAL has changed something, that is merged into what is stored by then, by
 * compare and set. One sealed value per partition, in the hash of a user like all tokens.
 */
import type { Clock } from '../../core/clock.ts'
import { TokenError } from '../../core/errors.ts'
import type { EventBus } from '../../core/events.ts'
import { lookAgain } from '../../core/look-again.ts'
import type { TokenCodec } from '../../token/token-codec.ts'
import type { TokenDriver } from '../../token/token-driver.ts'
import { msalField } from '../../token/token-fields.ts'
import { EMPTY_CACHE, endOfUse, mergeCaches, type MsalCache, parseCache } from './cache-merge.ts'
import type { MsalAccount, MsalCacheContext, MsalCachePlugin, MsalTokenCache } from './types.ts'

const ATTEMPTS = 16

export interface Partitions {
  /** Whose cache is about to be used; `null` or empty: nobody's. */
  current(): Promise<string | null>
  ofAccount(account: MsalAccount): Promise<string>
}

interface Stored {
  readonly text: string | null
  readonly nonce: Buffer | null
}

interface ReadState {
  readonly partition: string
  readonly stored: Stored
}

export function createMsalCachePlugin(deps: {
  readonly driver: TokenDriver
  readonly codec: TokenCodec
  /** The keyed hash under which a partition lies. */
  readonly userKeyOf: (partition: string) => string
  readonly partitions: Partitions
  /** How long a partition with a refresh token is kept without a change. */
  readonly grantLifetimeMs: number
  readonly clock: Clock
  readonly events: EventBus
}): MsalCachePlugin {
  const { driver, codec, partitions, clock, events } = deps
  const states = new WeakMap<MsalCacheContext, ReadState>()

  const openRecord = (userKey: string, record: Buffer | null): Stored => {
    if (!record) return { text: null, nonce: null }
    const opened = codec.openMsal(userKey, msalField, record)
    if (typeof opened !== 'string') return { text: opened.value.cache, nonce: opened.nonce }
    // Taken for empty: the user signs in again and it is written anew. Its nonce can still be compared.
    events.emit('error', {
      code: opened === 'key-unknown' ? 'COATCHECK_KEY_UNKNOWN' : 'unreadable',
      operation: 'msal.read',
    })
    return { text: null, nonce: codec.nonceOf(record) }
  }

  const read = async (partition: string): Promise<Stored> => {
    if (partition === '') return { text: null, nonce: null }
    const userKey = deps.userKeyOf(partition)
    const look = (): Promise<readonly (Buffer | null)[]> => driver.read(userKey, [msalField])
    let [record] = await look()
    const isDoubtful = !record || typeof codec.openMsal(userKey, msalField, record) === 'string'
    if (isDoubtful && driver.confirm) [record] = await lookAgain(driver.confirm(userKey), look())
    return openRecord(userKey, record ?? null)
  }

  const write = async (partition: string, before: MsalCache, now: MsalCache, known: Stored): Promise<void> => {
    const userKey = deps.userKeyOf(partition)
    let stored = known
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const merged = mergeCaches(before, now, parseCache(stored.text))
      const { isEmpty, expiresAtMs } = endOfUse(merged)
      const ttlMs = expiresAtMs === null ? deps.grantLifetimeMs : expiresAtMs - clock.now()
      const isKept = !isEmpty && ttlMs > 0
      const record = codec.sealMsal(userKey, msalField, { cache: JSON.stringify(merged) })
      const written = await driver.write(userKey, {
        set: new Map(isKept ? [[msalField, { record, ttlMs }]] : []),
        ...(!isKept && { remove: { fields: [msalField] } }),
        expect: { field: msalField, nonce: stored.nonce },
      })
      if (written.status === 'done') return
      stored = openRecord(userKey, written.current)
    }
    throw new TokenError('COATCHECK_TOKEN_CONFLICT', { details: { operation: 'msal.write' } })
  }

  return {
    async beforeCacheAccess(context) {
      const partition = (await partitions.current()) ?? ''
      const stored = await read(partition)
      states.set(context, { partition, stored })
      clearMemory(context.tokenCache)
      context.tokenCache.deserialize(stored.text ?? EMPTY_CACHE)
    },

    async afterCacheAccess(context) {
      if (!context.cacheHasChanged) return
      const state = states.get(context)
      const now = parseCache(context.tokenCache.serialize())
      const before = parseCache(state?.stored.text ?? null)
      const account = firstAccount(now)
      const partition = account
        ? await partitions.ofAccount(account)
        : (state?.partition ?? (await partitions.current()))
      if (!partition) return
      // A first sign-in ends up elsewhere than it began: only what it added goes there.
      const known = state?.partition === partition ? state.stored : await read(partition)
      await write(partition, before, now, known)
    },
  }
}

/**
 * `deserialize` adds to what MSAL has in memory. In an application object that several users share, the accounts of whoever came
 * before would stay, and be written into the next partition. All three majors keep their memory under this name.
 */
function clearMemory(tokenCache: MsalTokenCache): void {
  const { storage } = tokenCache as MsalTokenCache & { readonly storage?: { clear?(): void } }
  storage?.clear?.()
}

/** The one that a partition is about: MSAL's own plugin takes the first as well. */
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
