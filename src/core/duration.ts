/** Durations as people write them in configuration: `'8h'`, `'30 min'`, or a number of milliseconds. */
const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
/**
 * The shortest lifetime that a bare number may state, in milliseconds. Below an hour the caller must write the unit: 300 is most likely
 * meant in seconds.
 */
export const LEAST_LIFETIME_NUMBER_MS = 3_600_000
const PATTERN = /^(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)$/

/** A duration: milliseconds as a number, or a text with a unit (`ms`, `s`, `m`, `min`, `h`, `d`) such as `30s`, `15m`, `8h`, `90d`. */
export type Duration = number | string

/** Returns milliseconds, or `null` when the value is not a positive, finite duration. */
export function parseDurationMs(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) && value > 0 ? Math.floor(value) : null
  if (typeof value !== 'string') return null
  const match = PATTERN.exec(value.trim())
  if (!match) return null
  const ms = Math.floor(Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? Number.NaN))
  return Number.isSafeInteger(ms) && ms > 0 ? ms : null
}
