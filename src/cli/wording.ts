/** Formats times, sizes and changes for people. Programs get numbers: `--json` never uses these formats. */
import { whole } from '../core/counted.ts'

const SECOND_MS = 1000
const UNITS = [
  ['d', 24 * 3_600_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', SECOND_MS],
] as const
/** From this duration on, the second unit is not useful. */
const ONE_UNIT_FROM_MS = 3 * 24 * 3_600_000

/** For example `11 h 57 min`, `4 d`, `41 s`. */
export function span(ms: number): string {
  if (ms < SECOND_MS) return '0 s'
  const parts: string[] = []
  let left = ms
  for (const [name, unitMs] of UNITS) {
    const count = Math.floor(left / unitMs)
    left -= count * unitMs
    if (count > 0) parts.push(`${count} ${name}`)
    // Only the unit after the first one counts, even if it is 0: "1 d 40 s" would suggest a precision that the value does not have.
    else if (parts.length > 0) break
    if (parts.length === (ms >= ONE_UNIT_FROM_MS ? 1 : 2)) break
  }
  return parts.join(' ')
}

/** For example `3 min ago`, `in 4 d`. Past times only use the largest unit. */
export function when(atMs: number, nowMs: number): string {
  const ms = atMs - nowMs
  if (ms > 0) return `in ${span(ms)}`
  if (ms > -SECOND_MS) return 'now'
  return `${span(-ms).split(' ').slice(0, 2).join(' ')} ago`
}

/** For example `1.42 GiB`. */
export function size(bytes: number): string {
  const names = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let at = 0
  while (value >= 1024 && at < names.length - 1) {
    value /= 1024
    at++
  }
  return `${at === 0 ? value : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${names[at]}`
}

/** For example `+38`, `−41`, `±0`. */
export function change(count: number): string {
  if (count === 0) return '±0'
  return count > 0 ? `+${whole(count)}` : `−${whole(-count)}`
}

export function percent(part: number): string {
  const value = part * 100
  return `${value > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} %`
}
