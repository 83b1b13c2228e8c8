/** Base of the session cases: stores over the harness' driver, with keys, policies and events that the case chooses. */
import { createHash } from 'node:crypto'
import type { ResolvedSession } from '../config/session-settings.ts'
import { CacheBudget } from '../core/cache-budget.ts'
import { EventBus } from '../core/events.ts'
import { type Random, systemRandom } from '../core/random.ts'
import { createKeyring, type Keyring } from '../keyring/keyring.ts'
import { createSeal } from '../keyring/seal.ts'
import type { SessionDriver } from '../session/session-driver.ts'
import { createSessionMemory, type SessionMemory } from '../session/session-memory.ts'
import { createSessionStore } from '../session/session-store.ts'
import type { SessionStore } from '../session/types.ts'
import type { SessionHarness } from './conformance.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE

/** Not a secret: a test key, derived from a word. */
export function testKey(word: string): string {
  return createHash('sha256').update(word).digest('base64')
}

export const TEST_POLICY: ResolvedSession<Record<string, unknown>> = {
  idleTimeoutMs: 8 * HOUR,
  absoluteTimeoutMs: 24 * HOUR,
  schema: null,
  schemaVersion: 1,
  upcasts: {},
  limit: null,
  onUnavailable: 'fail',
  staleForMs: 0,
  maxBytes: 65_536,
}

export interface Fixture<D extends object> {
  readonly store: SessionStore<D>
  readonly keyring: Keyring
  readonly events: EventBus
  readonly memory: SessionMemory
}

export function fixture<D extends object = Record<string, unknown>>(
  harness: SessionHarness,
  options: {
    policy?: Partial<ResolvedSession<D>>
    keys?: string
    driver?: SessionDriver
    namespace?: string
    random?: Random
    memory?: SessionMemory
  } = {},
): Fixture<D> {
  const keyring = createKeyring(options.keys ?? testKey('first'))
  const random = options.random ?? systemRandom
  const memory = options.memory ?? createSessionMemory({ keyring, random, clock: harness.clock }, new CacheBudget())
  const events = new EventBus()
  const store = createSessionStore<D>({
    driver: options.driver ?? harness.driver,
    keyring,
    seal: createSeal(keyring, options.random),
    config: { ...(TEST_POLICY as unknown as ResolvedSession<D>), ...options.policy },
    namespace: options.namespace ?? '',
    clock: harness.clock,
    random,
    events,
    memory,
  })
  return { store, keyring, events, memory }
}

/** A driver that counts its calls, for cases that must not reach the store. */
export function countingDriver(driver: SessionDriver): { driver: SessionDriver; calls: () => number } {
  let calls = 0
  const counted = new Proxy(driver, {
    get(target, name) {
      calls++
      return Reflect.get(target, name) as unknown
    },
  })
  return { driver: counted, calls: () => calls }
}

/** The code of the error with which a promise rejects. Fails the case if the promise resolves. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
  } catch (error) {
    return String((error as { code?: unknown }).code)
  }
  return 'resolved'
}
