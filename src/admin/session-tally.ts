/** Counts sessions by state and remaining time, from the records that were examined. */
import type { SessionStatus } from './session-status.ts'

/** Counts of sessions. Exact if `KeySurvey.isExact`, else estimated from the sample. */
export interface SessionCensus {
  /** Number of session records, in every state. */
  readonly records: number
  /** Live sessions with a user. */
  readonly users: number
  /** Live sessions without a user. */
  readonly anonymous: number
  /** Records of ended sessions. Redis deletes them at their TTL. */
  readonly ended: number
  /** Live sessions that end within a time unless a request extends them. Each count includes the shorter ones. */
  readonly endingWithin: {
    /** Sessions that end within an hour. */
    readonly hour: number
    /** Sessions that end within a day. */
    readonly day: number
    /** Sessions that end within a week. */
    readonly week: number
  }
  /** Number of records in the sample. */
  readonly sampled: number
}

const HOUR_MS = 3_600_000
const WITHIN = { hour: HOUR_MS, day: 24 * HOUR_MS, week: 7 * 24 * HOUR_MS } as const

export class SessionTally {
  readonly #counts: Record<SessionStatus['state'], number> = { live: 0, anonymous: 0, expired: 0, dead: 0, gone: 0 }
  readonly #within = { hour: 0, day: 0, week: 0 }

  add({ state, endsInMs }: SessionStatus): void {
    this.#counts[state]++
    if (state !== 'live' && state !== 'anonymous') return
    for (const span of ['hour', 'day', 'week'] as const) if (endsInMs <= WITHIN[span]) this.#within[span]++
  }

  /** @param records total number of records, to which the sample is scaled up */
  result(records: number): SessionCensus {
    const { live, anonymous, expired, dead, gone } = this.#counts
    const sampled = live + anonymous + expired + dead + gone
    const scaled = (count: number): number => (sampled === 0 ? 0 : Math.round((count / sampled) * records))
    const { hour, day, week } = this.#within
    return {
      records: Math.round(records),
      users: scaled(live),
      anonymous: scaled(anonymous),
      ended: scaled(expired + dead),
      endingWithin: { hour: scaled(hour), day: scaled(day), week: scaled(week) },
      sampled,
    }
  }
}
