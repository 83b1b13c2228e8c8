/** Describes the state of a session for people. `explain` and `sessions show` print the same text. */
import { type SessionSummary, summaryTextOf } from '../entries/admin.ts'
import type { Output } from './output.ts'

export function summaryView(output: Output, summary: SessionSummary): string {
  const { state, kind, times } = summary
  const { what, next, kept } = summaryTextOf(summary)
  const good = state === 'live' ? 'green' : state === 'lost' || state === 'unreadable' ? 'red' : 'yellow'
  const lines = [`${output.paint(good, state)}${kind === null ? '' : `  (${kind} session)`}`, '', what, next]
  if (times !== null) {
    lines.push(
      '',
      `created   ${isoOf(times.createdAtMs)}`,
      `last seen ${isoOf(times.lastSeenAtMs)}`,
      `idle end  ${isoOf(times.idleExpiresAtMs)}`,
      `latest    ${isoOf(times.absoluteExpiresAtMs)}`,
    )
  }
  if (state === 'ended' || state === 'unknown') lines.push('', output.paint('dim', kept))
  return lines.join('\n')
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString()
}
