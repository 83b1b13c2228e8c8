/** Runs one task per key at a time in this process. Callers of the same key share the task, or wait in a serial queue. */

export interface SingleFlight<T> {
  /** Returns the result of the flight of this key, which its first caller started. */
  join(key: string, start: () => Promise<T>): Promise<T>
  isFlying(key: string): boolean
  /** Resolves when all current flights have ended, successfully or not. */
  idle(): Promise<void>
}

export function createSingleFlight<T>(): SingleFlight<T> {
  const flights = new Map<string, Promise<T>>()
  return {
    join(key, start) {
      const flying = flights.get(key)
      if (flying) return flying
      const flight = start().finally(() => flights.delete(key))
      flights.set(key, flight)
      return flight
    },
    isFlying: (key) => flights.has(key),
    async idle() {
      await Promise.allSettled(flights.values())
    },
  }
}

/** Runs the tasks of one key one after the other, in the order of the calls. A failed task does not stop the next one. */
export function createSerialQueue(): <T>(key: string, task: () => Promise<T>) => Promise<T> {
  const tails = new Map<string, Promise<unknown>>()
  return async (key, task) => {
    const before = tails.get(key) ?? Promise.resolve()
    const mine = before.then(task, task)
    tails.set(key, mine)
    try {
      return await mine
    } finally {
      if (tails.get(key) === mine) tails.delete(key)
    }
  }
}

/** Returns the promise, or rejects with the signal's reason. The work behind the promise goes on for other callers. */
export function freedBy<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> {
  if (!signal) return promise
  return new Promise<T>((resolve, reject) => {
    const free = (): void => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the reason is the caller's, as fetch has it
      reject(signal.reason)
    }
    if (signal.aborted) free()
    signal.addEventListener('abort', free, { once: true })
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', free))
  })
}
