/**
 * Deletes an old key once more, seconds after its record ended. An old process that was answering a request at that moment may have
 * written the key again.
 */

/** Longer than the requests of most applications take. */
export const LATE_MS = 5000
/** Above this number no removal is planned. The ended marker still refuses the record for an hour, at the next read of its key. */
const MAX_PLANNED_REMOVALS = 10_000

/** The second removal of an old key. */
export interface LateRemoval {
  /** Returns whether Coatcheck stores a record under the name again. The old key is then in use, and stays. */
  isStored(): Promise<boolean>
  /** Deletes the old key, if it holds a record of the library. */
  remove(): Promise<unknown>
}

export interface LateRemovals {
  /**
   * Plans the second removal in 5 s. Called before the first one: its reply may be lost. A failure is ignored, because the ended marker
   * refuses the key at its next read.
   */
  add(key: string, removal: LateRemoval): void
  /** Drops the planned removal: the key is in use again. */
  cancel(key: string): void
}

/** @param closing adds what ends with the drop-in */
export function createLateRemovals(closing: (end: () => Promise<void>) => void): LateRemovals {
  const planned = new Map<string, NodeJS.Timeout>()
  const cancel = (key: string): void => {
    clearTimeout(planned.get(key))
    planned.delete(key)
  }
  closing(() => {
    for (const key of [...planned.keys()]) cancel(key)
    return Promise.resolve()
  })
  const run = async ({ isStored, remove }: LateRemoval): Promise<void> => {
    if (!(await isStored())) await remove()
  }
  return {
    add(key, removal) {
      cancel(key)
      if (planned.size >= MAX_PLANNED_REMOVALS) return
      const timer = setTimeout(() => {
        planned.delete(key)
        run(removal).catch(() => undefined)
      }, LATE_MS)
      timer.unref()
      planned.set(key, timer)
    },
    cancel,
  }
}
