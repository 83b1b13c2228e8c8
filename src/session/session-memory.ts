/**
 * What a process remembers of sessions: verified tickets with their decoded records, and the sessions that the policy `stale` may serve.
 * All instances of one configuration share it, so none of them serves a session that another one has ended.
 */
import type { CacheBudget } from '../core/cache-budget.ts'
import type { Clock } from '../core/clock.ts'
import type { Random } from '../core/random.ts'
import type { Keyring } from '../keyring/keyring.ts'
import { VerifiedSessions } from './outage.ts'
import { createTickets, type Tickets } from './ticket.ts'

export interface SessionMemory {
  readonly tickets: Tickets
  readonly verified: VerifiedSessions
}

export function createSessionMemory(
  { keyring, random, clock }: { readonly keyring: Keyring; readonly random: Random; readonly clock: Clock },
  caches: CacheBudget,
): SessionMemory {
  return { tickets: createTickets(keyring, random, clock, caches), verified: new VerifiedSessions(clock, caches) }
}
