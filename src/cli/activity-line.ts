/** Formats a reading of the servers as one line, with the change since the previous reading in brackets. */
import type { Activity, ServerReadings } from '../entries/admin.ts'
import { whole } from '../core/counted.ts'
import { change, percent, size } from './wording.ts'

const WIDTHS = [22, 20, 9, 8, 9, 7, 9, 7, 7] as const

export const LINE_TITLE: string = aligned([
  'KEYS',
  'MEMORY',
  'OPS/S',
  'READS/S',
  'SCRIPTS/S',
  'HITS',
  'EXPIRED/S',
  'EVICTED',
  'CLIENTS',
])

export function activityLine(before: ServerReadings, now: ServerReadings, activity: Activity): string {
  const { usedBytes, commands, reads, scripts, hitRatio, expired } = activity
  const grown = usedBytes === 0 ? '' : ` (${usedBytes > 0 ? '+' : '−'}${size(Math.abs(usedBytes))})`
  return aligned([
    `${whole(now.keys)} (${change(activity.keys)})`,
    `${size(now.usedBytes)}${grown}`,
    whole(commands),
    whole(reads),
    whole(scripts),
    hitRatio === null ? '' : percent(hitRatio),
    whole(expired),
    change(Math.max(0, now.evicted - before.evicted)),
    whole(now.clients),
  ])
}

export function activityDocument(now: ServerReadings, activity: Activity): object {
  return { servers: now, activity }
}

function aligned(cells: readonly string[]): string {
  return cells
    .map((cell, i) => cell.padEnd(WIDTHS[i] ?? 0))
    .join('  ')
    .trimEnd()
}
