/**
 * The storage port of the revocation outbox. The outbox holds sealed grants of ended sign-ins, per user, until their refresh tokens are
 * revoked at the provider. An index lets each process find entries of other processes. The scripts that end sessions and delete tokens add
 * entries themselves, in the same step.
 * Order: the caller sends `announce` before the step that adds an entry. If a process dies in between, it leaves an index entry without an
 * outbox, which is cheap. The reverse never happens: no outbox is without an index entry.
 */

export interface OutboxEntry {
  readonly provider: string
  /** The nonce of the record: names the entry. */
  readonly nonce: Buffer
  /** The record as it was stored in the user's token hash (`token-driver.ts`). */
  readonly record: Buffer
}

export interface Claimed {
  readonly userKey: string
  /** Identifies the claim for `completeClaim`. */
  readonly claim: string
}

export interface RevocationDriver {
  /** Makes this user's outbox due in `dueInMs`, or earlier if an earlier time was announced before. */
  announce(userKey: string, dueInMs: number): Promise<void>
  add(userKey: string, entry: OutboxEntry, lifeMs: number): Promise<void>
  /** Returns users whose outbox is due. For `forMs`, no other process gets them. */
  claim(max: number, forMs: number): Promise<readonly Claimed[]>
  list(userKey: string): Promise<readonly OutboxEntry[]>
  remove(userKey: string, entry: OutboxEntry): Promise<void>
  /**
   * Ends a claim. `null`: the outbox is empty. A number: the outbox is due again after that time. If the claim has changed, it does
   * nothing.
   */
  completeClaim(claimed: Claimed, retryInMs: number | null): Promise<void>
}

/** Coatcheck gives up an entry that is not revoked after this time: an unused refresh token expires at the provider. */
export const OUTBOX_LIFE_MS = 3 * 24 * 3_600_000

/** The part of a store's options that asks for revocation of refresh tokens after a sign-in has ended. */
export interface TokenRevocationListener {
  /** Providers whose refresh tokens are revoked. If the list is empty, revocations cost no extra command. */
  readonly providers: readonly string[]
  /** Reports that grants of this user may have moved to the outbox. */
  moved(userKey: string): void
}

/** The outbox calls of the drivers that delete tokens. */
export interface TokenRevocations extends TokenRevocationListener {
  /** Sent before the sign-in is ended, without waiting: ending a sign-in must not fail or wait because of it. */
  announce(userKey: string): void
}

/** Longer than an announced step can still be under way. */
const ANNOUNCED_MS = 5000

export function tokenRevocationsOf(
  driver: RevocationDriver,
  listener: TokenRevocationListener | undefined,
): TokenRevocations {
  if (!listener || listener.providers.length === 0) return NO_TOKEN_REVOCATIONS
  return {
    providers: listener.providers,
    moved: (userKey) => listener.moved(userKey),
    announce: (userKey) => void driver.announce(userKey, ANNOUNCED_MS).catch(() => undefined),
  }
}

export const NO_TOKEN_REVOCATIONS: TokenRevocations = {
  providers: [],
  moved: () => undefined,
  announce: () => undefined,
}
