/** Callers that wait until a connection is ready, or until waiting cannot help. */
import type { CoatcheckError } from '../core/errors.ts'

export class ReadyWaiters {
  readonly #settle = new Set<(error: CoatcheckError | null) => void>()

  /** Rejects with the error passed to `settle`, or with the error of `late` after the timeout. */
  async wait(timeoutMs: number, late: () => CoatcheckError): Promise<void> {
    const error = await new Promise<CoatcheckError | null>((resolve) => {
      const timer = setTimeout(() => resolve(late()), timeoutMs)
      this.#settle.add((outcome) => {
        clearTimeout(timer)
        resolve(outcome)
      })
    })
    if (error) throw error
  }

  /** @param error `null`: the connection is ready */
  settle(error: CoatcheckError | null): void {
    for (const settle of this.#settle) settle(error)
    this.#settle.clear()
  }
}
