/**
 * Sits between the driver's bytes and the refresh. It reads grant and tokens in one command. It writes each change of a refresh as one
 * compare-and-set on the grant. It sends no request to a provider, and the only failure that it knows is a refused write.
 */
import type { Clock } from '../core/clock.ts'
import type { EventBus } from '../core/events.ts'
import type { Random } from '../core/random.ts'
import type { UnreplicatedGrants } from './unreplicated-grants.ts'
import { createRefreshHistory } from './refresh-history.ts'
import { outcomeActions, type RefreshFailure, type RefreshOutcome } from './refresh-outcome.ts'
import { nextGrant, refreshedEntry } from './next-grant.ts'
import { createOpener, createStoredTokensReader, isStored, type StoredTokens } from './stored-tokens.ts'
import type { AccessEntry, Grant, Opened, TokenCodec } from './token-codec.ts'
import type { LeaseClaim, TokenDriver, TokenField, TokenRecord } from './token-driver.ts'
import { accessField, fieldsOf, grantField, knownFailureField, statusField } from './token-fields.ts'
import { describeTarget, flightKey, type Target } from './token-target.ts'
import type { RefreshedTokens } from './token-requester.ts'
import type { UncommittedGrants } from './uncommitted-grants.ts'

export interface GrantVault {
  /** Costs one command. While a grant is uncommitted and the store does not answer, it costs none. */
  read(userKey: string, target: Target): Promise<StoredTokens>
  /** Also stores the sign-in token under the target, so that the next hit reads one field. A failed write is no error. */
  adopt(userKey: string, target: Target, stored: StoredTokens, entry: AccessEntry): Promise<AccessEntry>
  /** True if the grant is in this process only: the store does not answer, so no lease is possible. */
  isUncommitted(stored: StoredTokens): boolean
  /** Stores the provider's answer. `null`: the grant was replaced by another sign-in, or deleted; read again. */
  commit(
    userKey: string,
    target: Target,
    grant: Opened<Grant>,
    answer: RefreshedTokens,
    askedAtMs: number,
    lease: LeaseClaim | null,
  ): Promise<AccessEntry | null>
  /**
   * Stores the new refresh token of an answer that Coatcheck refused, together with the failure. A provider that rotates refresh tokens may have
   * ended the previous one with that answer. The access tokens stay.
   * @returns how long the known failure lasts, milliseconds; `null` as `commit`
   */
  keepSuccessor(
    userKey: string,
    target: Target,
    grant: Opened<Grant>,
    refreshToken: string,
    failure: RefreshFailure,
    lease: LeaseClaim | null,
  ): Promise<number | null>
  /** Deletes all fields of the provider if the stored grant is still this one. Returns false if it is not. */
  drop(
    userKey: string,
    target: Target,
    grant: Opened<Grant>,
    failure: RefreshFailure,
    lease: LeaseClaim | null,
  ): Promise<boolean>
  /** Returns the token family of the stored sign-in; `null` if no grant is stored. */
  familyOf(userKey: string, provider: string): Promise<string | null>
  /** Returns whether a refresh ended the grant that was stored here before. */
  hasEnded(userKey: string, target: Target): Promise<boolean>
  /**
   * Stores a known failure, so that no process asks the provider again until it expires, and releases the lease. Best effort; never brings
   * back deleted tokens. @returns how long the known failure lasts, milliseconds
   */
  recordFailure(
    userKey: string,
    target: Target,
    stored: StoredTokens,
    failure: RefreshFailure,
    lease: LeaseClaim | null,
  ): Promise<number>
}

/** How long `status` shows that the grant has ended. */
const ENDED_STATUS_MS = 24 * 3_600_000

export function createGrantVault(deps: {
  readonly driver: TokenDriver
  readonly codec: TokenCodec
  readonly uncommitted: UncommittedGrants
  readonly unreplicated: UnreplicatedGrants
  readonly grantLifetimeMs: number
  readonly clock: Clock
  readonly random: Random
  readonly events: EventBus
}): GrantVault {
  const { driver, codec, uncommitted, unreplicated, clock, random, events } = deps
  const history = createRefreshHistory(codec, clock, random)

  const opened = createOpener(events)
  const read = createStoredTokensReader({ driver, codec, uncommitted, unreplicated, history, opened })

  const failuresInARow = async (userKey: string, { provider }: Target): Promise<number> => {
    const field = statusField(provider)
    const [record] = await driver.read(userKey, [field])
    const before = record ? opened(codec.openStatus(userKey, field, record))?.value : null
    return before && before.outcome !== 'refreshed' ? before.inARow + 1 : 0
  }

  const accessRecord = (userKey: string, target: Target, entry: AccessEntry): [TokenField, TokenRecord] => {
    const field = accessField(target.provider, target.key)
    return [field, { record: codec.sealAccess(userKey, field, entry), ttlMs: entry.expiresAtMs - clock.now() }]
  }

  return {
    read,

    isUncommitted: ({ grant }) => grant !== null && !isStored(grant),

    async adopt(userKey, target, { grant }, signIn) {
      const entry = { ...signIn, target: describeTarget(target) }
      if (!grant || !isStored(grant)) return entry
      const expect = { field: grantField(target.provider), nonce: grant.nonce }
      await driver
        .write(userKey, { set: new Map([accessRecord(userKey, target, entry)]), expect })
        .catch(() => undefined)
      return entry
    },

    async commit(userKey, target, grant, answer, askedAtMs, lease) {
      const { provider } = target
      const next = nextGrant(grant.value, answer, askedAtMs, deps.grantLifetimeMs)
      const entry = refreshedEntry(target, next, answer, askedAtMs, random)
      const field = grantField(provider)
      const record = codec.sealGrant(userKey, field, next)
      const ttlMs = deps.grantLifetimeMs
      const set = new Map([[field, { record, ttlMs }], history.status(userKey, target, null, 0, ttlMs)])
      if (entry.expiresAtMs > clock.now()) set.set(...accessRecord(userKey, target, entry))
      const remove = { fields: [knownFailureField(provider, flightKey(target))] }
      const expect = { field, nonce: grant.nonce }
      const change = { set, remove, expect, lasting: true, ...(lease && { lease }) }
      const committed = await uncommitted.commit({
        userKey,
        provider,
        grant: next,
        targetKey: target.key,
        entry,
        change,
      })
      if (committed.status === 'kept') {
        events.emit('token.grant-kept', { userKey, provider, code: codeOf(committed.cause) })
        return entry
      }
      if (committed.status === 'done') return entry
      // Another caller has signed in, signed out or taken the lease. The stored grant decides, and no caller gets this token.
      return null
    },

    async keepSuccessor(userKey, target, grant, refreshToken, failure, lease) {
      const { provider } = target
      const inARow = await failuresInARow(userKey, target).catch(() => 0)
      const knownFailureMs = history.knownFailureMs(failure, inARow)
      const next = nextGrant(grant.value, { refreshToken }, clock.now(), deps.grantLifetimeMs)
      const field = grantField(provider)
      const ttlMs = deps.grantLifetimeMs
      const set = new Map([
        [field, { record: codec.sealGrant(userKey, field, next), ttlMs }],
        history.status(userKey, target, failure, inARow, ttlMs),
        history.knownFailure(userKey, target, next, failure, knownFailureMs),
      ])
      const change = { set, expect: { field, nonce: grant.nonce }, lasting: true, ...(lease && { lease }) }
      const committed = await uncommitted.commit({
        ...{ userKey, provider, grant: next, targetKey: target.key },
        ...{ entry: null, change },
      })
      if (committed.status === 'kept') {
        events.emit('token.grant-kept', { userKey, provider, code: codeOf(committed.cause) })
      }
      return committed.status === 'conflict' ? null : knownFailureMs
    },

    async drop(userKey, target, grant, failure, lease) {
      const { provider } = target
      const field = grantField(provider)
      if (await uncommitted.saveIfDue(userKey, provider)) {
        // The store does not answer and holds an older grant of the same sign-in. The provider will refuse that grant too.
        uncommitted.forget(userKey, provider)
        return true
      }
      const [record] = await driver.read(userKey, [field])
      if (!record) return true
      const stored = opened(codec.openGrant(userKey, field, record))
      // Compares family and refresh count, not the nonce: an uncommitted grant may have been saved just now.
      const { family, refreshCount } = grant.value
      if (stored?.value.family !== family || stored.value.refreshCount !== refreshCount) return false
      const written = await driver.write(userKey, {
        set: new Map([history.status(userKey, target, failure, 0, ENDED_STATUS_MS)]),
        remove: fieldsOf(provider),
        expect: { field, nonce: stored.nonce },
        ...(lease && { lease }),
      })
      // Refused: another caller signed in or refreshed at the same moment.
      return written.status === 'done'
    },

    async familyOf(userKey, provider) {
      const field = grantField(provider)
      const [record] = await driver.read(userKey, [field])
      return (record && opened(codec.openGrant(userKey, field, record))?.value.family) ?? null
    },

    async hasEnded(userKey, { provider }) {
      const field = statusField(provider)
      const [record] = await driver.read(userKey, [field])
      const status = record ? opened(codec.openStatus(userKey, field, record)) : null
      const outcome = status?.value.outcome ?? ''
      return Object.hasOwn(outcomeActions, outcome) && outcomeActions[outcome as RefreshOutcome].dropsTokens
    },

    async recordFailure(userKey, target, { grant }, failure, lease) {
      const { provider } = target
      const isKept = grant !== null && isStored(grant) && !outcomeActions[failure.outcome].dropsTokens
      if (!isKept) return history.knownFailureMs(failure, 0)
      const inARow = await failuresInARow(userKey, target).catch(() => 0)
      const knownFailureMs = history.knownFailureMs(failure, inARow)
      const ttlMs = Math.max(1, grant.value.expiresAtMs - clock.now())
      const set = new Map([
        history.status(userKey, target, failure, inARow, ttlMs),
        history.knownFailure(userKey, target, grant.value, failure, knownFailureMs),
      ])
      const expect = { field: grantField(provider), nonce: grant.nonce }
      await driver.write(userKey, { set, expect, ...(lease && { lease }) }).catch(() => undefined)
      return knownFailureMs
    },
  }
}

function codeOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown }
  return typeof code === 'string' ? code : 'unknown'
}
