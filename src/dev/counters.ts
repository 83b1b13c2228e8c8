/** Counts the requests that arrive at the provider, answered or not, so that a test can assert "exactly one refresh". */
export interface Counters {
  /** Requests to a route. With a grant type, only the token requests of that grant type. */
  count(route: string, grantType?: string): number
  /** All counts, by `route` or `token:<grant type>`. */
  all(): Readonly<Record<string, number>>
}

export class RequestCounters implements Counters {
  readonly #counts = new Map<string, number>()

  add(route: string, grantType: string | undefined): void {
    const key = grantType === undefined ? route : `${route}:${grantType}`
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  count(route: string, grantType?: string): number {
    if (grantType !== undefined) return this.#counts.get(`${route}:${grantType}`) ?? 0
    let total = 0
    for (const [key, count] of this.#counts) if (key === route || key.startsWith(`${route}:`)) total += count
    return total
  }

  all(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts)
  }

  clear(): void {
    this.#counts.clear()
  }
}
