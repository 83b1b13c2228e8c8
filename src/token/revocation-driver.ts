/**
 * The storage port of the revocation outbox: sealed grants that nobody will use any more, per user, until their refresh tokens
 * have been revoked at the provider; and an index, so that any process finds what another one left. The scripts that end
 * sessions and delete tokens put grants there themselves, in the same step.
 *
 * Order: `announce` is sent before the step that puts something there, so that a process that dies in between leaves an index
 * entry without an outbox, which is cheap, and never the other way round.
 */

export interface OutboxEntry {
  readonly provider: string
  /** The nonce of the record: names the entry. */
  readonly nonce: Buffer
  /** As it lay in the user's token hash: `token-driver.ts`. */
  readonly record: Buffer
}

export interface Claimed {
  readonly userKey: string
  /** For `settle`. */
  readonly claim: string
}

export interface RevocationDriver {
  /** Somebody should look at this user's outbox in `dueInMs`, or earlier if that was said before. */
  announce(userKey: string, dueInMs: number): Promise<void>
  add(userKey: string, entry: OutboxEntry, lifeMs: number): Promise<void>
  /** Users whose time has come; nobody else gets them for `forMs`. */
  claim(max: number, forMs: number): Promise<readonly Claimed[]>
  list(userKey: string): Promise<readonly OutboxEntry[]>
  remove(userKey: string, entry: OutboxEntry): Promise<void>
  /** Ends a claim: nothing is left (`null`), or somebody should look again. Changed meanwhile: nothing happens. */
  settle(claimed: Claimed, retryInMs: number | null): Promise<void>
}

/** What is not revoked by then is given up: a refresh token that nobody holds dies of its own age. */
export const OUTBOX_LIFE_MS = 3 * 24 * 3_600_000

/** Who wants refresh tokens of ended sign-ins revoked: part of what a store is opened with. */
export interface TokenRevocationListener {
  /** Providers whose refresh tokens are revoked. With none, revocations cost nothing more. */
  readonly providers: readonly string[]
  /** Grants of this user may have moved to the outbox. */
  moved(userKey: string): void
}

/** What the drivers that delete tokens do for the outbox. */
export interface TokenRevocations extends TokenRevocationListener {
  /** Sent before the ending and not waited for: no ending fails or waits because of it. */
  announce(userKey: string): void
}

/** Later than any ending that was announced can still be on its way. */
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
