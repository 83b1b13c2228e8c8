/** What a refresh starts from: grant and tokens of one target, read in one command and opened. */
import type { EventBus } from '../core/events.ts'
import { confirmMiss } from '../core/confirm-miss.ts'
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
  /** What sign-in returned, when that is not the target. */
  readonly signIn: AccessEntry | null
  /** A failure of any process that still holds for this target. */
  readonly knownFailure: RefreshFailure | null
}

/** `null` for what does not open, of which listeners hear. */
export type Opener = <T extends object>(result: T | Refusal) => T | null

export function createOpener(events: EventBus): Opener {
  return (result) => {
    if (typeof result !== 'string') return result
    // Taken for absent: the user signs in again and everything is written anew.
    events.emit('error', {
      code: result === 'key-unknown' ? 'COATCHECK_KEY_UNKNOWN' : 'unreadable',
      operation: 'token.read',
    })
    return null
  }
}

/** One command; while a grant is uncommitted and the store is away, none. */
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
      // Its nonce is never compared: a commit onto an uncommitted grant expects what the first one expected.
      const grant = { value: kept.grant, nonce: UNCOMMITTED }
      const signIn = key === '' ? null : (kept.entries.get('') ?? null)
      return { grant, own: kept.entries.get(key) ?? null, signIn, knownFailure: null }
    }
    const name = { userKey, provider }
    if (unreplicated.isSuspect(name)) await unreplicated.reconcile(name)
    const holdName = knownFailureField(provider, flightKey(target))
    const fields = [
      grantField(provider),
      holdName,
      accessField(provider, key),
      ...(key === '' ? [] : [accessField(provider, '')]),
    ]
    const look = async (): Promise<{ records: readonly (Buffer | null)[]; stored: Opened<Grant> | Refusal | null }> => {
      const records = await driver.read(userKey, fields)
      const [record] = records
      return { records, stored: record ? codec.openGrant(userKey, grantField(provider), record) : null }
    }
    let seen = await look()
    const isUnconfirmed = seen.stored === null || typeof seen.stored === 'string'
    if (isUnconfirmed && driver.confirm) seen = await confirmMiss(driver.confirm(userKey), look())
    const [, knownFailureRecord, own, signIn] = seen.records
    const grant = seen.stored && opened(seen.stored)
    const knownFailure =
      grant && knownFailureRecord ? opened(codec.openKnownFailure(userKey, holdName, knownFailureRecord)) : null
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

// Instead of a nonce: the grant is in this process only.
const UNCOMMITTED = Buffer.alloc(0)

export function isStored(grant: Opened<Grant>): boolean {
  return grant.nonce.length > 0
}
