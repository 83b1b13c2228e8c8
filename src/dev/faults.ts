/**
 * Faults on demand: the next requests of a route answer 429 or 503, come late, or are carried out and never answered.
 * So a test can ask what the application does when the provider has a bad day.
 */
export interface FaultOptions {
  /** `token`, `authorize`, `discovery`, `keys`, `userinfo`, `revoke`, `logout`. Default `token`. */
  readonly route?: string
  /** Only token requests of this grant type. */
  readonly grantType?: string
  /** How many requests it strikes. Default 1. */
  readonly times?: number
  /** Milliseconds before anything else happens. */
  readonly delayMs?: number
  /** Answer with this status instead of carrying the request out. */
  readonly status?: number
  /** Headers of the answer. */
  readonly headers?: Readonly<Record<string, string>>
  /** Default: empty. */
  readonly body?: string
  /** Cut the connection: `before` the request is carried out, or `after` (a rotated token that nobody receives). */
  readonly drop?: 'before' | 'after'
}

/** A planned fault. */
export interface Fault {
  /** How many more requests it will strike. */
  readonly left: number
  /** Removes the fault before it is used up. */
  remove(): void
}

/** Plans faults of the provider. */
export interface Faults {
  /** Plans a fault. It strikes matching requests from now on. */
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

  /** The fault for this request, counted as used; the oldest that matches. */
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
