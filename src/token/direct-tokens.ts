/**
 * Access tokens without a grant: those of the application itself (client credentials, RFC 6749 section 4.4) and those on behalf
 * of a caller whose token is exchanged (Entra ID's on-behalf-of, RFC 8693). No refresh token rotates, so no result can be lost, and each
 * target has its own lease. Otherwise they are stored, shared and refreshed ahead like a user's tokens.
 */
import { END_OF_LIFE_BYTES } from '../keyring/record-layout.ts'
import type { Clock } from '../core/clock.ts'
import type { EventBus } from '../core/events.ts'
import type { Random } from '../core/random.ts'
import { nonceOf } from '../keyring/seal.ts'
import { createLeasedFlow } from './leased-flow.ts'
import { createLeases, type Lease } from './lease.ts'
import type { ProviderRequests } from './provider-requests.ts'
import { createRefreshHistory } from './refresh-history.ts'
import { outcomeActions, reasonInFacts, type RefreshFailure, toRefreshFailure } from './refresh-outcome.ts'
import { failureError } from './refresh-result.ts'
import { refreshedEntry } from './next-grant.ts'
import { createSingleFlight } from './single-flight.ts'
import type { AccessEntry, TokenCodec } from './token-codec.ts'
import type { TokenDriver } from './token-driver.ts'
import { accessField, knownFailureField, leaseField } from './token-fields.ts'
import { isAlive, isGood, type Need } from './token-life.ts'
import { flightKey, type Target } from './token-target.ts'
import type { RefreshedTokens } from './token-requester.ts'
import type { Schedule } from './uncommitted-grants.ts'

/** Replaces the grant: direct tokens have none. Stored with the generation 0, which no grant has. */
const NO_GRANT = { family: 'direct', refreshCount: -1 }

export interface DirectTokens {
  /**
   * @param owner the keyed hash under which these tokens are stored
   * @param request asks the provider; called at most once per call, and by one process at a time
   * @throws {TokenError} the code that belongs to the outcome of the request
   */
  obtain(owner: string, target: Target, need: Need, request: () => Promise<RefreshedTokens>): Promise<AccessEntry>
  /** Resolves when all requests under way are finished and stored. */
  idle(): Promise<void>
}

interface Stored {
  readonly entry: AccessEntry | null
  readonly nonce: Buffer | null
  readonly knownFailure: RefreshFailure | null
}

export function createDirectTokens(deps: {
  readonly driver: TokenDriver
  readonly codec: TokenCodec
  readonly requests: ProviderRequests
  readonly clock: Clock
  readonly random: Random
  readonly events: EventBus
  readonly schedule: Schedule
}): DirectTokens {
  const { driver, codec, requests, clock, random, events } = deps
  const flights = createSingleFlight<AccessEntry>()
  const leasedFlow = createLeasedFlow({ leases: createLeases(deps), clock, events })
  const history = createRefreshHistory(codec, clock, random)

  const read = (owner: string, target: Target): Promise<Stored> => {
    const names = [
      accessField(target.provider, target.key),
      knownFailureField(target.provider, flightKey(target)),
    ] as const
    const open = ([record, knownFailureRecord]: readonly (Buffer | null)[]): Stored => {
      const opened = record ? codec.openAccess(owner, names[0], record) : null
      const knownFailure = knownFailureRecord ? codec.openKnownFailure(owner, names[1], knownFailureRecord) : null
      return {
        entry: typeof opened === 'string' ? null : opened,
        nonce: record ? nonceOf(record, END_OF_LIFE_BYTES) : null,
        knownFailure:
          knownFailure && typeof knownFailure !== 'string' ? history.failureOf(knownFailure.value, NO_GRANT) : null,
      }
    }
    return driver.readVerified(owner, names, open, ({ entry }) => entry === null)
  }

  const store = async (
    owner: string,
    target: Target,
    { nonce }: Stored,
    entry: AccessEntry,
    lease: Lease | null,
  ): Promise<void> => {
    const field = accessField(target.provider, target.key)
    const ttlMs = entry.expiresAtMs - clock.now()
    if (ttlMs <= 0) return
    const set = new Map([[field, { record: codec.sealAccess(owner, field, entry), ttlMs }]])
    // A failed write is no error: the caller has its token, and the next caller sends a new request.
    await driver
      .write(owner, { set, expect: { field, nonce }, ...(lease && { lease: lease.claim }) })
      .catch(() => undefined)
  }

  const storeKnownFailure = async (owner: string, target: Target, failure: RefreshFailure): Promise<void> => {
    if (!failure.wasAsked) return
    const knownFailure = history.knownFailure(owner, target, NO_GRANT, failure, history.knownFailureMs(failure, 0))
    await driver.write(owner, { set: new Map([knownFailure]) }).catch(() => undefined)
  }

  const failed = (target: Target, { entry }: Stored, failure: RefreshFailure): AccessEntry => {
    if (entry && target.claims === null && isAlive(entry, clock.now())) return entry
    throw failureError(target, failure)
  }

  const askOnce = async (
    owner: string,
    target: Target,
    stored: Stored,
    lease: Lease | null,
    request: () => Promise<RefreshedTokens>,
  ): Promise<AccessEntry> => {
    const subject = { userKey: owner, provider: target.provider, resource: target.key }
    const askedAtMs = clock.now()
    const startedMs = clock.monotonic()
    try {
      const answer = await requests.send(subject, request)
      const entry = refreshedEntry(target, NO_GRANT, answer, askedAtMs, random)
      await store(owner, target, stored, entry, lease)
      events.emit('token.refreshed', { ...subject, durationMs: clock.monotonic() - startedMs, rotated: false })
      return entry
    } catch (error) {
      const failure = toRefreshFailure(error)
      const { outcome, facts } = failure
      const durationMs = clock.monotonic() - startedMs
      const { code } = outcomeActions[outcome]
      events.emit('token.refresh-failed', { ...subject, durationMs, outcome, code, ...reasonInFacts(facts) })
      await storeKnownFailure(owner, target, failure)
      return failed(target, stored, failure)
    }
  }

  const fly = (
    owner: string,
    target: Target,
    isEnough: (entry: AccessEntry) => boolean,
    request: () => Promise<RefreshedTokens>,
  ): Promise<AccessEntry> => {
    const resultOf = (stored: Stored): AccessEntry | null => {
      if (stored.entry && isEnough(stored.entry)) return stored.entry
      return stored.knownFailure && failed(target, stored, stored.knownFailure)
    }
    const facts = { provider: target.provider, resource: target.key }
    return leasedFlow<Stored, AccessEntry>(owner, target, leaseField(`${target.provider}:${flightKey(target)}`), {
      read: () => read(owner, target),
      resultOf,
      resultUnderLease: resultOf,
      resultWhileLeaseTaken: () => null,
      isPrivate: () => false,
      request: (stored, lease) =>
        events.operation({ name: 'token.refresh', facts }, () => askOnce(owner, target, stored, lease, request)),
    })
  }

  const launch = (
    owner: string,
    target: Target,
    isEnough: (entry: AccessEntry) => boolean,
    request: () => Promise<RefreshedTokens>,
  ): Promise<AccessEntry> =>
    flights.join(`${owner} ${target.provider} ${flightKey(target)}`, () => fly(owner, target, isEnough, request))

  return {
    async obtain(owner, target, need, request) {
      const subject = { userKey: owner, provider: target.provider, resource: target.key }
      const isEnough = (entry: AccessEntry): boolean => isGood(entry, need, clock.now())
      const { entry } = await read(owner, target)
      if (entry && isEnough(entry)) {
        if (events.hasListeners('token.hit')) events.emit('token.hit', subject)
        const isFresh = (other: AccessEntry): boolean => other.refreshAheadAtMs > clock.now()
        if (!isFresh(entry)) launch(owner, target, isFresh, request).catch(() => undefined)
        return entry
      }
      events.emit('token.miss', { ...subject, why: entry ? 'expired' : 'none' })
      return launch(owner, target, isEnough, request)
    },
    idle: () => flights.idle(),
  }
}
