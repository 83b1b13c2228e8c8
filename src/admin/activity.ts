/** Computes rates between two readings of the servers, for a live view such as `coatcheck top`. */
import type { ServerReadings } from './server-readings.ts'

/** What happened on all servers between two readings: differences and rates. */
export interface Activity {
  /** Seconds between the two readings, at least 0.001. */
  readonly seconds: number
  /** Growth of the number of keys; negative when it shrank. */
  readonly keys: number
  /** Growth of the used memory, bytes; negative when it shrank. */
  readonly usedBytes: number
  /** Commands per second, those of other applications included. */
  readonly commands: number
  /** Reads per second. */
  readonly reads: number
  /** Script calls per second. Every write of Coatcheck is one. */
  readonly scripts: number
  /** Keys that expired per second. */
  readonly expired: number
  /** Keys that were evicted per second. Any value above 0 means lost sessions. */
  readonly evicted: number
  /** Share of reads that found a key, 0 to 1. `null`: no read happened. */
  readonly hitRatio: number | null
}

/**
 * Computes the rates between two readings of the same servers. Sends no command. If a server restarted in between, its counters count as no
 * growth.
 */
export function activityBetween(before: ServerReadings, after: ServerReadings): Activity {
  const seconds = Math.max(0.001, (after.atMs - before.atMs) / 1000)
  // Counters of a restarted server begin at 0.
  const grown = (now: number, then: number): number => Math.max(0, now - then)
  const perSecond = (now: number, then: number): number => grown(now, then) / seconds
  const hits = grown(after.hits, before.hits)
  const asked = hits + grown(after.misses, before.misses)
  return {
    seconds,
    keys: after.keys - before.keys,
    usedBytes: after.usedBytes - before.usedBytes,
    commands: perSecond(after.commands, before.commands),
    reads: perSecond(after.calls.reads, before.calls.reads),
    scripts: perSecond(after.calls.scripts, before.calls.scripts),
    expired: perSecond(after.expired, before.expired),
    evicted: perSecond(after.evicted, before.evicted),
    hitRatio: asked === 0 ? null : hits / asked,
  }
}
