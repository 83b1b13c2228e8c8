/** Surveys or adopts the old records of a drop-in: code that the commands for sessions and for token caches share. */
import {
  adoptOldRecords,
  type BulkAccess,
  type BulkMigration,
  openBulkMigration,
  surveyOldRecords,
} from '../../../entries/admin.ts'
import type { CommandContext } from '../../context.ts'
import { type ExitCode, exitCode } from '../../exit-code.ts'
import { adoptionText, type NextStep, surveyText, takingOver } from '../../migration-text.ts'

export async function surveyOrAdopt(
  context: CommandContext,
  access: BulkAccess,
  isDryRun: boolean,
  next: NextStep,
  isConfirmed = false,
): Promise<ExitCode> {
  const migration = await openBulkMigration(access, { isDryRun, isConfirmed })
  context.closeLater(() => migration.close())
  return isDryRun ? printSurvey(context, migration, next) : run(context, migration)
}

async function printSurvey(
  context: CommandContext,
  { context: admin, origin }: BulkMigration,
  next: NextStep,
): Promise<ExitCode> {
  const { output, signal } = context
  const survey = await surveyOldRecords(admin, origin, { signal, seen: takingOver(output, admin.clock, 'examined') })
  output.data({ dryRun: true, mode: origin.mode, ...survey }, () => surveyText(output, survey, origin.keyPrefix, next))
  return signal.aborted ? exitCode.interrupted : exitCode.ok
}

async function run(context: CommandContext, { context: admin, origin, events }: BulkMigration): Promise<ExitCode> {
  const { output, signal } = context
  const seen = takingOver(output, admin.clock, 'taken over')
  const report = await adoptOldRecords(admin, origin, events, { signal, seen })
  output.data({ dryRun: false, mode: origin.mode, ...report }, () => adoptionText(output, report, origin.mode))
  if (signal.aborted) return exitCode.interrupted
  return (report.outcomes.unreadable ?? 0) > 0 ? exitCode.partial : exitCode.ok
}
