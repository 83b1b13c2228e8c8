/**
 * What `auth.tokens.adopt()` takes and returns. An origin carries its own behavior, so `coatcheck()` names these types only, and an
 * application without origins loads nothing of `src/migrate/`.
 */
import type { Clock } from '../../core/clock.ts'
import type { EventBus } from '../../core/events.ts'
import type { Documents } from '../../documents/documents.ts'
import type { Keyring } from '../../keyring/keyring.ts'
import type { SessionDriver } from '../../session/session-driver.ts'
import type { OwnedTokenCache } from '../../token/token-cache.ts'
import type { StoreFactory } from '../../stores/store.ts'
import type { OldKeys } from '../old-keys.ts'
import type { OldRecordDriver } from '../old-record-driver.ts'
import type { MigrationMode } from '../migration-mode.ts'

/**
 * What came of a user's old tokens. `adopted`: they are stored here now. `present`: Coatcheck has, or had, tokens of the user already, and
 * they decide. `none`: there are no old tokens. `refused`: they belong to another user. `unreadable`: the value was left alone.
 */
export type AdoptionOutcome = 'adopted' | 'present' | 'none' | 'refused' | 'unreadable'

/** Adopts the tokens of one origin. Methods reject with a `RedisError` during an outage. */
export interface TokenAdoption {
  /** Adopts the tokens of one user now. Each user is adopted at most once, over all processes. */
  user(userId: string): Promise<AdoptionOutcome>
  /**
   * Adopts the tokens of all users that the origin can list, one after the other. A run that was interrupted may be repeated.
   * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` for an origin that cannot list its users
   */
  all(): AsyncIterable<{
    /** The user id in Coatcheck. */
    readonly userId: string
    /** What came of the user's tokens. */
    readonly outcome: AdoptionOutcome
  }>
}

/** Options that all origins of tokens share. */
export interface TokenOriginOptions {
  /** The provider of Coatcheck that issued the tokens. Default: the only one. */
  readonly provider?: string
  /** `read` leaves old values where they are. `move` deletes a value that holds the tokens of one user, once they are adopted. Default `read`. */
  readonly mode?: MigrationMode
  /** The store that holds the old keys. Default: the store of `coatcheck()`. */
  readonly store?: StoreFactory
}

/** Old tokens. `fromMsal()`, `fromAuthJsAccounts()`, `fromGuideTokens()` and `fromBetterAuthAccounts()` of `coatcheck/migrate` make it. */
export interface TokenOrigin {
  /** Tells an origin of tokens from one of sessions. */
  readonly kind: 'tokens'
  /** Name in figures, and in events unless `variants` has names. */
  readonly name: string
  /** Further names in events, one for each form that old values have. Absent: none. */
  readonly variants?: readonly string[]
  /** What becomes of old values. */
  readonly mode: MigrationMode
  /** The provider of Coatcheck that issued the tokens. Absent: the only one. */
  readonly provider?: string
  /** The store that holds the old keys. Absent: the store of `coatcheck()`. */
  readonly store?: StoreFactory
  /** The old keys, by their names. Absent: they cannot be told by their names. */
  readonly keys?: OldKeys
  /** Called by `coatcheck()` at the first use of tokens. */
  attach(deps: TokenOriginDeps): AttachedTokenOrigin
}

/** What `coatcheck()` hands to an origin of tokens. */
export interface TokenOriginDeps {
  /** Stores the tokens. */
  readonly tokens: OwnedTokenCache
  /** Remembers which users are done. */
  readonly marks: Documents<AdoptionMark>
  /** Says whether a user has sessions left, and ends the tokens of a user who has none. */
  readonly sessions: Pick<SessionDriver, 'list' | 'explain' | 'end'>
  /** The old keys. */
  readonly old: OldRecordDriver
  /** Makes the hash of a user id. */
  readonly keyring: Keyring
  /** Where outcomes are reported. */
  readonly events: EventBus
  /** Source of the current time. */
  readonly clock: Clock
  /** The provider that issued the tokens. */
  readonly provider: string
}

/** An origin whose old keys are open. */
export interface AttachedTokenOrigin extends TokenAdoption {
  /** Called before the tokens of a user are deleted: from then on they are not adopted. */
  ending(userId: string): Promise<void>
  /**
   * Called when a session has ended, or all sessions of a user. If the user has no session left, the tokens are not adopted from then on.
   * @param userKey hash of the user id
   * @param mayBeAnonymous whether the session may be one without a user
   */
  signedOut(userKey: string, mayBeAnonymous: boolean): Promise<void>
}

/** Why the tokens of a user are not adopted (again). */
export interface AdoptionMark {
  readonly why: 'adopted' | 'present' | 'ended'
}
