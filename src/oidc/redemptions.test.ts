import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createFakeClock } from '../testing/fake-clock.ts'
import type { Passage, ProviderGate } from '../token/provider-gate.ts'
import { createRedemptions, type Redemptions, type Reservation } from './redemptions.ts'

const AT_ONCE = 10
const WAITING = 100

/** Always open. The gate itself is tested on every driver; these tests are about places. */
const pass = (): Promise<Passage> =>
  Promise.resolve({ worked: () => Promise.resolve(), failed: () => Promise.resolve() })
const open: ProviderGate = { check: pass, enter: pass }

let redemptions: Redemptions
beforeEach(() => {
  vi.useFakeTimers()
  redemptions = createRedemptions({ gate: open, clock: createFakeClock() })
})
afterEach(() => {
  vi.useRealTimers()
})

const reserveAll = (count: number): Promise<Reservation[]> =>
  Promise.all(Array.from({ length: count }, () => redemptions.reserve('p')))
const refusal = { code: 'COATCHECK_OIDC_UNAVAILABLE', details: { provider: 'p', reason: 'busy', retryAfterMs: 5000 } }

it('a place that becomes free goes to the one that waits longest, and never twice', async () => {
  const [one] = await reserveAll(AT_ONCE)
  const order: number[] = []
  const waiting = [1, 2].map((n) =>
    redemptions.reserve('p').then((reservation) => {
      order.push(n)
      return reservation
    }),
  )
  one?.leave()
  one?.leave()
  const next = await waiting[0]
  expect(order).toEqual([1])
  next?.leave()
  await waiting[1]
  expect(order).toEqual([1, 2])
})

it('who waits is sent away after five seconds, and the one behind the limit at once', async () => {
  await reserveAll(AT_ONCE)
  const waiting = Array.from({ length: WAITING }, () => redemptions.reserve('p').catch((error: unknown) => error))
  await expect(redemptions.reserve('p')).rejects.toMatchObject(refusal)
  await vi.advanceTimersByTimeAsync(5000)
  for (const error of await Promise.all(waiting)) expect(error).toMatchObject(refusal)
  await expect(redemptions.reserve('other')).resolves.toBeDefined()
})

it('who was sent away takes no place', async () => {
  const [one] = await reserveAll(AT_ONCE)
  const late = redemptions.reserve('p').catch(() => null)
  await vi.advanceTimersByTimeAsync(5000)
  expect(await late).toBeNull()
  one?.leave()
  await expect(redemptions.reserve('p')).resolves.toBeDefined()
})

it('says why a gate is shut that another copy of this module has made, as in a Next process', async () => {
  vi.resetModules()
  const other = await import('../token/refresh-outcome.ts')
  const shut = (): Promise<never> => {
    const failure = new other.RefreshFailure({ retryAfterMs: 7000 }, { outcome: 'transient', wasAsked: false })
    return Promise.reject(failure)
  }
  redemptions = createRedemptions({ gate: { check: shut, enter: shut }, clock: createFakeClock() })
  await expect(redemptions.reserve('p')).rejects.toMatchObject({
    code: 'COATCHECK_OIDC_UNAVAILABLE',
    details: { provider: 'p', reason: 'gate', retryAfterMs: 7000 },
  })
})
