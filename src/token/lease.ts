/**
 * The lease of a grant: the right to refresh it for a limited time, across all processes. A random token identifies its holder, and the
 * store's clock decides how long it lasts. The holder renews it while the provider is slow. If the holder dies, another process takes it
 * over. The lease protects the provider from parallel refreshes. The compare-and-set of the commit protects the grant. The store also
 * refuses a commit while another process holds the lease. So a process that slept, and lost its lease to another one, changes nothing.
 */
import type { Random } from '../core/random.ts'
import { LEASE_HOLDER_BYTES, type LeaseClaim, type TokenDriver, type TokenField } from './token-driver.ts'
import type { Schedule } from './uncommitted-grants.ts'

/** Long enough for an event loop that is blocked for several seconds. Short enough to wait for after a holder has died. */
const LEASE_MS = 6000
const RENEW_EVERY_MS = 2000
const FIRST_WAIT_MS = 50
const MAX_POLL_INTERVAL_MS = 1000
const WAIT_GROWTH = 1.5

export interface Lease {
  /** Part of the commit. The store refuses the commit while another lease is valid, and releases this lease with a successful commit. */
  readonly claim: LeaseClaim
  /** Releases the lease and stops renewing it. Harmless if the lease is lost or the commit has released it. Never rejects. */
  release(): Promise<void>
}

export interface Leases {
  /** `null`: another caller holds the lease; wait with `waiting`, then try again. */
  take(userKey: string, field: TokenField): Promise<Lease | null>
  /** Waits for the lease after `take` returned `null`. The caller must close it. */
  waiting(userKey: string): Waiting
}

/**
 * Waits for the end of another holder's lease. Where the store sends notifications, it reports a release within milliseconds, for one
 * subscription. Elsewhere the caller checks with growing pauses. No store reports a lease that runs out because its holder died, so the
 * caller checks at least once per second in both cases.
 */
export interface Waiting {
  /** Resolves when the caller should check again. */
  next(): Promise<void>
  close(): void
}

export function createLeases(deps: {
  readonly driver: TokenDriver
  readonly random: Random
  readonly schedule: Schedule
}): Leases {
  const { driver, random, schedule } = deps

  const keep = (userKey: string, claim: LeaseClaim): Lease => {
    let isOver = false
    let cancel: () => void = () => undefined
    const renewLater = (): void => {
      cancel = schedule(() => {
        // A failed renewal is retried before the lease ends. A refused renewal means that another process holds the lease.
        driver.renewLease(userKey, claim).then(
          (isOurs) => {
            if (isOurs && !isOver) renewLater()
          },
          () => {
            if (!isOver) renewLater()
          },
        )
      }, RENEW_EVERY_MS)
    }
    renewLater()
    return {
      claim,
      async release() {
        if (isOver) return
        isOver = true
        cancel()
        await driver.releaseLease(userKey, claim).catch(() => undefined)
      },
    }
  }

  return {
    async take(userKey, field) {
      const claim = { field, holder: random.bytes(LEASE_HOLDER_BYTES), ttlMs: LEASE_MS }
      return (await driver.takeLease(userKey, claim)) ? keep(userKey, claim) : null
    },

    waiting(userKey) {
      let wasHeard = false
      let isHearing = false
      let checks = 0
      let wake: () => void = () => undefined
      const notified = (): void => {
        wasHeard = true
        wake()
      }
      const watch = driver.watchLeases(userKey, notified)
      // The caller missed notifications from before the subscription: check once more.
      void watch.confirmed.then((isConfirmed) => {
        isHearing = isConfirmed
        if (isConfirmed) notified()
      })
      const pauseMs = (): number => {
        const growing = FIRST_WAIT_MS * WAIT_GROWTH ** Math.min(checks++, 10)
        // Up to a quarter of the pause is random, so that waiting callers do not check at the same moment.
        const chance = random.bytes(1).readUInt8(0) / 255
        return (isHearing ? MAX_POLL_INTERVAL_MS : Math.min(MAX_POLL_INTERVAL_MS, growing)) * (1 - chance / 4)
      }
      return {
        async next() {
          if (!wasHeard) {
            await new Promise<void>((resolve) => {
              const cancel = schedule(resolve, pauseMs())
              wake = () => {
                cancel()
                resolve()
              }
            })
          }
          wasHeard = false
        },
        close: () => watch.close(),
      }
    },
  }
}
