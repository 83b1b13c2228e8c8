/**
 * Faults on demand: the next requests of a route get 429 or 503, are delayed, or are executed and never answered. So a test can check how
 * the application handles a failing provider.
 */
export interface FaultOptions {
  /** `token`, `authorize`, `discovery`, `keys`, `userinfo`, `revoke`, `logout`. Default `token`. */
  readonly route?: string
  /** Only token requests of this grant type. */
  readonly grantType?: string
  /** Number of requests that it affects. Default 1. */
  readonly times?: number
  /** Delay before any other effect, milliseconds. */
  readonly delayMs?: number
  /** Answers with this status instead of executing the request. */
  readonly status?: number
  /** Headers of the response. */
  readonly headers?: Readonly<Record<string, string>>
  /** Body of the response. Default: empty. */
  readonly body?: string
  /** Cuts the connection: `before` the request is executed, or `after` (the client never receives the rotated token). */
  readonly drop?: 'before' | 'after'
}

/** A planned fault. */
export interface Fault {
  /** Number of further requests that it affects. */
  readonly left: number
  /** Removes the fault before it is used up. */
  remove(): void
}

/** Plans faults of the provider. */
export interface Faults {
  /** Plans a fault. It affects matching requests from now on. */
  add(options: FaultOptions): Fault
  /** Removes all planned faults. */
  clear(): void
}

interface Planned {
  readonly options: FaultOptions
  left: number
}

export class FaultPlan implements Faults {
  readonly #planned = new Set<Planned>()

  add(options: FaultOptions): Fault {
    const planned: Planned = { options, left: options.times ?? 1 }
    this.#planned.add(planned)
    return {
      get left() {
        return planned.left
      },
      remove: () => {
        this.#planned.delete(planned)
      },
    }
  }

  clear(): void {
    this.#planned.clear()
  }

  /** Returns the oldest matching fault for this request, and counts it as used. */
  take(route: string, grantType: string | undefined): FaultOptions | undefined {
    for (const planned of this.#planned) {
      const { options } = planned
      if ((options.route ?? 'token') !== route) continue
      if (options.grantType !== undefined && options.grantType !== grantType) continue
      planned.left -= 1
      if (planned.left <= 0) this.#planned.delete(planned)
      return options
    }
    return undefined
  }
}
