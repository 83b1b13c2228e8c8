/**
 * Grants that the provider has issued and the store has not committed yet. With rotation, the previous refresh token is already used, so
 * this process holds the only valid one. It keeps the grant, serves it, and commits it when the store answers again. The commit is the
 * usual compare-and-set: it never overwrites tokens that were deleted or replaced meanwhile.
 */
import { END_OF_LIFE_BYTES } from '../keyring/record-layout.ts'
import type { Clock } from '../core/clock.ts'
import { nonceOf } from '../keyring/seal.ts'
import type { AccessEntry, Grant, TokenCodec } from './token-codec.ts'
import type { TokenChange, TokenDriver, TokenWritten } from './token-driver.ts'
import { grantField } from './token-fields.ts'

/** The result of a refresh, ready to be stored. The change expects the grant that was refreshed. */
export interface Commit {
  readonly userKey: string
  readonly provider: string
  readonly grant: Grant
  readonly targetKey: string
  /** `null`: the refresh brought a refresh token, but no usable access token. */
  readonly entry: AccessEntry | null
  readonly change: TokenChange & { readonly expect: NonNullable<TokenChange['expect']> }
}

/** `kept`: the store did not answer. Nothing is lost while this process lives. */
export type Committed = TokenWritten | { readonly status: 'kept'; readonly cause: unknown }

export interface Uncommitted {
  readonly grant: Grant
  readonly entries: ReadonlyMap<string, AccessEntry>
}

export interface UncommittedGrants {
  has(userKey: string, provider: string): boolean
  /** Stores the commit together with earlier uncommitted grants of the same family. Never rejects. */
  commit(commit: Commit): Promise<Committed>
  /** Saves the grant if an attempt is due. Returns the grant that is still uncommitted, or `null`. */
  saveIfDue(userKey: string, provider: string): Promise<Uncommitted | null>
  /** The sign-in of the grants is over, and the store knows it. The grants are reported as `ended`. */
  forget(userKey: string, provider?: string): void
  /** Tries to save each grant once more and stops trying. */
  close(): Promise<void>
}

/** Runs a task later without keeping the process alive. Returns a function that cancels it. */
export type Schedule = (run: () => void, delayMs: number) => () => void

export const scheduleTimer: Schedule = (run, delayMs) => {
  const timer = setTimeout(run, delayMs).unref()
  return () => clearTimeout(timer)
}

const FIRST_RETRY_MS = 100
/** Well below the moment when others may take over a lease after an outage: the only copy of a grant must be saved first. */
const MAX_RETRY_MS = 500

interface Kept {
  readonly userKey: string
  readonly provider: string
  readonly grant: Grant
  readonly entries: ReadonlyMap<string, AccessEntry>
  readonly change: Commit['change']
  /** Nonces of this process that the store may hold: an attempt without an answer may have succeeded. */
  readonly ownNonces: readonly Buffer[]
  readonly attempts: number
  readonly retryAtMs: number
  readonly cancel: () => void
}

export function createUncommittedGrants(deps: {
  driver: TokenDriver
  codec: TokenCodec
  clock: Clock
  schedule: Schedule
  /** Runs the task in a serial queue with the refreshes of the same grant. */
  inTurn: <T>(userKey: string, provider: string, task: () => Promise<T>) => Promise<T>
  /** Called when a grant is stored, after a retry or immediately. */
  committed: (commit: Pick<Commit, 'userKey' | 'provider' | 'grant' | 'change'>, durable: boolean | undefined) => void
  /**
   * Reports the end of a kept grant. Refused: it was deleted or replaced meanwhile. Ended: this process has deleted or replaced it, and
   * holds the only copy of its refresh token.
   */
  reportOutcome: (outcome: 'saved' | 'refused' | 'ended', kept: Pick<Commit, 'userKey' | 'provider' | 'grant'>) => void
}): UncommittedGrants {
  const { driver, codec, clock, schedule, inTurn, committed, reportOutcome } = deps
  const kept = new Map<string, Kept>()
  const nameOf = (userKey: string, provider: string): string => `${userKey} ${provider}`

  const attempt = async (
    { userKey, provider, grant, change }: Omit<Commit, 'targetKey' | 'entry'>,
    ownNonces: readonly Buffer[],
  ): Promise<TokenWritten> => {
    const written = await driver.write(userKey, change)
    if (written.status === 'done' || !written.current) return written
    const nonce = nonceOf(written.current, END_OF_LIFE_BYTES)
    const isOwn = ownNonces.some((own) => own.equals(nonce))
    if (!isOwn && !hasFallenBehind(userKey, provider, written.current, grant)) return written
    return driver.write(userKey, { ...change, expect: { field: change.expect.field, nonce } })
  }

  /**
   * Refresh counts only grow. A stored grant that is older than the base of the commit came back with a failover, and its refresh token is
   * already used.
   */
  const hasFallenBehind = (
    userKey: string,
    provider: string,
    current: Buffer,
    { family, refreshCount }: Grant,
  ): boolean => {
    const opened = codec.openGrant(userKey, grantField(provider), current)
    if (typeof opened === 'string') return false
    return opened.value.family === family && opened.value.refreshCount < refreshCount - 1
  }

  const drop = (name: string): void => {
    kept.get(name)?.cancel()
    kept.delete(name)
  }

  const keep = (name: string, work: Omit<Kept, 'cancel' | 'retryAtMs'>): void => {
    drop(name)
    const delayMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(work.attempts, 10))
    const retry = (): void => void inTurn(work.userKey, work.provider, () => save(name)).catch(() => undefined)
    kept.set(name, { ...work, retryAtMs: clock.monotonic() + delayMs, cancel: schedule(retry, delayMs) })
  }

  const save = async (name: string): Promise<void> => {
    const work = kept.get(name)
    if (!work) return
    try {
      const written = await attempt(work, work.ownNonces)
      const { status } = written
      if (written.status === 'done') committed(work, written.durable)
      if (kept.get(name) !== work) return
      // A refusal is also final: another caller has deleted or replaced the grant since.
      drop(name)
      reportOutcome(status === 'done' ? 'saved' : 'refused', work)
    } catch {
      if (kept.get(name) === work) keep(name, { ...work, attempts: work.attempts + 1 })
    }
  }

  return {
    has: (userKey, provider) => kept.size > 0 && kept.has(nameOf(userKey, provider)),

    async commit({ userKey, provider, grant, targetKey, entry, change }) {
      const name = nameOf(userKey, provider)
      const before = kept.get(name)
      const merged = before
        ? { ...change, set: new Map([...before.change.set, ...change.set]), expect: before.change.expect }
        : change
      const record = change.set.get(grantField(provider))?.record
      const ownNonces = [...(before?.ownNonces ?? []), ...(record ? [nonceOf(record, END_OF_LIFE_BYTES)] : [])]
      try {
        const written = await attempt({ userKey, provider, grant, change: merged }, ownNonces)
        if (written.status === 'done') committed({ userKey, provider, grant, change: merged }, written.durable)
        if (before && kept.get(name) === before) {
          drop(name)
          reportOutcome(written.status === 'done' ? 'saved' : 'refused', before)
        }
        return written
      } catch (cause) {
        const entries = new Map([...(before?.entries ?? []), ...(entry ? [[targetKey, entry] as const] : [])])
        keep(name, { userKey, provider, grant, entries, change: merged, ownNonces, attempts: 0 })
        return { status: 'kept', cause }
      }
    },

    async saveIfDue(userKey, provider) {
      const name = nameOf(userKey, provider)
      const work = kept.get(name)
      if (work && work.retryAtMs <= clock.monotonic()) await save(name)
      return kept.get(name) ?? null
    },

    forget(userKey, provider) {
      for (const [name, work] of kept) {
        if (work.userKey !== userKey || (provider !== undefined && work.provider !== provider)) continue
        drop(name)
        reportOutcome('ended', work)
      }
    },

    async close() {
      const names = [...kept.keys()]
      await Promise.all(names.map((name) => save(name)))
      for (const name of names) drop(name)
    },
  }
}
