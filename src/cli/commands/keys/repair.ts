/** `coatcheck keys repair`: removes orphans. */
import type { Command } from 'commander'
import { type OrphanKind, ORPHANS, repairKeys, type RepairReport } from '../../../entries/admin.ts'
import type { Cli } from '../../cli.ts'
import { exitCode } from '../../exit-code.ts'
import { counted, whole } from '../../../core/counted.ts'
import { orphanLines } from './scan.ts'

interface Flags {
  readonly dryRun?: boolean
  readonly yes?: boolean
}

export function repairAll(cli: Cli): Command {
  return cli
    .command<Flags>(
      'repair',
      'remove what was left behind: exact, and safe while the application runs',
      [
        ['coatcheck keys repair --dry-run', 'only finds'],
        ['coatcheck keys repair --yes', 'each is looked at again in the step that removes it'],
      ],
      async (context, flags) => {
        const { output, signal } = context
        const { dryRun = false } = flags
        const admin = await context.server()
        if (!dryRun && !(await context.confirm('Will remove what was left behind.', flags))) {
          output.note('Nothing was removed.')
          return exitCode.failed
        }
        const report = await repairKeys(admin, {
          dryRun,
          signal,
          seen: ({ scanned, total }) => output.progress(`${whole(scanned)} of ${whole(total)} keys`),
        })
        output.data({ dryRun, ...report }, () => textOf(report, dryRun))
        return signal.aborted ? exitCode.interrupted : exitCode.ok
      },
    )
    .option('--dry-run', 'only find')
    .option('--yes', 'do not ask')
}

function textOf({ scanned, found, removed }: RepairReport, dryRun: boolean): string {
  const lines = [`Looked at ${counted(scanned, 'key')}.`, ...orphanLines(found)]
  const kinds = Object.keys(ORPHANS) as OrphanKind[]
  const count = kinds.reduce((sum, kind) => sum + removed[kind], 0)
  if (!dryRun && kinds.some((kind) => found[kind] > 0)) lines.push(`Removed ${whole(count)}.`)
  return lines.join('\n')
}
