/**
 * Why a connection cannot be used, as far as known: the first thing found out that says something, until it is ready again. What
 * the library says is often only that a socket was closed; then the endpoint itself is asked once.
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

  /** A new error. */
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

  /** @param wasReady then anything is news; otherwise the socket closes after each refusal, which must not hide the refusal */
  found(problem: Diagnosis | CoatcheckError, wasReady: boolean): void {
    if (problem instanceof Error || !problem.isVague || this.#found === null || wasReady) this.#found = problem
  }

  solved(): void {
    this.#found = null
    this.#isProbed = false
  }

  /** Asks the endpoint, if what is known is vague and it was not asked already. `null`: nothing better is known. */
  async probe(target: RedisTarget): Promise<Diagnosis | null> {
    if (this.#isProbed || this.#found === null || this.#found instanceof Error || !this.#found.isVague) return null
    this.#isProbed = true
    return probeEndpoint(target, this.#endpoint())
  }
}
