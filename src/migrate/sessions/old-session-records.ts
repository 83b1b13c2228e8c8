/** Reads and ends the session records of another library, in its format. A value of another format stays as it is, in reads and in writes. */
import type { Clock } from '../../core/clock.ts'
import type { MigrationOutcome } from '../../core/event-map.ts'
import type { EventBus } from '../../core/events.ts'
import type { EndingLink, SessionLinks } from '../../documents/library-session-lists.ts'
import { createOldRecordRemoval } from '../dual-read-rules.ts'
import type { LateRemovals } from '../late-removals.ts'
import type { OldRecord, OldRecordDriver } from '../old-record-driver.ts'
import { reportAdoption, reporter } from '../origin.ts'
import type { SessionFormat } from '../session-origin.ts'

type ReadRecord = Pick<OldRecord, 'text' | 'endsAtMs'>

/** A session of another library, as it is stored. */
export interface OldSessionRecord {
  readonly key: string
  /** The servers of the key, as `placeOf` returns them. */
  readonly place: string
  readonly text: string
  /** The session as JSON. */
  readonly json: string
  /** When the session ends, epoch milliseconds. If the key has no expiry, the default life of the store counts from the read. */
  readonly endsAtMs: number
  readonly hasExpiry: boolean
}

export interface OldSessionRecords extends SessionLinks {
  readonly format: SessionFormat
  readonly records: OldRecordDriver
  /** As `placeOf` returns it. */
  readonly place: string
  /** `null`: the key is missing. `unreadable`: it holds no session of the format. */
  read(key: string): Promise<OldSessionRecord | 'unreadable' | null>
  /** Parses the value that a conditional write returned. */
  parse(key: string, record: ReadRecord): OldSessionRecord | 'unreadable'
  /**
   * Removes a session, and once more 5 s later: an old process may be about to write it again. A value of another format stays. False: the
   * key held no session.
   */
  end(link: EndingLink): Promise<boolean>
  /** Drops a planned second removal: the key now belongs to a new session. */
  begin(key: string): void
  /** Returns all sessions of the format, by prefix. Empty without a prefix. */
  all(): AsyncIterable<{ readonly sid: string; readonly old: OldSessionRecord }>
  report(outcome: MigrationOutcome): void
  reportAdoption(old: OldSessionRecord): void
}

export function createOldSessionRecords(deps: {
  readonly format: SessionFormat
  readonly records: OldRecordDriver
  readonly place: string
  readonly clock: Clock
  readonly events: EventBus
  readonly defaultTtlMs: number
  readonly late: LateRemovals
}): OldSessionRecords {
  const { format, records, place, clock, events, defaultTtlMs, late } = deps

  const report = reporter(format.name, events)

  const parse = (key: string, { text, endsAtMs }: ReadRecord): OldSessionRecord | 'unreadable' => {
    const json = format.decode(text)
    if (json === null) return 'unreadable'
    return { key, place, text, json, endsAtMs: endsAtMs ?? clock.now() + defaultTtlMs, hasExpiry: endsAtMs !== null }
  }

  const read = async (key: string): Promise<OldSessionRecord | 'unreadable' | null> => {
    const record = await records.read(key)
    return record && parse(key, record)
  }

  const isRecord = (text: string): boolean => format.decode(text) !== null
  const { end } = createOldRecordRemoval({ old: records, late, isRecord })

  return {
    format,
    records,
    place,
    read,
    parse,
    end,
    begin: (key) => {
      late.cancel(key)
    },
    report,

    reportAdoption: ({ hasExpiry }) => reportAdoption(report, hasExpiry),

    async exists(link) {
      const old = await read(link)
      return old !== null && old !== 'unreadable'
    },

    async remove(links) {
      await Promise.all(links.map(end))
    },

    async *all() {
      const { prefix } = format
      if (prefix === null) return
      for await (const key of records.scan(prefix)) {
        const sid = key.slice(prefix.length)
        const old = format.keyOf(sid) === key ? await read(key) : null
        if (old !== null && old !== 'unreadable') yield { sid, old }
      }
    },
  }
}
