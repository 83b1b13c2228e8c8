/** `coatcheck keys rotate`: re-encrypts all stored values with the first key of the ring. */
import type { Command } from 'commander'
import { type KeyUse, rotateKeys, type RotationReport } from '../../../entries/admin.ts'
import type { Cli } from '../../cli.ts'
import { exitCode } from '../../exit-code.ts'
import type { Column, Output } from '../../output.ts'
import { counted, whole } from '../../../core/counted.ts'
import { span } from '../../wording.ts'
import { lowerPriority } from '../../low-priority.ts'

interface Flags {
  readonly dryRun?: boolean
  readonly yes?: boolean
}

export function rotateAll(cli: Cli): Command {
  return cli
    .command<Flags>(
      'rotate',
      're-encrypt everything with the first key of COATCHECK_KEYS',
      [
        ['coatcheck keys rotate --dry-run', 'how many records are under which key'],
        ['coatcheck keys rotate --yes', 'while the application runs; interrupted, it goes on when it is run again'],
      ],
      async (context, flags) => {
        const { output, signal } = context
        const { dryRun = false } = flags
        const admin = await context.admin()
        const { active, keys } = admin.keyring
        if (!dryRun && keys.length > 1) {
          const plan = `Will put everything under key ${active.id}. All processes have to have it in their ring already.`
          if (!(await context.confirm(plan, flags))) {
            output.note('Nothing was changed.')
            return exitCode.failed
          }
        }
        lowerPriority()
        const report = await rotateKeys(admin, {
          dryRun,
          signal,
          seen: ({ scan, scanned, total, reencrypted }) =>
            output.progress(
              `scan ${scan}: ${whole(scanned)} of ${whole(total)} keys, ${whole(reencrypted)} re-encrypted`,
            ),
        })
        const { absoluteTimeoutMs } = admin.config.session
        output.data({ dryRun, ...report, ticketsUntilMs: admin.clock.now() + absoluteTimeoutMs }, () =>
          textOf(output, report, { dryRun, isInterrupted: signal.aborted, absoluteTimeoutMs }),
        )
        if (signal.aborted) return exitCode.interrupted
        return dryRun || (report.isDone && report.unreadable === 0) ? exitCode.ok : exitCode.partial
      },
    )
    .option('--dry-run', 'only count')
    .option('--yes', 'do not ask')
}

interface RunConditions {
  readonly dryRun: boolean
  readonly isInterrupted: boolean
  readonly absoluteTimeoutMs: number
}

function textOf(output: Output, report: RotationReport, conditions: RunConditions): string {
  const { dryRun, isInterrupted, absoluteTimeoutMs } = conditions
  const { keys, reencrypted, scanned, unreadable, isDone } = report
  const columns: readonly Column<KeyUse>[] = [
    { title: 'KEY', value: ({ keyId }) => keyId },
    { title: '', value: ({ isCurrent, isInRing }) => (isCurrent ? 'seals' : isInRing ? 'opens' : 'not in the ring') },
    { title: 'RECORDS', value: ({ values }) => values, align: 'right' },
    { title: 'OF THEM', value: ({ families }) => familiesText(families) },
  ]
  const lines = [output.table(columns, keys), '']
  if (!dryRun) lines.push(`Re-encrypted ${counted(reencrypted, 'record')}.`)
  if (isInterrupted)
    lines.push(`Interrupted after ${counted(scanned, 'key')} of this scan: run it again and it goes on.`)
  else if (!isDone && !dryRun) {
    lines.push(
      output.paint(
        'yellow',
        'Some records are still under an older key: a process seals with another ring, or they were changed meanwhile. Run it again.',
      ),
    )
  }
  if (unreadable > 0) lines.push(`${counted(unreadable, 'record')} cannot be opened with any key: damaged, or copied.`)
  const lost = keys
    .filter(({ isInRing, values }) => !isInRing && values > 0)
    .reduce((sum, { values }) => sum + values, 0)
  if (lost > 0) lines.push(`${counted(lost, 'record')} under keys that are not in COATCHECK_KEYS: they cannot be read.`)
  if (!isInterrupted) lines.push(...unusedLines(keys, absoluteTimeoutMs))
  return lines.join('\n')
}

function familiesText(families: KeyUse['families']): string {
  return Object.entries(families)
    .map(([family, count]) => `${whole(count)} ${family}`)
    .join(', ')
}

/** A key may still be needed without records: it signed the tickets of its time. */
function unusedLines(keys: readonly KeyUse[], absoluteTimeoutMs: number): string[] {
  return keys
    .filter(({ isCurrent, isInRing, values }) => !isCurrent && isInRing && values === 0)
    .map(
      ({ keyId }) =>
        `Key ${keyId} seals nothing any more. Take it out ${span(absoluteTimeoutMs)} after the last process put another key in front: until then visitors have tickets that only it can verify.`,
    )
}
