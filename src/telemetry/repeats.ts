/**
 * Limits lines that may come with every request. Of equal lines, one in ten seconds is written, with the number of equal lines
 * that were withheld before it. So an outage is only a few lines, and a visitor cannot fill the disk.
 */
import type { Clock } from '../core/clock.ts'
import type { LogFields } from '../core/logger.ts'
import { REQUEST_IDS } from '../core/provider-reason.ts'

const EVERY_MS = 10_000
/** Limit of remembered kinds: fields that visitors can vary must not fill the memory either. */
const MAX_KINDS = 200
/**
 * Limit of different lines of one group in that time. A visitor can vary the apparent answer of a provider, or the claims of a forged
 * token.
 */
const MAX_LINES_PER_GROUP = 20
/** Their values come from fixed sets, so a visitor who varies the other fields of one group hides no line of another. */
const OF_A_GROUP = ['event', 'code', 'route', 'check', 'provider'] as const

interface Kind {
  readonly sinceMs: number
  withheld: number
}

interface GroupLines extends Kind {
  written: number
}

export class Repeats {
  readonly #clock: Clock
  readonly #kinds = new Map<string, Kind>()
  readonly #groups = new Map<string, GroupLines>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Returns the fields to write, or `null` if an equal line was written less than ten seconds ago. */
  pass(fields: LogFields): LogFields | null {
    const name = kindOf(fields)
    const nowMs = this.#clock.monotonic()
    const known = this.#kinds.get(name)
    if (known && nowMs - known.sinceMs < EVERY_MS) {
      known.withheld++
      return null
    }
    const group = this.#groupOf(fields)
    const before = this.#groups.get(group)
    const isCurrent = before !== undefined && nowMs - before.sinceMs < EVERY_MS
    const lines = isCurrent ? before : { sinceMs: nowMs, written: 0, withheld: 0 }
    if (lines.written >= MAX_LINES_PER_GROUP) {
      lines.withheld++
      return null
    }
    lines.written++
    this.#groups.set(group, lines)
    this.#kinds.delete(name)
    this.#kinds.set(name, { sinceMs: nowMs, withheld: 0 })
    if (this.#kinds.size > MAX_KINDS) this.#kinds.delete(this.#kinds.keys().next().value ?? '')
    const withheld = (known?.withheld ?? 0) + (isCurrent ? 0 : (before?.withheld ?? 0))
    return withheld > 0 ? { ...fields, withheld } : fields
  }

  /** When there are too many groups, the new groups of an event share one. */
  #groupOf(fields: LogFields): string {
    const group = JSON.stringify(OF_A_GROUP.map((name) => fields[name]))
    return this.#groups.has(group) || this.#groups.size < MAX_KINDS ? group : String(fields['event'])
  }
}

/** Two lines that differ only in these fields are equal. */
const OF_ONE_CASE: ReadonlySet<string> = new Set(['sessionId', 'userKey', 'durationMs', ...REQUEST_IDS])

function kindOf(fields: LogFields): string {
  return JSON.stringify(Object.entries(fields).filter(([name]) => !OF_ONE_CASE.has(name)))
}
