/** Looking at the old records of a drop-in, or taking them over: what the commands for sessions and for token caches share. */
import {
  adoptOldRecords,
  type BulkAccess,
  type BulkMigration,
  openBulkMigration,
  surveyOldRecords,
} from '../../../entries/admin.ts'
import type { CommandContext } from '../../context.ts'
import { type ExitCode, exitCode } from '../../exit-code.ts'
import { adoptionText, surveyText, takingOver } from '../../migration-text.ts'

export async function lookOrAdopt(context: CommandContext, access: BulkAccess, isDryRun: boolean): Promise<ExitCode> {
  const migration = await openBulkMigration(access, { isDryRun })
  context.closeLater(() => migration.close())
  return isDryRun ? look(context, migration) : run(context, migration)
}

async function look(context: CommandContext, { ground, origin }: BulkMigration): Promise<ExitCode> {
  const { output, signal } = context
  const survey = await surveyOldRecords(ground, origin, { signal, seen: takingOver(output, ground.clock, 'looked at') })
  output.data({ dryRun: true, mode: origin.mode, ...survey }, () => surveyText(output, survey, origin.mode))
  return signal.aborted ? exitCode.interrupted : exitCode.ok
}

async function run(context: CommandContext, { ground, origin, events }: BulkMigration): Promise<ExitCode> {
  const { output, signal } = context
  const seen = takingOver(output, ground.clock, 'taken over')
  const report = await adoptOldRecords(ground, origin, events, { signal, seen })
  output.data({ dryRun: false, mode: origin.mode, ...report }, () => adoptionText(output, report, origin.mode))
  if (signal.aborted) return exitCode.interrupted
  return (report.outcomes.unreadable ?? 0) > 0 ? exitCode.partial : exitCode.ok
}
