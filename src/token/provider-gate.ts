/**
 * The circuit breaker for token requests to a provider. A `Retry-After` of one request, or several failures in a row, pause all processes
 * and all users. While the gate is shut, nobody asks the provider; after the pause,
 * one trial request decides whether it opens. The state is in the store, which no
 * circuit-breaker library for one process supports; see docs/decisions/0007-provider-gate.md.
 */
import type { Clock } from '../core/clock.ts'
import type { Random } from '../core/random.ts'
import type { Keyring } from '../keyring/keyring.ts'
import type { GateAnswer, ProviderGateDriver } from './provider-gate-driver.ts'
import { backOffMs, concernsProvider, outcomeActions, RefreshFailure, type RefreshOutcome } from './refresh-outcome.ts'

const FAILURES_IN_A_ROW = 5
const FIRST_PAUSE_MS = 1000
const MAX_PAUSE_MS = 30_000
/** A longer `Retry-After` is a mistake or an outage, so Coatcheck asks the provider again after this time. */
const MAX_RETRY_AFTER_MS = 5 * 60_000
/** The deadline of the trial request after a pause. If it does not report in this time, another trial may start. */
const TRIAL_MS = 10_000
/** How long a process trusts an answer of the store before it reads the store again. */
const ANSWER_TRUSTED_MS = 1000

/**
 * The right to send one request. The caller must report the result. Never rejects: if the store does not answer, this process keeps the
 * result.
 */
export interface Passage {
  worked(): Promise<void>
  failed(failure: RefreshFailure): Promise<void>
}

export interface ProviderGate {
  /** @throws {RefreshFailure} with the outcome of the last failure and `retryAfterMs`, while the provider must not be asked */
  enter(provider: string): Promise<Passage>
  /** Checks that a request may be sent now. It starts no trial, so the caller need not report. @throws as `enter` */
  check(provider: string): Promise<Passage>
}

/** The name of a provider's gate, the same in all processes. */
export function gateNames(keyring: Keyring): (provider: string) => string {
  return (provider) => keyring.nameOf('provider-gate', provider)
}

export function createProviderGate(deps: {
  readonly driver: ProviderGateDriver
  /** The name of a provider in the store. */
  readonly nameOf: (provider: string) => string
  readonly clock: Clock
  readonly random: Random
}): ProviderGate {
  const { driver, clock, random } = deps
  const closed = new Map<string, { readonly untilMs: number; readonly outcome: RefreshOutcome }>()

  const close = (provider: string, forMs: number, outcome: RefreshOutcome): void =>
    void closed.set(provider, { untilMs: clock.monotonic() + forMs, outcome })

  const ask = async (provider: string, trialMs: number): Promise<GateAnswer> => {
    const known = closed.get(provider)
    const waitMs = (known?.untilMs ?? 0) - clock.monotonic()
    if (known && waitMs > 0) return { isOpen: false, waitMs, outcome: known.outcome }
    closed.delete(provider)
    // If the store does not answer, each process decides for itself.
    const answer = await driver.enter(deps.nameOf(provider), trialMs).catch(() => null)
    if (answer === null) return { isOpen: true, failures: 0 }
    if (!answer.isOpen) close(provider, Math.min(answer.waitMs, ANSWER_TRUSTED_MS), outcomeOf(answer.outcome))
    return answer
  }

  const failuresBefore = async (provider: string, trialMs: number): Promise<number> => {
    const answer = await ask(provider, trialMs)
    if (answer.isOpen) return answer.failures
    const facts = { retryAfterMs: answer.waitMs }
    throw new RefreshFailure(facts, { outcome: outcomeOf(answer.outcome), wasAsked: false })
  }

  const passageOf = async (provider: string, trialMs: number): Promise<Passage> => {
    const failures = await failuresBefore(provider, trialMs)
    const worked = async (): Promise<void> => {
      if (failures > 0) await driver.worked(deps.nameOf(provider)).catch(() => undefined)
    }
    return {
      worked,
      async failed(failure) {
        const { outcome, facts } = failure
        if (!concernsProvider(failure)) return worked()
        const inARow = failures + 1
        const ownPauseMs =
          inARow < FAILURES_IN_A_ROW ? 0 : backOffMs(inARow - FAILURES_IN_A_ROW, FIRST_PAUSE_MS, MAX_PAUSE_MS, random)
        const pauseMs = Math.max(ownPauseMs, Math.min(facts.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS))
        if (pauseMs > 0) close(provider, pauseMs, outcome)
        await driver.failed(deps.nameOf(provider), pauseMs, outcome).catch(() => undefined)
      },
    }
  }

  return {
    check: (provider) => passageOf(provider, 0),
    enter: (provider) => passageOf(provider, TRIAL_MS),
  }
}

/** Another version may have written an unknown outcome. It still means that the provider must not be asked. */
function outcomeOf(stored: string): RefreshOutcome {
  return Object.hasOwn(outcomeActions, stored) ? (stored as RefreshOutcome) : 'transient'
}
