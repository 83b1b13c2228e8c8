/** Counting sessions by what they are and when they end, from the records that were looked at. */
import type { SessionStanding } from './session-standing.ts'

/** Counts of sessions, exact or estimated. */
export interface SessionCensus {
  /** Records, whatever they are worth. */
  readonly records: number
  /** Alive, of users. */
  readonly users: number
  /** Alive, without a user. */
  readonly anonymous: number
  /** Records of sessions that have ended and that go by themselves. */
  readonly ended: number
  /** Sessions that end within this time if nobody touches them. */
  readonly endingWithin: {
    /** Sessions that end within an hour. */
    readonly hour: number
    /** Sessions that end within a day. */
    readonly day: number
    /** Sessions that end within a week. */
    readonly week: number
  }
  /** Records looked at. */
  readonly sampled: number
}

const HOUR_MS = 3_600_000
const WITHIN = { hour: HOUR_MS, day: 24 * HOUR_MS, week: 7 * 24 * HOUR_MS } as const

export class SessionTally {
  readonly #counts: Record<SessionStanding['state'], number> = { live: 0, anonymous: 0, expired: 0, dead: 0, gone: 0 }
  readonly #within = { hour: 0, day: 0, week: 0 }

  add({ state, endsInMs }: SessionStanding): void {
    this.#counts[state]++
    if (state !== 'live' && state !== 'anonymous') return
    for (const span of ['hour', 'day', 'week'] as const) if (endsInMs <= WITHIN[span]) this.#within[span]++
  }

  /** @param records how many there are: what was looked at is scaled up to it */
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
