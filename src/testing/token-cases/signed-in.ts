/** Shared parts of the token cases. */
import type { TokenSet } from '../../token/types.ts'
import { HOUR } from '../session-fixture.ts'
import type { TokenFixture, TokenHarness } from '../token-fixture.ts'

export const ORDERS = { scopes: ['api://orders/Orders.Read'] }

/** Advances the time while a process waits for another one's lease. */
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

/** A gate at which the scripted provider waits. */
export function closedGate(): { readonly gate: Promise<void>; open(): void } {
  let open = (): void => undefined
  const gate = new Promise<void>((resolve) => (open = resolve))
  return { gate, open: () => open() }
}
