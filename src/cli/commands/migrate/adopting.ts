/** Surveys or adopts the old records of a drop-in: code that the commands for sessions and for token caches share. */
import {
  adoptOldRecords,
  type BulkAccess,
  type BulkMigration,
  openBulkMigration,
  searchUser,
  surveyOldRecords,
} from '../../../entries/admin.ts'
import { counted } from '../../../core/counted.ts'
import type { CommandContext } from '../../context.ts'
import { type ExitCode, exitCode } from '../../exit-code.ts'
import { lowerPriority } from '../../low-priority.ts'
import { UsageError } from '../../usage-error.ts'
import { adoptionText, type NextStep, surveyText, takingOver } from '../../migration-text.ts'

export async function surveyOrAdopt(
  context: CommandContext,
  access: BulkAccess,
  isDryRun: boolean,
  next: NextStep,
  {
    isConfirmed = false,
    userPath,
  }: { readonly isConfirmed?: boolean | undefined; readonly userPath?: string | undefined } = {},
): Promise<ExitCode> {
  lowerPriority()
  const migration = await openBulkMigration(access, { isDryRun, isConfirmed })
  context.closeLater(() => migration.close())
  const lack = userPath === undefined ? null : await userLack(context, migration, userPath)
  if (isDryRun) return printSurvey(context, migration, lack === null ? next : { consequence: lack, command: null })
  if (lack !== null) throw new UsageError(`${lack} Nothing was changed.`)
  return run(context, migration)
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

/** Says that no session with data has a user at this path. `null`: one has, or no session has data. */
async function userLack(context: CommandContext, migration: BulkMigration, path: string): Promise<string | null> {
  const { output, signal } = context
  const seen = takingOver(output, migration.context.clock, 'searched for a user')
  const { sessions, hasUser, fields } = await searchUser(migration, path, { signal, seen })
  if (hasUser || sessions === 0 || signal.aborted) return null
  const named = fields.length === 0 ? 'fields of other names' : `the fields ${fields.join(', ')}`
  return (
    `None of ${counted(sessions, 'session')} with data has a text or a number at "${path}". They have ${named}. ` +
    'Correct --user-id. If the sessions belong to no user, replace it by --no-users.'
  )
}
