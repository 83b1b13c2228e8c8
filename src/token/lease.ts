/**
 * The lease of a grant: the right to refresh it, for a time, over all processes. Its holder is a random token; the store's
 * clock decides how long it lasts; it is renewed while the provider is slow, and somebody else takes it over when its holder
 * has died. It protects the provider from parallel refreshes. What protects the grant is the compare and set of the commit,
 * which also refuses while somebody else's lease stands: a holder that slept past its lease changes nothing.
 */
import type { Random } from '../core/random.ts'
import { LEASE_HOLDER_BYTES, type LeaseClaim, type TokenDriver, type TokenField } from './token-driver.ts'
import type { Schedule } from './uncommitted-grants.ts'

/** Long enough for a blocked event loop of several seconds, short enough to wait for when a holder has died. */
const LEASE_MS = 6000
const RENEW_EVERY_MS = 2000
const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 1000
const WAIT_GROWTH = 1.5

export interface Lease {
  /** Part of the commit: refused while another lease stands, and given back with it. */
  readonly claim: LeaseClaim
  /** Gives it back and stops renewing; harmless when it is lost or the commit has done so. Never rejects. */
  release(): Promise<void>
}

export interface Leases {
  /** `null`: somebody else holds it; ask again after `wait`. */
  take(userKey: string, field: TokenField): Promise<Lease | null>
  /** For whoever was told `null`. To be closed. */
  waiting(userKey: string): Waiting
}

/**
 * Waiting for the end of somebody's lease: on the store's word where it can be had, which comes within milliseconds and costs
 * one subscription; with growing pauses where it cannot. Either way nobody waits longer than a second without a look.
 */
export interface Waiting {
  /** Resolves when it is time to look again. */
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
        // A renewal that fails is tried again in time; one that is refused means that the lease is somebody else's.
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
      let looks = 0
      let wake: () => void = () => undefined
      const look = (): void => {
        wasHeard = true
        wake()
      }
      const watch = driver.watchLeases(userKey, look)
      // What was said before anybody listened was not heard: one look more.
      void watch.confirmed.then((isConfirmed) => {
        isHearing = isConfirmed
        if (isConfirmed) look()
      })
      const pauseMs = (): number => {
        const growing = FIRST_WAIT_MS * WAIT_GROWTH ** Math.min(looks++, 10)
        // A quarter of chance, so that those who wait do not ask in one moment.
        const chance = random.bytes(1).readUInt8(0) / 255
        return (isHearing ? LONGEST_WAIT_MS : Math.min(LONGEST_WAIT_MS, growing)) * (1 - chance / 4)
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
