/** Callers that wait until a connection is ready, or until waiting cannot help. */
import type { CoatcheckError } from '../core/errors.ts'

export class ReadyWaiters {
  readonly #waiting = new Set<(error: CoatcheckError | null) => void>()

  /** Rejects with the error passed to `finish`, or with the error of `late` after the timeout. */
  async wait(timeoutMs: number, late: () => CoatcheckError): Promise<void> {
    const error = await new Promise<CoatcheckError | null>((resolve) => {
      const timer = setTimeout(() => resolve(late()), timeoutMs)
      this.#waiting.add((outcome) => {
        clearTimeout(timer)
        resolve(outcome)
      })
    })
    if (error) throw error
  }

  /** @param error `null`: the connection is ready */
  finish(error: CoatcheckError | null): void {
    for (const finish of this.#waiting) finish(error)
    this.#waiting.clear()
  }
}
