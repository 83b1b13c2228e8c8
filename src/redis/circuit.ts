/**
 * Circuit breaker: after three timeouts in a row, only one `PING` at a time is sent, until the server answers it. `cockatiel` keeps the
 * state. Operations do not run through its policy, which would cost several promises each. They check `isOpen` and report timeouts. They
 * report successes only while `isSuspect` is true.
 */
import { type CircuitBreakerPolicy, circuitBreaker, ConsecutiveBreaker, handleAll } from 'cockatiel'

const TIMEOUTS_IN_A_ROW = 3
const HALF_OPEN_AFTER_MS = 100

export interface CircuitHooks {
  /** Resolves when the server answers. Rejects if it does not answer in time. */
  probe(): Promise<void>
  changed(isOpen: boolean): void
}

export class Circuit {
  isOpen = false
  /** True if a timeout occurred since the last success. */
  isSuspect = false
  readonly #policy: CircuitBreakerPolicy
  readonly #hooks: CircuitHooks
  #timer: ReturnType<typeof setTimeout> | undefined
  #isProbing = false

  constructor(hooks: CircuitHooks) {
    this.#hooks = hooks
    this.#policy = circuitBreaker(handleAll, {
      halfOpenAfter: HALF_OPEN_AFTER_MS,
      breaker: new ConsecutiveBreaker(TIMEOUTS_IN_A_ROW),
    })
    // A failed probe opens the circuit again. Only the first opening is reported.
    this.#policy.onBreak(() => {
      if (!this.isOpen) this.#change(true)
      this.#probeAfter(HALF_OPEN_AFTER_MS)
    })
    this.#policy.onReset(() => this.#change(false))
  }

  timedOut(): void {
    if (this.isOpen) return
    this.isSuspect = true
    this.#report(() => {
      throw new Error('timeout')
    })
  }

  succeeded(): void {
    if (this.isOpen) return
    this.isSuspect = false
    this.#report(() => undefined)
  }

  /** Probes at once. Called when a new connection makes an answer likely. */
  probeNow(): void {
    if (this.isOpen) this.#probeAfter(0)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #change(isOpen: boolean): void {
    this.isOpen = isOpen
    if (!isOpen) {
      this.isSuspect = false
      clearTimeout(this.#timer)
    }
    this.#hooks.changed(isOpen)
  }

  #probeAfter(delayMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.#probe(), delayMs).unref()
  }

  async #probe(): Promise<void> {
    if (this.#isProbing) return
    this.#isProbing = true
    await this.#policy.execute(() => this.#hooks.probe()).catch(() => undefined)
    this.#isProbing = false
    // The policy rejected the call as too early: it counts whole milliseconds of another clock.
    if (this.isOpen) this.#probeAfter(HALF_OPEN_AFTER_MS / 4)
  }

  #report(outcome: () => void): void {
    this.#policy.execute(outcome).catch(() => undefined)
  }
}
