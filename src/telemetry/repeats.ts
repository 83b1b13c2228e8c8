/**
 * Lines that may come with every request: of those that say the same, one in ten seconds is written, with the number of those
 * before it that were not. An outage is then a handful of lines, and a visitor cannot fill the disk.
 */
import type { Clock } from '../core/clock.ts'
import type { LogFields } from '../core/logger.ts'

const EVERY_MS = 10_000
/** What visitors can vary must not fill the memory either. */
const MOST_KINDS = 200

interface Kind {
  readonly sinceMs: number
  withheld: number
}

export class Repeats {
  readonly #clock: Clock
  readonly #kinds = new Map<string, Kind>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The fields to be written, or `null` when it was said a moment ago. */
  pass(fields: LogFields): LogFields | null {
    const name = kindOf(fields)
    const nowMs = this.#clock.monotonic()
    const known = this.#kinds.get(name)
    if (known && nowMs - known.sinceMs < EVERY_MS) {
      known.withheld++
      return null
    }
    this.#kinds.delete(name)
    this.#kinds.set(name, { sinceMs: nowMs, withheld: 0 })
    if (this.#kinds.size > MOST_KINDS) this.#kinds.delete(this.#kinds.keys().next().value ?? '')
    return known && known.withheld > 0 ? { ...fields, withheld: known.withheld } : fields
  }
}

/** Without what tells one case from the next. */
function kindOf({ sessionId: _session, userKey: _user, durationMs: _duration, ...rest }: LogFields): string {
  return JSON.stringify(rest)
}
