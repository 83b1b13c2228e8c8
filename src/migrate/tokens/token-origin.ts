/**
 * The types of `auth.tokens.adopt()`. An origin carries its own behavior. So `coatcheck()` imports these types only, and an application
 * without origins loads nothing of `src/migrate/`.
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
 * The outcome for a user's old tokens. `adopted`: Coatcheck stores them now. `present`: Coatcheck has, or had, tokens of the user already,
 * which decide. `none`: there are no old tokens. `refused`: they belong to another user. `unreadable`: the value stays as it is.
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
    /** The outcome for the user's tokens. */
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
  /** Distinguishes an origin of tokens from one of sessions. */
  readonly kind: 'tokens'
  /** Name in metrics, and in events unless `variants` has names. */
  readonly name: string
  /** Further names in events, one for each form that old values have. Absent: none. */
  readonly variants?: readonly string[]
  /** `read`: old values stay. `move`: adopted values are deleted. */
  readonly mode: MigrationMode
  /** The provider of Coatcheck that issued the tokens. Absent: the only one. */
  readonly provider?: string
  /** The store that holds the old keys. Absent: the store of `coatcheck()`. */
  readonly store?: StoreFactory
  /** Recognizes the old keys by their names. Absent: their names do not identify them. */
  readonly keys?: OldKeys
  /** Called by `coatcheck()` at the first use of tokens. */
  attach(deps: TokenOriginDeps): AttachedTokenOrigin
}

/** The parts that `coatcheck()` gives to an origin of tokens. */
export interface TokenOriginDeps {
  /** Stores the tokens. */
  readonly tokens: OwnedTokenCache
  /** Stores which users were adopted or ended. */
  readonly marks: Documents<AdoptionMark>
  /** Returns whether a user has sessions left, and ends the tokens of a user without one. */
  readonly sessions: Pick<SessionDriver, 'list' | 'explain' | 'end'>
  /** The old keys. */
  readonly old: OldRecordDriver
  /** Hashes user ids. */
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
  /** Called before the tokens of a user are deleted. From then on, Coatcheck does not adopt old ones. */
  ending(userId: string): Promise<void>
  /**
   * Called when a session has ended, or all sessions of a user. If the user has no session left, Coatcheck adopts no old tokens from then on.
   * @param userKey hash of the user id
   * @param mayBeAnonymous whether the session may be one without a user
   */
  signedOut(userKey: string, mayBeAnonymous: boolean): Promise<void>
}

/** Why Coatcheck does not adopt the tokens of a user (again). */
export interface AdoptionMark {
  readonly why: 'adopted' | 'present' | 'ended'
}
