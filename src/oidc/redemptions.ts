/**
 * Limits code redemptions: few at once in this process, and only while the gate allows it. Anonymous visitors cause redemptions.
 * `callback.ts` reserves a place before it claims the transaction; `redemption-gate.ts` decides what an outcome says about the provider.
 */
import type { Clock } from '../core/clock.ts'
import type { ProviderGate } from '../token/provider-gate.ts'
import { createRedemptionGate, redemptionUnavailable, type RedemptionPassage } from './redemption-gate.ts'

/** Redemptions of one provider that run at once in this process. A redemption takes about 100 ms. */
const MAX_AT_ONCE = 10
const MAX_WAITING = 100
const MAX_WAIT_FOR_PLACE_MS = 5000

export interface Redemptions {
  /**
   * Waits for a place, at most five seconds, and checks the gate. It starts no trial of the gate.
   * @throws {OidcError} `COATCHECK_OIDC_UNAVAILABLE` with `details.retryAfterMs`; `COATCHECK_OIDC_CLIENT_REJECTED` while the gate refuses
   *   requests because the provider refuses this client
   */
  reserve(provider: string): Promise<Reservation>
}

export interface Reservation extends RedemptionPassage {
  /** Passes the place to the next waiting redemption. The caller must call it in each case. */
  leave(): void
}

interface Places {
  taken: number
  readonly waiting: Set<() => void>
}

export function createRedemptions(deps: { readonly gate: ProviderGate; readonly clock: Clock }): Redemptions {
  const gate = createRedemptionGate(deps)
  const places = new Map<string, Places>()

  const leave = (provider: string): void => {
    const own = placesOf(places, provider)
    const [next] = own.waiting
    if (next) next()
    else own.taken--
  }

  return {
    async reserve(provider) {
      await placeOf(placesOf(places, provider), provider)
      let hasLeft = false
      const leaveOnce = (): void => {
        if (!hasLeft) leave(provider)
        hasLeft = true
      }
      try {
        const { redeem } = await gate.check(provider)
        return { redeem, leave: leaveOnce }
      } catch (error) {
        leaveOnce()
        throw error
      }
    },
  }
}

function placesOf(places: Map<string, Places>, provider: string): Places {
  const known = places.get(provider) ?? { taken: 0, waiting: new Set() }
  places.set(provider, known)
  return known
}

/** First come, first served. `leave` passes a place to the next redemption in the queue, so the place stays taken. */
function placeOf(places: Places, provider: string): Promise<void> {
  if (places.taken < MAX_AT_ONCE) {
    places.taken++
    return Promise.resolve()
  }
  if (places.waiting.size >= MAX_WAITING)
    return Promise.reject(redemptionUnavailable(provider, 'busy', MAX_WAIT_FOR_PLACE_MS))
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      places.waiting.delete(take)
      reject(redemptionUnavailable(provider, 'busy', MAX_WAIT_FOR_PLACE_MS))
    }, MAX_WAIT_FOR_PLACE_MS)
    const take = (): void => {
      places.waiting.delete(take)
      clearTimeout(timer)
      resolve()
    }
    places.waiting.add(take)
  })
}
