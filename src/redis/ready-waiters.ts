/** Those who wait until a connection can be used, or until it is known that waiting does not help. */
import type { CoatcheckError } from '../core/errors.ts'

export class ReadyWaiters {
  readonly #settle = new Set<(error: CoatcheckError | null) => void>()

  /** Rejects with what they are settled with, or with what `late` says after that time. */
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

  /** @param error `null`: it is ready */
  settle(error: CoatcheckError | null): void {
    for (const settle of this.#settle) settle(error)
    this.#settle.clear()
  }
}
