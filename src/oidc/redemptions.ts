/**
 * Code redemption behind the provider gate: while the gate is shut, the process sends no code, and an outage that a redemption meets
 * counts for all processes. Anonymous visitors cause redemptions. So only few run at once, and a refused code is no failure of the provider.
 */
import type { Clock } from '../core/clock.ts'
import { OidcError } from '../core/errors.ts'
import type { Passage, ProviderGate } from '../token/provider-gate.ts'
import { isRefreshFailure, type RefreshFailure } from '../token/refresh-outcome.ts'
import { failureOf } from './token-requester.ts'

/** Redemptions of one provider that run at once in this process. A redemption takes some 100 ms. */
const MOST_AT_ONCE = 10
const MOST_WAITING = 100
const LONGEST_WAIT_MS = 5000
/** Below 500, these say that the provider wants a pause. */
const PAUSE_STATUSES: readonly number[] = [408, 425, 429]

export interface Redemptions {
  /**
   * Waits for a place, at most five seconds, and looks whether the gate is open. It takes no trial of the gate.
   * @throws {OidcError} `COATCHECK_OIDC_UNAVAILABLE` with `details.retryAfterMs`; `COATCHECK_OIDC_CLIENT_REJECTED` while the gate is
   *   shut because the provider refuses this client
   */
  reserve(provider: string): Promise<Reservation>
}

export interface Reservation {
  /** Passes the gate, sends the request, and reports what it met. @throws as `reserve`, and what the request throws */
  redeem<T>(request: () => Promise<T>): Promise<T>
  /** Gives the place to the next waiting redemption. The caller must call it in any case. */
  leave(): void
}

interface Places {
  taken: number
  readonly waiting: Set<() => void>
}

export function createRedemptions(deps: { readonly gate: ProviderGate; readonly clock: Clock }): Redemptions {
  const { gate, clock } = deps
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
      const reservation: Reservation = {
        async redeem(request) {
          const passage = await gate.enter(provider).catch((error: unknown) => {
            throw shutError(provider, error)
          })
          return reported(passage, request, clock)
        },
        leave() {
          if (!hasLeft) leave(provider)
          hasLeft = true
        },
      }
      try {
        await gate.look(provider)
        return reservation
      } catch (error) {
        reservation.leave()
        throw shutError(provider, error)
      }
    },
  }
}

function placesOf(places: Map<string, Places>, provider: string): Places {
  const known = places.get(provider) ?? { taken: 0, waiting: new Set() }
  places.set(provider, known)
  return known
}

/** First come, first served. `leave` hands a place to the next in line, so the place stays taken. */
function placeOf(places: Places, provider: string): Promise<void> {
  if (places.taken < MOST_AT_ONCE) {
    places.taken++
    return Promise.resolve()
  }
  if (places.waiting.size >= MOST_WAITING) return Promise.reject(unavailable(provider, 'busy', LONGEST_WAIT_MS))
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      places.waiting.delete(take)
      reject(unavailable(provider, 'busy', LONGEST_WAIT_MS))
    }, LONGEST_WAIT_MS)
    const take = (): void => {
      places.waiting.delete(take)
      clearTimeout(timer)
      resolve()
    }
    places.waiting.add(take)
  })
}

async function reported<T>(passage: Passage, request: () => Promise<T>, clock: Clock): Promise<T> {
  try {
    const result = await request()
    await passage.worked()
    return result
  } catch (error) {
    const failure = failureOf(error, clock)
    // The token endpoint has worked: a visitor can send a code of another sign-in, whose answer fails a check here.
    if (error instanceof OidcError || isOfTheCode(failure)) await passage.worked()
    else await passage.failed(failure)
    throw error
  }
}

/** Whether the code was refused. A firewall may refuse a forged code with a page: a status below 500 without an OAuth error. */
function isOfTheCode({ outcome, facts: { status = 500, error } }: RefreshFailure): boolean {
  if (outcome === 'invalid-answer') return true
  return outcome === 'transient' && error === undefined && status < 500 && !PAUSE_STATUSES.includes(status)
}

function shutError(provider: string, error: unknown): unknown {
  if (!isRefreshFailure(error)) return error
  const { outcome, facts } = error
  if (outcome !== 'operator-error') return unavailable(provider, 'gate', facts.retryAfterMs)
  const details = { provider, reason: 'gate', retryAfterMs: facts.retryAfterMs }
  return new OidcError('COATCHECK_OIDC_CLIENT_REJECTED', { details })
}

function unavailable(provider: string, reason: 'gate' | 'busy', retryAfterMs: number | undefined): OidcError {
  return new OidcError('COATCHECK_OIDC_UNAVAILABLE', { details: { provider, reason, retryAfterMs } })
}
