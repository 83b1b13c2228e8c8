/**
 * A serial queue for changes of one document within this process. Each change starts with the document that the previous one stored. So
 * parallel requests of one session cost one command each, and their compare-and-set writes do not conflict.
 */
export interface ChangeQueue<L> {
  /** @param run gets the document that the previous change left, if the queue was not empty since */
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
        // The stored state is unknown: the next change reads it.
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
