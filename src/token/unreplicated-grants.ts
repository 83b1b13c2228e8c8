/**
 * Grants that the store has committed and may lose, because no replica has acknowledged them. If such a replica is promoted, the store
 * holds the previous grant again. Its refresh token is already used, and a provider that detects reuse ends the whole token family. So this
 * process remembers the grants that it committed and the families that it ended, until a later change of the same grant is durable. When
 * the store may have become another server, it reconciles (docs/decisions/0016):
 *
 * - If the store holds an older grant of the same family, or the grant that a sign-in replaced, this process commits its own grant again.
 * - If the store holds a family that this process ended, it deletes that family again.
 * - Any other grant comes from another process and stays. If no grant is stored, it does not recreate one: a lost grant looks like a
 *   deleted one, and a deleted grant must never come back.
 *
 * The store may have become another server after each outage, and after each commit without an acknowledgement: the notice of the outage
 * may arrive during the wait for the acknowledgement, or only on another connection. Until it has reconciled, this process does not use the
 * stored grant. Other processes take over no lease for a moment after an outage. Without `durability` this module keeps nothing and asks
 * nothing.
 */
import type { Clock } from '../core/clock.ts'
import type { EventBus } from '../core/events.ts'
import { MAX_ENDED_FAMILIES, MAX_WAITING, REMEMBERED_MS } from '../core/loss-limits.ts'
import type { Grant, Opened, TokenCodec } from './token-codec.ts'
import type { TokenChange, TokenDriver, TokenRecord } from './token-driver.ts'
import { fieldsOf, grantField, type GrantName } from './token-fields.ts'
import type { Schedule } from './uncommitted-grants.ts'

export interface UnreplicatedGrants {
  /** Whether the store may have lost this grant since the last reconciliation. */
  isSuspect(name: GrantName): boolean
  /**
   * Compares the stored grant with the grant of this process and repairs it. Rejects if the store does not answer: the caller must not use
   * the stored grant then.
   */
  reconcile(name: GrantName): Promise<void>
  /**
   * Reports a successful commit. @param durable `undefined`: the driver asked no replica
   * @param replaced the nonce of the grant that a sign-in has replaced
   */
  committed(
    name: GrantName,
    grant: Grant,
    set: TokenChange['set'],
    durable: boolean | undefined,
    replaced?: Buffer | null,
  ): void
  /** Reports that tokens were deleted on purpose. @param family the token family that was deleted */
  ended(name: GrantName, family: string, durable: boolean | undefined): void
  close(): void
}

interface Commit {
  readonly grant: Grant
  readonly set: TokenChange['set']
  readonly replaced: Buffer | null
  /** Monotonic. */
  readonly atMs: number
}

interface Unreplicated {
  readonly name: GrantName
  readonly commit: Commit | null
  /** Token families. */
  readonly ended: ReadonlySet<string>
  readonly untilMs: number
  isSuspect: boolean
}

const RETRY_MS = 250

function latest(before: ReadonlySet<string> | undefined, family: string): ReadonlySet<string> {
  return new Set([...(before ?? []), family].slice(-MAX_ENDED_FAMILIES))
}

export function createUnreplicatedGrants(deps: {
  driver: TokenDriver
  codec: TokenCodec
  clock: Clock
  events: EventBus
  schedule: Schedule
  /** Runs the task in a serial queue with the refreshes of the same grant. */
  inTurn: <T>(userKey: string, provider: string, task: () => Promise<T>) => Promise<T>
}): UnreplicatedGrants {
  const { driver, codec, clock, events, schedule, inTurn } = deps
  const kept = new Map<string, Unreplicated>()
  /** How many outages of the store this process has seen. */
  let outages = 0
  let cancelRetry = (): void => undefined
  const keyOf = ({ userKey, provider }: GrantName): string => `${userKey} ${provider}`

  const keep = (name: GrantName, commit: Commit | null, ended: ReadonlySet<string>): void => {
    const key = keyOf(name)
    kept.delete(key)
    kept.set(key, { name, commit, ended, untilMs: clock.monotonic() + REMEMBERED_MS, isSuspect: true })
    void reconcileAll()
    if (kept.size <= MAX_WAITING) return
    const [oldest = ''] = kept.keys()
    kept.delete(oldest)
    events.emit('error', { code: 'COATCHECK_REDIS_OVERLOADED', operation: 'token.unreplicated-grants' })
  }

  const read = async ({ userKey, provider }: GrantName): Promise<Opened<Grant> | null> => {
    const field = grantField(provider)
    const [record] = await driver.read(userKey, [field])
    const opened = record ? codec.openGrant(userKey, field, record) : null
    return typeof opened === 'string' ? null : opened
  }

  const mend = async (unreplicated: Unreplicated, stored: Opened<Grant>): Promise<boolean | undefined> => {
    const { userKey, provider } = unreplicated.name
    const expect = { field: grantField(provider), nonce: stored.nonce }
    if (unreplicated.ended.has(stored.value.family)) {
      return (await driver.delete(userKey, fieldsOf(provider), expect)).durable
    }
    if (unreplicated.commit === null || !isBehind(unreplicated.commit, stored)) return undefined
    const set = remaining(unreplicated.commit, clock.monotonic())
    const written = await driver.write(userKey, { set, expect, lasting: true })
    // Refused: another caller committed or deleted at the same moment. The next reconciliation sees it.
    if (written.status === 'done') events.emit('token.grant-restored', { userKey, provider })
    return written.status === 'done' && written.durable
  }

  const reconcile = async (name: GrantName): Promise<void> => {
    const unreplicated = kept.get(keyOf(name))
    if (!unreplicated?.isSuspect) return
    const before = outages
    const stored = await read(name)
    const durable = stored === null ? undefined : await mend(unreplicated, stored)
    if (kept.get(keyOf(name)) !== unreplicated) return
    // The store may be yet another server by now.
    if (outages !== before) return reconcile(name)
    unreplicated.isSuspect = false
    const isOver = clock.monotonic() > unreplicated.untilMs || (stored === null && unreplicated.ended.size === 0)
    if (durable === true || isOver) kept.delete(keyOf(name))
  }

  const reconcileAll = async (): Promise<void> => {
    cancelRetry()
    const suspects = [...kept.values()].filter(({ isSuspect }) => isSuspect)
    const done = await Promise.allSettled(
      suspects.map(({ name }) => inTurn(name.userKey, name.provider, () => reconcile(name))),
    )
    if (done.every(({ status }) => status === 'fulfilled')) return
    cancelRetry = schedule(() => void reconcileAll(), RETRY_MS)
  }

  driver.whenBack?.(() => {
    outages++
    for (const unreplicated of kept.values()) unreplicated.isSuspect = true
    if (kept.size > 0) void reconcileAll()
  })

  return {
    isSuspect: (name) => kept.size > 0 && kept.get(keyOf(name))?.isSuspect === true,
    reconcile,

    committed(name, grant, set, durable, replaced = null) {
      const before = kept.get(keyOf(name))
      // Replication is one stream: a replica that has this write has all earlier writes.
      if (durable !== false) {
        kept.delete(keyOf(name))
        return
      }
      const isNext = before?.commit?.grant.family === grant.family
      const all = isNext ? new Map([...remaining(before.commit, clock.monotonic()), ...set]) : set
      const commit = { grant, set: all, replaced: isNext ? before.commit.replaced : replaced }
      keep(name, { ...commit, atMs: clock.monotonic() }, before?.ended ?? new Set())
    },

    ended(name, family, durable) {
      if (durable === false) keep(name, null, latest(kept.get(keyOf(name))?.ended, family))
      else kept.delete(keyOf(name))
    },

    close() {
      cancelRetry()
      kept.clear()
    },
  }
}

function isBehind({ grant, replaced }: Commit, { value, nonce }: Opened<Grant>): boolean {
  if (value.family === grant.family) return value.refreshCount < grant.refreshCount
  return replaced !== null && replaced.equals(nonce)
}

/** Each record keeps its original end of life. */
function remaining({ set, atMs }: Commit, nowMs: number): Map<string, TokenRecord> {
  const left = [...set].map(([field, { record, ttlMs }]) => [field, { record, ttlMs: ttlMs - (nowMs - atMs) }] as const)
  return new Map(left.filter(([, { ttlMs }]) => ttlMs > 0))
}
