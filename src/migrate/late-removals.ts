/**
 * Deletes an old key once more, seconds after a session ended. An old process that was answering a request at that moment may have
 * written the key again.
 */

/** Longer than the requests of most applications take. */
const LATE_MS = 5000
/** Beyond this number the next read of the key is left to find it: the ended marker refuses it for an hour. */
const MOST_WAITING = 10_000

export interface LateRemovals {
  /** Runs `remove` in 5 s. A failure is ignored: the ended marker refuses the key at its next read. */
  add(key: string, remove: () => Promise<unknown>): void
  /** The key is in use again. */
  cancel(key: string): void
}

/** @param closing adds what ends with the drop-in */
export function createLateRemovals(closing: (end: () => Promise<void>) => void): LateRemovals {
  const waiting = new Map<string, NodeJS.Timeout>()
  const cancel = (key: string): void => {
    clearTimeout(waiting.get(key))
    waiting.delete(key)
  }
  closing(() => {
    for (const key of [...waiting.keys()]) cancel(key)
    return Promise.resolve()
  })
  return {
    add(key, remove) {
      cancel(key)
      if (waiting.size >= MOST_WAITING) return
      const timer = setTimeout(() => {
        waiting.delete(key)
        remove().catch(() => undefined)
      }, LATE_MS)
      timer.unref()
      waiting.set(key, timer)
    },
    cancel,
  }
}
