/** What has happened between two readings of the servers, per second: what a live view shows. */
import type { ServerReadings } from './server-readings.ts'

export interface Activity {
  readonly seconds: number
  /** How much each has grown or shrunk. */
  readonly keys: number
  readonly usedBytes: number
  /** Per second. */
  readonly commands: number
  readonly reads: number
  readonly scripts: number
  readonly expired: number
  readonly evicted: number
  /** From 0 to 1; `null` when nothing was read. */
  readonly hitRatio: number | null
}

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
