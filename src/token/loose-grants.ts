/**
 * Grants that the store has taken and may lose: no replica has acknowledged them, and the promotion of one would bring back the
 * grant before. Its refresh token is dead by then, and a provider that watches for reuse ends the whole grant when it is used
 * once more. So this process remembers what it committed, and what it ended, until something later of the same grant is
 * durable; and when the store may be another server (docs/decisions/0016):
 *
 * - A stored grant that is older of the same lineage, or the very one that a sign-in replaced, is brought up to date.
 * - A grant that was ended here is ended again.
 * - Anything else was decided by somebody else, and stays. So does nothing at all: nobody could tell a grant that was lost from
 *   one that was deleted, and what was ended must not come back.
 *
 * The store counts as another server whenever it has been away, and also after each commit that no replica has acknowledged: that
 * it was away may have been heard while the acknowledgement was still waited for, or be heard of on another connection only.
 * Until that has been looked at, nobody in this process uses what is stored; other processes take no lease over for a moment
 * after an outage. Without `durability` nothing is kept here, and nothing is asked.
 */
import type { Clock } from '../core/clock.ts'
import type { EventBus } from '../core/events.ts'
import type { Grant, Opened, TokenCodec } from './token-codec.ts'
import type { TokenChange, TokenDriver, TokenRecord } from './token-driver.ts'
import { fieldsOf, grantField, type GrantName } from './token-fields.ts'
import type { Schedule } from './unsaved-grants.ts'

export interface LooseGrants {
  /** The store may have lost something of this grant, and it has not been looked at yet. */
  isSuspect(name: GrantName): boolean
  /** Looks, and mends. Rejects when the store cannot be asked: then what is stored must not be used. */
  settle(name: GrantName): Promise<void>
  /**
   * A commit that is done. @param durable `undefined`: nobody was asked
   * @param replaced the nonce of the grant that a sign-in has replaced
   */
  committed(
    name: GrantName,
    grant: Grant,
    set: TokenChange['set'],
    durable: boolean | undefined,
    replaced?: Buffer | null,
  ): void
  /** Tokens were deleted by decision. @param lineage of the sign-in that was ended with it */
  ended(name: GrantName, lineage: string, durable: boolean | undefined): void
  close(): void
}

interface Commit {
  readonly grant: Grant
  readonly set: TokenChange['set']
  readonly replaced: Buffer | null
  /** Monotonic. */
  readonly atMs: number
}

interface Loose {
  readonly name: GrantName
  readonly commit: Commit | null
  /** Lineages. */
  readonly ended: ReadonlySet<string>
  readonly untilMs: number
  isSuspect: boolean
}

const MOST = 10_000
const LIFE_MS = 24 * 3_600_000
const RETRY_MS = 250
/** Sign-ins of one user that ended and are remembered. */
const MOST_ENDED = 32

function latest(before: ReadonlySet<string> | undefined, lineage: string): ReadonlySet<string> {
  return new Set([...(before ?? []), lineage].slice(-MOST_ENDED))
}

export function createLooseGrants(deps: {
  driver: TokenDriver
  codec: TokenCodec
  clock: Clock
  events: EventBus
  schedule: Schedule
  /** One after the other with the refreshes of the same grant. */
  inTurn: <T>(userKey: string, provider: string, task: () => Promise<T>) => Promise<T>
}): LooseGrants {
  const { driver, codec, clock, events, schedule, inTurn } = deps
  const kept = new Map<string, Loose>()
  /** How often the store has been away. */
  let outages = 0
  let cancelRetry = (): void => undefined
  const keyOf = ({ userKey, provider }: GrantName): string => `${userKey} ${provider}`

  const keep = (name: GrantName, commit: Commit | null, ended: ReadonlySet<string>): void => {
    const key = keyOf(name)
    kept.delete(key)
    kept.set(key, { name, commit, ended, untilMs: clock.monotonic() + LIFE_MS, isSuspect: true })
    void settleAll()
    if (kept.size <= MOST) return
    const [oldest = ''] = kept.keys()
    kept.delete(oldest)
    events.emit('error', { code: 'COATCHECK_REDIS_OVERLOADED', operation: 'token.loose-grants' })
  }

  const read = async ({ userKey, provider }: GrantName): Promise<Opened<Grant> | null> => {
    const field = grantField(provider)
    const [record] = await driver.read(userKey, [field])
    const opened = record ? codec.openGrant(userKey, field, record) : null
    return typeof opened === 'string' ? null : opened
  }

  const mend = async (loose: Loose, stored: Opened<Grant>): Promise<boolean | undefined> => {
    const { userKey, provider } = loose.name
    const expect = { field: grantField(provider), nonce: stored.nonce }
    if (loose.ended.has(stored.value.lineage)) {
      return (await driver.delete(userKey, fieldsOf(provider), expect)).durable
    }
    if (loose.commit === null || !isBehind(loose.commit, stored)) return undefined
    const set = remaining(loose.commit, clock.monotonic())
    const written = await driver.write(userKey, { set, expect, lasting: true })
    // Refused: somebody has committed or deleted in this very moment. The next look sees it.
    if (written.status === 'done') events.emit('token.grant-restored', { userKey, provider })
    return written.status === 'done' && written.durable
  }

  const settle = async (name: GrantName): Promise<void> => {
    const loose = kept.get(keyOf(name))
    if (!loose?.isSuspect) return
    const before = outages
    const stored = await read(name)
    const durable = stored === null ? undefined : await mend(loose, stored)
    if (kept.get(keyOf(name)) !== loose) return
    // It may be yet another server by now.
    if (outages !== before) return settle(name)
    loose.isSuspect = false
    const isOver = clock.monotonic() > loose.untilMs || (stored === null && loose.ended.size === 0)
    if (durable === true || isOver) kept.delete(keyOf(name))
  }

  const settleAll = async (): Promise<void> => {
    cancelRetry()
    const suspects = [...kept.values()].filter(({ isSuspect }) => isSuspect)
    const done = await Promise.allSettled(
      suspects.map(({ name }) => inTurn(name.userKey, name.provider, () => settle(name))),
    )
    if (done.every(({ status }) => status === 'fulfilled')) return
    cancelRetry = schedule(() => void settleAll(), RETRY_MS)
  }

  driver.whenBack?.(() => {
    outages++
    for (const loose of kept.values()) loose.isSuspect = true
    if (kept.size > 0) void settleAll()
  })

  return {
    isSuspect: (name) => kept.size > 0 && kept.get(keyOf(name))?.isSuspect === true,
    settle,

    committed(name, grant, set, durable, replaced = null) {
      const before = kept.get(keyOf(name))
      // Replication is one stream: who has this has all that was before it.
      if (durable !== false) {
        kept.delete(keyOf(name))
        return
      }
      const isNext = before?.commit?.grant.lineage === grant.lineage
      const all = isNext ? new Map([...remaining(before.commit, clock.monotonic()), ...set]) : set
      const commit = { grant, set: all, replaced: isNext ? before.commit.replaced : replaced }
      keep(name, { ...commit, atMs: clock.monotonic() }, before?.ended ?? new Set())
    },

    ended(name, lineage, durable) {
      if (durable === false) keep(name, null, latest(kept.get(keyOf(name))?.ended, lineage))
      else kept.delete(keyOf(name))
    },

    close() {
      cancelRetry()
      kept.clear()
    },
  }
}

function isBehind({ grant, replaced }: Commit, { value, nonce }: Opened<Grant>): boolean {
  if (value.lineage === grant.lineage) return value.generation < grant.generation
  return replaced !== null && replaced.equals(nonce)
}

/** As long as they would have lived. */
function remaining({ set, atMs }: Commit, nowMs: number): Map<string, TokenRecord> {
  const left = [...set].map(([field, { record, ttlMs }]) => [field, { record, ttlMs: ttlMs - (nowMs - atMs) }] as const)
  return new Map(left.filter(([, { ttlMs }]) => ttlMs > 0))
}
