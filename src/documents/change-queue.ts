/**
 * Changes of one document within this process take turns, and each begins with what the one before has stored: parallel requests
 * of one session then cost one command each, and do not race each other for the compare and set.
 */
export interface ChangeQueue<L> {
  /** @param run gets what the turn before has left, if it stands there still waiting for others */
  take<R>(name: string, run: (latest: L | undefined) => Promise<{ result: R; latest: L | undefined }>): Promise<R>
}

export function createChangeQueue<L>(): ChangeQueue<L> {
  const queues = new Map<string, { tail: Promise<unknown>; latest: L | undefined; waiting: number }>()
  return {
    async take(name, run) {
      const queue = queues.get(name) ?? { tail: Promise.resolve(), latest: undefined, waiting: 0 }
      queues.set(name, queue)
      queue.waiting++
      const turn = queue.tail.then(async () => {
        const { result, latest } = await run(queue.latest)
        queue.latest = latest
        return result
      })
      queue.tail = turn.catch(() => {
        // What is stored is unknown: the next one reads it.
        queue.latest = undefined
      })
      try {
        return await turn
      } finally {
        if (--queue.waiting === 0) queues.delete(name)
      }
    },
  }
}
