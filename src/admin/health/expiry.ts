/** Formats remaining validity for a report. */
import type { Clock } from '../../core/clock.ts'
import { counted } from '../../core/counted.ts'

const DAY_MS = 86_400_000
/** Enough time to renew a certificate by hand. Automatic renewal happens at 30 days. */
export const SOON_DAYS = 21

export function isSoon(atMs: number, clock: Clock): boolean {
  return atMs - clock.now() < SOON_DAYS * DAY_MS
}

/** For example `143 days` or `5 hours`. */
export function daysUntil(atMs: number, clock: Clock): string {
  const leftMs = Math.max(0, atMs - clock.now())
  const days = Math.floor(leftMs / DAY_MS)
  if (days >= 2) return counted(days, 'day')
  return counted(Math.floor(leftMs / 3_600_000), 'hour')
}
