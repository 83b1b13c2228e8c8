/**
 * Between the driver's bytes and what a refresh works with: reading grant and tokens in one command, and the changes that a
 * refresh makes to them, each one compare and set on the grant. It asks no provider and knows no failures but "refused".
 */
import type { Clock } from '../core/clock.ts'
import type { EventBus } from '../core/events.ts'
import type { Random } from '../core/random.ts'
import type { Refusal } from '../keyring/seal.ts'
import { outcomeActions, type RefreshFailure } from './refresh-outcome.ts'
import { nextGrant, refreshedEntry } from './refreshed-tokens.ts'
import type { AccessEntry, Grant, Opened, RefreshRecord, TokenCodec } from './token-codec.ts'
import type { LeaseClaim, TokenDriver, TokenField, TokenRecord } from './token-driver.ts'
import { accessField, fieldsOf, grantField, statusField } from './token-fields.ts'
import { describeTarget, type Target } from './token-target.ts'
import type { RefreshedTokens } from './types.ts'
import type { UnsavedGrants } from './unsaved-grants.ts'

export interface StoredTokens {
  readonly grant: Opened<Grant> | null
  /** The token of the target. */
  readonly own: AccessEntry | null
  /** What sign-in returned, when that is not the target. */
  readonly signIn: AccessEntry | null
}

export interface GrantVault {
  /** One command; while a grant is unsaved and the store is away, none. */
  read(userKey: string, target: Target): Promise<StoredTokens>
  /** Stores the token of sign-in under the target too, so that the next hit is one field. Failing to is no failure. */
  adopt(userKey: string, target: Target, stored: StoredTokens, entry: AccessEntry): Promise<AccessEntry>
  /** What is read is in this process only: the store is away, and no lease can be had. */
  isUnsaved(stored: StoredTokens): boolean
  /** Stores what the provider answered. `null`: the grant was replaced by another sign-in, or deleted; read again. */
  commit(
    userKey: string,
    target: Target,
    grant: Opened<Grant>,
    answer: RefreshedTokens,
    askedAtMs: number,
    lease: LeaseClaim | null,
  ): Promise<AccessEntry | null>
  /** Deletes everything of the provider, if the grant is still this one; false when it is not. */
  drop(
    userKey: string,
    target: Target,
    grant: Opened<Grant>,
    failure: RefreshFailure,
    lease: LeaseClaim | null,
  ): Promise<boolean>
  /** For `status`; best effort. Never brings back what was deleted. */
  recordFailure(userKey: string, target: Target, stored: StoredTokens, failure: RefreshFailure): Promise<void>
}

/** How long "the grant ended" can be seen in `status`. */
const ENDED_STATUS_MS = 24 * 3_600_000

export function createGrantVault(deps: {
  readonly driver: TokenDriver
  readonly codec: TokenCodec
  readonly unsaved: UnsavedGrants
  readonly grantLifetimeMs: number
  readonly clock: Clock
  readonly random: Random
  readonly events: EventBus
}): GrantVault {
  const { driver, codec, unsaved, clock, random, events } = deps

  const opened = <T>(result: Opened<T> | Refusal): Opened<T> | null => {
    if (typeof result !== 'string') return result
    // Taken for absent: the user signs in again and everything is written anew.
    events.emit('error', {
      code: result === 'key-unknown' ? 'COATCHECK_KEY_UNKNOWN' : 'unreadable',
      operation: 'token.read',
    })
    return null
  }

  const statusOf = (userKey: string, target: Target, failure: RefreshFailure | null): [TokenField, Buffer] => {
    const field = statusField(target.provider)
    const status: RefreshRecord = {
      atMs: clock.now(),
      outcome: failure?.outcome ?? 'refreshed',
      target: describeTarget(target),
      error: failure?.facts.error ?? null,
    }
    return [field, codec.sealStatus(userKey, field, status)]
  }

  const accessRecord = (userKey: string, target: Target, entry: AccessEntry): [TokenField, TokenRecord] => {
    const field = accessField(target.provider, target.key)
    return [field, { record: codec.sealAccess(userKey, field, entry), ttlMs: entry.expiresAtMs - clock.now() }]
  }

  return {
    async read(userKey, { provider, key }) {
      const kept = await unsaved.settle(userKey, provider)
      if (kept) {
        // Its nonce is never compared: a commit onto an unsaved grant expects what the first one expected.
        const grant = { value: kept.grant, nonce: UNSAVED }
        const signIn = key === '' ? null : (kept.entries.get('') ?? null)
        return { grant, own: kept.entries.get(key) ?? null, signIn }
      }
      const fields = [
        grantField(provider),
        accessField(provider, key),
        ...(key === '' ? [] : [accessField(provider, '')]),
      ]
      const [grant, own, signIn] = await driver.read(userKey, fields)
      const entryOf = (field: string, record: Buffer | null | undefined): AccessEntry | null =>
        (record && opened(codec.openAccess(userKey, field, record))?.value) ?? null
      return {
        grant: grant ? opened(codec.openGrant(userKey, grantField(provider), grant)) : null,
        own: entryOf(accessField(provider, key), own),
        signIn: entryOf(accessField(provider, ''), signIn),
      }
    },

    isUnsaved: ({ grant }) => grant !== null && !isStored(grant),

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
      const [status, statusRecord] = statusOf(userKey, target, null)
      const ttlMs = deps.grantLifetimeMs
      const set = new Map([
        [field, { record, ttlMs }],
        [status, { record: statusRecord, ttlMs }],
      ])
      if (entry.expiresAtMs > clock.now()) set.set(...accessRecord(userKey, target, entry))
      const change = { set, expect: { field, nonce: grant.nonce }, ...(lease && { lease }) }
      const committed = await unsaved.commit({ userKey, provider, grant: next, targetKey: target.key, entry, change })
      if (committed.status === 'kept') {
        events.emit('error', { code: codeOf(committed.cause), operation: 'token.commit' })
        return entry
      }
      if (committed.status === 'done') return entry
      // Somebody signed in or out, or holds the lease by now: what is stored decides, and nobody sees this token.
      return null
    },

    async drop(userKey, target, grant, failure, lease) {
      const { provider } = target
      const field = grantField(provider)
      if (await unsaved.settle(userKey, provider)) {
        // The store is away and holds an older grant of the same sign-in, which will be refused as this one was.
        unsaved.forget(userKey, provider)
        return true
      }
      const [record] = await driver.read(userKey, [field])
      if (!record) return true
      const stored = opened(codec.openGrant(userKey, field, record))
      // Compared by name and number, not by nonce: an unsaved grant may have been saved just now.
      const { lineage, generation } = grant.value
      if (stored?.value.lineage !== lineage || stored.value.generation !== generation) return false
      const [status, statusRecord] = statusOf(userKey, target, failure)
      const written = await driver.write(userKey, {
        set: new Map([[status, { record: statusRecord, ttlMs: ENDED_STATUS_MS }]]),
        remove: fieldsOf(provider),
        expect: { field, nonce: stored.nonce },
        ...(lease && { lease }),
      })
      // Refused: somebody signed in or refreshed in this very moment.
      return written.status === 'done'
    },

    async recordFailure(userKey, target, { grant }, failure) {
      if (!grant || !isStored(grant) || outcomeActions[failure.outcome].dropsTokens) return
      const [status, record] = statusOf(userKey, target, failure)
      const ttlMs = Math.max(1, grant.value.expiresAtMs - clock.now())
      const expect = { field: grantField(target.provider), nonce: grant.nonce }
      await driver.write(userKey, { set: new Map([[status, { record, ttlMs }]]), expect }).catch(() => undefined)
    },
  }
}

// Instead of a nonce: the grant is in this process only.
const UNSAVED = Buffer.alloc(0)

function isStored(grant: Opened<Grant>): boolean {
  return grant.nonce.length > 0
}

function codeOf(error: unknown): string {
  const { code } = error as { readonly code?: unknown }
  return typeof code === 'string' ? code : 'unknown'
}
