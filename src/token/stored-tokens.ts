/** Reads the input of a refresh: grant and tokens of one target, in one command, and opens them. */
import type { EventBus } from '../core/events.ts'
import type { Refusal } from '../keyring/seal.ts'
import type { UnreplicatedGrants } from './unreplicated-grants.ts'
import type { RefreshHistory } from './refresh-history.ts'
import type { RefreshFailure } from './refresh-outcome.ts'
import type { AccessEntry, Grant, Opened, TokenCodec } from './token-codec.ts'
import type { TokenDriver } from './token-driver.ts'
import { accessField, grantField, knownFailureField } from './token-fields.ts'
import { flightKey, type Target } from './token-target.ts'
import type { UncommittedGrants } from './uncommitted-grants.ts'

export interface StoredTokens {
  readonly grant: Opened<Grant> | null
  /** The token of the target. */
  readonly own: AccessEntry | null
  /** The token that sign-in returned, if the target is another one. */
  readonly signIn: AccessEntry | null
  /** A known failure of any process that is still valid for this target. */
  readonly knownFailure: RefreshFailure | null
}

/** Returns `null` for a value that does not open, and reports it to listeners. */
export type Opener = <T extends object>(result: T | Refusal) => T | null

export function createOpener(events: EventBus): Opener {
  return (result) => {
    if (typeof result !== 'string') return result
    // Treated as absent: the user signs in again, and the sign-in writes all values anew.
    events.emit('error', {
      code: result === 'key-unknown' ? 'COATCHECK_KEY_UNKNOWN' : 'unreadable',
      operation: 'token.read',
    })
    return null
  }
}

/** Costs one command. While a grant is uncommitted and the store does not answer, it costs none. */
export function createStoredTokensReader(deps: {
  readonly driver: TokenDriver
  readonly codec: TokenCodec
  readonly uncommitted: UncommittedGrants
  readonly unreplicated: UnreplicatedGrants
  readonly history: RefreshHistory
  readonly opened: Opener
}): (userKey: string, target: Target) => Promise<StoredTokens> {
  const { driver, codec, uncommitted, unreplicated, history, opened } = deps

  return async (userKey, target) => {
    const { provider, key } = target
    const kept = await uncommitted.saveIfDue(userKey, provider)
    if (kept) {
      // This nonce is never compared: a commit onto an uncommitted grant expects the nonce that the first commit expected.
      const grant = { value: kept.grant, nonce: UNCOMMITTED }
      const signIn = key === '' ? null : (kept.entries.get('') ?? null)
      return { grant, own: kept.entries.get(key) ?? null, signIn, knownFailure: null }
    }
    const name = { userKey, provider }
    if (unreplicated.isSuspect(name)) await unreplicated.reconcile(name)
    const knownFailureName = knownFailureField(provider, flightKey(target))
    const fields = [
      grantField(provider),
      knownFailureName,
      accessField(provider, key),
      ...(key === '' ? [] : [accessField(provider, '')]),
    ]
    const seen = await driver.readVerified(
      userKey,
      fields,
      (records) => {
        const [record] = records
        return { records, stored: record ? codec.openGrant(userKey, grantField(provider), record) : null }
      },
      ({ stored }) => stored === null || typeof stored === 'string',
    )
    const [, knownFailureRecord, own, signIn] = seen.records
    const grant = seen.stored && opened(seen.stored)
    const knownFailure =
      grant && knownFailureRecord ? opened(codec.openKnownFailure(userKey, knownFailureName, knownFailureRecord)) : null
    const entryOf = (field: string, record: Buffer | null | undefined): AccessEntry | null =>
      record ? opened(codec.openAccess(userKey, field, record)) : null
    return {
      grant,
      knownFailure: grant && history.failureOf(knownFailure?.value ?? null, grant.value),
      own: entryOf(accessField(provider, key), own),
      signIn: entryOf(accessField(provider, ''), signIn),
    }
  }
}

// Replaces the nonce of a grant that is in this process only.
const UNCOMMITTED = Buffer.alloc(0)

export function isStored(grant: Opened<Grant>): boolean {
  return grant.nonce.length > 0
}
