/** How long something is still good for, in the words of a report. */
import type { Clock } from '../../core/clock.ts'

const DAY_MS = 86_400_000
/** Long enough to renew what is renewed by hand. Certificates that renew themselves do it at 30 days. */
const SOON_MS = 21 * DAY_MS

export function isSoon(atMs: number, clock: Clock): boolean {
  return atMs - clock.now() < SOON_MS
}

/** `143 days`, `5 hours`. */
export function daysUntil(atMs: number, clock: Clock): string {
  const leftMs = Math.max(0, atMs - clock.now())
  const days = Math.floor(leftMs / DAY_MS)
  if (days >= 2) return `${days} days`
  return `${Math.floor(leftMs / 3_600_000)} hours`
}
