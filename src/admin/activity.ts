/** What has happened between two readings of the servers, per second: what a live view shows. */
import type { ServerReadings } from './server-readings.ts'

/** What happened on the servers between two readings. */
export interface Activity {
  /** Seconds between the two readings. */
  readonly seconds: number
  /** How much each has grown or shrunk. */
  readonly keys: number
  /** Growth of the used memory, bytes; negative when it shrank. */
  readonly usedBytes: number
  /** Per second. */
  readonly commands: number
  /** Reads per second. */
  readonly reads: number
  /** Script calls per second. Every write is one. */
  readonly scripts: number
  /** Keys that expired per second. */
  readonly expired: number
  /** Keys that were evicted per second. Anything but 0 loses sessions. */
  readonly evicted: number
  /** From 0 to 1; `null` when nothing was read. */
  readonly hitRatio: number | null
}

/** Compares two readings of the same servers. */
export function activityBetween(before: ServerReadings, after: ServerReadings): Activity {
  const seconds = Math.max(0.001, (after.atMs - before.atMs) / 1000)
  // A server that was started again counts from 0.
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
