/** What the token cases have in common. */
import type { TokenSet } from '../../token/types.ts'
import { HOUR } from '../session-fixture.ts'
import type { TokenFixture, TokenHarness } from '../token-fixture.ts'

export const ORDERS = { scopes: ['api://orders/Orders.Read'] }

/** Lets the time pass that a process waits for another one's lease. */
export async function whileWaiting<T>({ runScheduled }: TokenFixture, work: Promise<T>): Promise<T> {
  let isDone = false
  const done = (): void => void (isDone = true)
  work.then(done, done)
  while (!isDone) {
    runScheduled()
    await new Promise(setImmediate)
  }
  return work
}

export function signedIn(harness: TokenHarness, overrides: Partial<TokenSet> = {}): TokenSet {
  return {
    accessToken: 'access-0',
    refreshToken: 'refresh-0',
    idToken: 'id-0',
    expiresAt: harness.clock.now() + HOUR,
    scopes: ['openid', 'profile'],
    ...overrides,
  }
}

/** A door that the scripted provider waits at. */
export function closedGate(): { readonly gate: Promise<void>; open(): void } {
  let open = (): void => undefined
  const gate = new Promise<void>((resolve) => (open = resolve))
  return { gate, open: () => open() }
}
