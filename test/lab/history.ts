/**
 * What several workers did to sessions, with start and end of each operation, and whether it can be true: no read that began after a
 * durable ending was acknowledged may return the session. An ending that was not acknowledged as durable promises nothing.
 *
 * All times are of one clock. An acknowledgement of another process counts from when it was heard of here, which is later: that
 * hides nothing that was wrong for longer than a message takes.
 */
export interface Ending {
  readonly kind: 'ending'
  readonly worker: string
  readonly sessionId: string
  readonly startMs: number
  readonly endMs: number
  readonly answer: 'durable' | 'not durable' | 'error'
}

export interface Read {
  readonly kind: 'read'
  readonly worker: string
  readonly sessionId: string
  readonly startMs: number
  readonly endMs: number
  readonly answer: 'alive' | 'none' | 'error'
}

export interface Violation {
  readonly ending: Ending
  readonly read: Read
}

export class History {
  readonly #operations: (Ending | Read)[] = []
  readonly #now: () => number

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  get revocations(): readonly Ending[] {
    return this.#operations.filter((one) => one.kind === 'ending')
  }

  get reads(): readonly Read[] {
    return this.#operations.filter((one) => one.kind === 'read')
  }

  add(...operations: readonly (Ending | Read)[]): void {
    this.#operations.push(...operations)
  }

  /** Never rejects: an error is an answer too. */
  async ending(worker: string, sessionId: string, end: () => Promise<{ durable: boolean }>): Promise<Ending['answer']> {
    const startMs = this.#now()
    const answer = await end().then(
      ({ durable }) => (durable ? 'durable' : 'not durable'),
      () => 'error' as const,
    )
    this.add({ kind: 'ending', worker, sessionId, startMs, endMs: this.#now(), answer })
    return answer
  }

  /** Likewise. */
  async read(
    worker: string,
    sessionId: string,
    find: () => Promise<{ session: object | null }>,
  ): Promise<Read['answer']> {
    const startMs = this.#now()
    const answer = await find().then(
      ({ session }) => (session === null ? 'none' : 'alive'),
      () => 'error' as const,
    )
    this.add({ kind: 'read', worker, sessionId, startMs, endMs: this.#now(), answer })
    return answer
  }

  violations(): Violation[] {
    const firstDurable = new Map<string, Ending>()
    for (const ending of this.revocations) {
      const earlier = firstDurable.get(ending.sessionId)
      if (ending.answer === 'durable' && (!earlier || ending.endMs < earlier.endMs))
        firstDurable.set(ending.sessionId, ending)
    }
    return this.reads.flatMap((read) => {
      const ending = firstDurable.get(read.sessionId)
      return ending && read.answer === 'alive' && read.startMs > ending.endMs ? [{ ending, read }] : []
    })
  }
}
