/**
 * Revokes unused refresh tokens at the provider (RFC 7009): those of ended sign-ins, which the ending scripts put into the outbox, and
 * those that a refresh brought too late. Best effort with retries, by any process. A sign-out never waits for a provider. After three days
 * Coatcheck gives up a token that the provider did not revoke.
 */
import { END_OF_LIFE_BYTES } from '../keyring/record-layout.ts'
import type { Clock } from '../core/clock.ts'
import type { EventBus } from '../core/events.ts'
import type { Random } from '../core/random.ts'
import { nonceOf } from '../keyring/seal.ts'
import { backOffMs, reasonInFacts, toRefreshFailure } from './refresh-outcome.ts'
import { type Claimed, OUTBOX_LIFE_MS, type OutboxEntry, type RevocationDriver } from './revocation-driver.ts'
import type { TokenCodec } from './token-codec.ts'
import { grantField } from './token-fields.ts'
import type { Schedule } from './uncommitted-grants.ts'

/** Soon, but after the response to the visitor's sign-out. */
const AFTER_ENDING_MS = 100
/** How often a process checks for entries of other processes. */
const CHECK_EVERY_MS = 30_000
/** A new process checks soon: it may be the successor of one that died. */
const FIRST_CHECK_MS = 1000
const CLAIMED_AT_ONCE = 20
/** While one process works on a user's outbox, the others skip that user. */
const CLAIM_MS = 60_000
const FIRST_RETRY_MS = 5000
const MAX_RETRY_MS = 15 * 60_000
const CLOSE_MS = 2000

/** The revocation endpoint of a provider, implemented in `oidc/`. */
export interface TokenRevoker {
  /**
   * Revokes by RFC 7009 section 2. By the specification an unknown token counts as revoked.
   * @returns `unsupported` when the provider has no such endpoint
   * @throws {RefreshFailure}
   */
  revoke(provider: string, refreshToken: string): Promise<'revoked' | 'unsupported'>
}

export interface ProviderRevocations {
  /** Revokes a refresh token that arrived too late to be stored. Never rejects. */
  revokeLateToken(userKey: string, provider: string, refreshToken: string): Promise<void>
  /** Reports that the outbox may hold entries of this user. */
  moved(userKey: string): void
  /** Revokes the tokens that are due, of any process. Never rejects. */
  work(): Promise<void>
  /** Stops, and waits up to `CLOSE_MS` for work under way. */
  close(): Promise<void>
}

export function createProviderRevocations(deps: {
  readonly driver: RevocationDriver
  readonly revoker: TokenRevoker
  readonly codec: TokenCodec
  /** Names of the providers whose refresh tokens are revoked. If the list is empty, no process checks the outbox. */
  readonly providers: readonly string[]
  readonly clock: Clock
  readonly random: Random
  readonly events: EventBus
  readonly schedule: Schedule
}): ProviderRevocations {
  const { driver, revoker, codec, providers, clock, random, events, schedule } = deps
  const attempts = new Map<string, number>()
  const pending = new Map<string, () => void>()
  const running = new Set<Promise<void>>()
  let cancelCheck: () => void = () => undefined
  let isClosed = false

  const tracked = (work: Promise<void>): Promise<void> => {
    const guarded = work.catch(() => undefined)
    running.add(guarded)
    void guarded.then(() => running.delete(guarded))
    return guarded
  }

  /** Returns true when the entry may be removed. */
  const revokeEntry = async (userKey: string, { provider, record }: OutboxEntry): Promise<boolean> => {
    const opened = codec.openGrant(userKey, grantField(provider), record)
    const refreshToken = typeof opened === 'string' ? null : opened.value.refreshToken
    if (refreshToken === null || !providers.includes(provider)) return true
    try {
      const result = await revoker.revoke(provider, refreshToken)
      if (result === 'revoked') events.emit('token.revoked', { userKey, provider })
      return true
    } catch (error) {
      const { outcome, facts } = toRefreshFailure(error)
      const isFinal = outcome !== 'transient'
      events.emit('token.revocation-failed', { userKey, provider, outcome, final: isFinal, ...reasonInFacts(facts) })
      return isFinal
    }
  }

  const drain = async (userKey: string): Promise<'empty' | 'left'> => {
    let isLeft = false
    for (const entry of await driver.list(userKey)) {
      if (await revokeEntry(userKey, entry)) await driver.remove(userKey, entry)
      else isLeft = true
    }
    return isLeft ? 'left' : 'empty'
  }

  const retryInMs = (userKey: string): number => {
    const before = attempts.get(userKey) ?? 0
    attempts.set(userKey, before + 1)
    return backOffMs(before, FIRST_RETRY_MS, MAX_RETRY_MS, random)
  }

  const workOn = async (claimed: Claimed): Promise<void> => {
    const { userKey } = claimed
    const state = await drain(userKey)
    if (state === 'empty') attempts.delete(userKey)
    await driver.completeClaim(claimed, state === 'empty' ? null : retryInMs(userKey))
  }

  const work = async (): Promise<void> => {
    for (const claimed of await driver.claim(CLAIMED_AT_ONCE, CLAIM_MS)) await workOn(claimed)
  }

  const scheduleCheck = (delayMs: number): void => {
    if (!isClosed) cancelCheck = schedule(() => void tracked(work()).then(() => scheduleCheck(CHECK_EVERY_MS)), delayMs)
  }
  if (providers.length > 0) scheduleCheck(FIRST_CHECK_MS)

  return {
    async revokeLateToken(userKey, provider, refreshToken) {
      if (!providers.includes(provider)) return
      const nowMs = clock.now()
      const field = grantField(provider)
      const grant = {
        family: '',
        refreshCount: -1,
        refreshToken,
        idToken: null,
        obtainedAtMs: nowMs,
        expiresAtMs: nowMs,
      }
      const record = codec.sealGrant(userKey, field, grant)
      const entry = { provider, nonce: nonceOf(record, END_OF_LIFE_BYTES), record }
      // Immediately: while the store does not answer, this process holds the only copy.
      await tracked(
        (async () => {
          if (await revokeEntry(userKey, entry)) return
          await driver.announce(userKey, FIRST_RETRY_MS)
          await driver.add(userKey, entry, OUTBOX_LIFE_MS)
        })(),
      )
    },

    moved(userKey) {
      if (providers.length === 0 || pending.has(userKey)) return
      const cancel = schedule(() => {
        pending.delete(userKey)
        // Entries that remain stay in the index: the driver announced them before the sign-in ended.
        void tracked(drain(userKey).then(() => undefined))
      }, AFTER_ENDING_MS)
      pending.set(userKey, cancel)
    },

    work: () => tracked(work()),

    async close() {
      isClosed = true
      cancelCheck()
      for (const [userKey, cancel] of pending) {
        cancel()
        void tracked(drain(userKey).then(() => undefined))
      }
      pending.clear()
      let cancel: () => void = () => undefined
      const deadline = new Promise<void>((resolve) => {
        cancel = schedule(resolve, CLOSE_MS)
      })
      await Promise.race([Promise.all(running), deadline])
      cancel()
    },
  }
}
