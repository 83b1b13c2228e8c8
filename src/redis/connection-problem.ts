/**
 * Stores why a connection cannot be used. It keeps the first specific problem until the connection is ready again. The library often only
 * reports a closed socket. In that case the endpoint itself is probed once.
 */
import { CoatcheckError } from '../core/errors.ts'
import { diagnose, type Diagnosis, diagnosis, redisError } from './diagnose.ts'
import { probeEndpoint } from './endpoint-probe.ts'
import type { RedisTarget } from './target.ts'

export class ConnectionProblem {
  readonly #endpoint: () => string
  #found: Diagnosis | CoatcheckError | null = null
  #isProbed = false

  constructor(endpoint: () => string) {
    this.#endpoint = endpoint
  }

  get code(): string | undefined {
    return this.#found?.code
  }

  get isKnown(): boolean {
    return this.#found !== null
  }

  /** Returns a new error object. */
  asError(): CoatcheckError {
    const found = this.#found ?? this.unreachable('no answer to the connection attempt')
    return found instanceof Error ? found : redisError(found)
  }

  unreachable(says: string): Diagnosis {
    return diagnosis('COATCHECK_REDIS_UNREACHABLE', this.#endpoint(), says)
  }

  of(error: unknown): Diagnosis | CoatcheckError {
    return error instanceof CoatcheckError ? error : diagnose(error, this.#endpoint())
  }

  /**
   * @param wasReady if true, any problem replaces the old one. Otherwise the socket closes after each refusal, and that event must not hide
   * the refusal
   */
  found(problem: Diagnosis | CoatcheckError, wasReady: boolean): void {
    if (problem instanceof Error || !problem.isVague || this.#found === null || wasReady) this.#found = problem
  }

  solved(): void {
    this.#found = null
    this.#isProbed = false
  }

  /** Probes the endpoint, if the known problem is vague and the endpoint was not probed yet. `null`: the probe found nothing better. */
  async probe(target: RedisTarget): Promise<Diagnosis | null> {
    if (this.#isProbed || this.#found === null || this.#found instanceof Error || !this.#found.isVague) return null
    this.#isProbed = true
    return probeEndpoint(target, this.#endpoint())
  }
}
