/** `coatcheck sessions revoke`: prints which sessions will end, asks for confirmation, ends them, and prints what stays valid. */
import type { Command } from 'commander'
import {
  type AdminContext,
  type RevocationPlan,
  type RevocationReport,
  type RevocationTarget,
  endSessions,
  planRevocation,
} from '../../../entries/admin.ts'
import type { Cli } from '../../cli.ts'
import { exitCode } from '../../exit-code.ts'
import { plainWord } from '../../flag-values.ts'
import { UsageError } from '../../usage-error.ts'
import { namesUser, type UserFlags, userOf, withUserFlags } from '../../user-flags.ts'
import { counted } from '../../../core/counted.ts'
import { when } from '../../wording.ts'

interface Flags extends UserFlags {
  readonly all?: boolean
  readonly except?: string
  readonly reason: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

export function revokeSessions(cli: Cli): Command {
  const command = cli
    .command<Flags>(
      'revoke [session id]',
      'end one session, or those of a user',
      [
        ['coatcheck sessions revoke bqNpcWi8s91emSnb.OVEpUxwN1wkcvbIFsiUgjg --yes', 'one session'],
        ['coatcheck sessions revoke --user ada --all --reason laptop-lost --yes', 'all of a user'],
        ['coatcheck sessions revoke --user ada --all --dry-run', 'only says what would end'],
      ],
      async (context, flags, sessionId) => {
        const { output } = context
        const admin = await context.admin()
        const { target, label } = targetOf(admin, flags, sessionId)
        const plan = await planRevocation(admin, target)
        const consequence = planText(plan, target, label)
        if (flags.dryRun === true) {
          output.data({ dryRun: true, ...plan }, () => consequence)
          return plan.isKnown ? exitCode.ok : exitCode.failed
        }
        // Also asks when the plan finds no session: the index may lack live sessions, and the revocation does not need the index.
        if (!(await context.confirm(consequence, flags))) {
          output.note('Nothing was ended.')
          return exitCode.failed
        }
        const report = await endSessions(admin, target, plan, flags.reason)
        output.data({ dryRun: false, ...report }, () => reportText(report, target, label, admin.clock.now()))
        return hasEndedAny(report, target) ? exitCode.ok : exitCode.failed
      },
    )
    .option('--all', 'all sessions of the user')
    .option('--except <session id>', 'all but this one')
    .option('--reason <word>', 'remembered for an hour: letters, digits and "-"', plainWord, 'revoked')
    .option('--dry-run', 'only say what would end')
    .option('--yes', 'do not ask')
  return withUserFlags(command)
}

/** @throws {UsageError} */
function targetOf(
  admin: AdminContext,
  flags: Flags,
  sessionId: string | undefined,
): { readonly target: RevocationTarget; readonly label: string } {
  if (sessionId !== undefined) {
    if (namesUser(flags) || flags.all === true || flags.except !== undefined) {
      throw new UsageError('One session or those of a user: not both.')
    }
    return { target: { sessionId }, label: sessionId }
  }
  const { userKey, label } = userOf(admin, flags)
  if (flags.except !== undefined) return { target: { userKey, exceptSessionId: flags.except }, label }
  if (flags.all !== true) throw new UsageError('Which sessions of the user? --all, or --except <session id>.')
  return { target: { userKey }, label }
}

/** If a generation exists, sessions may have been live that no index lists. */
function hasEndedAny({ ended, isKnown }: RevocationReport, target: RevocationTarget): boolean {
  return ended > 0 || (isKnown && isOfUser(target))
}

function isOfUser(target: RevocationTarget): boolean {
  return 'userKey' in target
}

function planText(
  { sessions, isKnown, tokenRecords, remaining }: RevocationPlan,
  target: RevocationTarget,
  label: string,
): string {
  const records = counted(tokenRecords, 'token record')
  const stays = remaining === 0 ? '' : `; ${counted(remaining, 'session')} of the user will stay`
  if (!isKnown) return `No session of ${label} to end.${tokenRecords === 0 ? '' : ` Will delete ${records}.`}`
  const tokens = tokenRecords === 0 ? '' : ` and delete ${records}`
  if (isOfUser(target) && sessions === 0) {
    return `The index names no session of ${label} to end. Will end sessions that it does not name${tokens}${stays}.`
  }
  return `Will end ${counted(sessions, 'session')}${tokens} of ${label}${stays}.`
}

function reportText(report: RevocationReport, target: RevocationTarget, label: string, nowMs: number): string {
  const { ended, tokenRecords, durable, isDurabilityAsked, accessTokensUntilMs: untilMs, remaining } = report
  const hasEnded = hasEndedAny(report, target)
  const lines = [hasEnded ? `Ended ${counted(ended, 'session')}.` : `No session of ${label} to end.`]
  if (hasEnded && isOfUser(target)) lines.push(`Sessions of ${label} that the index does not name have ended too.`)
  const areTokensDeleted = tokenRecords > 0 && isOfUser(target)
  if (ended === 0 && areTokensDeleted) lines.push(`Deleted ${counted(tokenRecords, 'token record')}.`)
  if (!hasEnded && !areTokensDeleted) return lines.join('\n')
  if (isDurabilityAsked) {
    lines.push(
      durable
        ? 'Durable: as many replicas have it as were asked for.'
        : 'Not durable yet: not enough replicas have acknowledged it.',
    )
  } else lines.push('Whether replicas have it was not asked: "durability" is not configured.')
  if (untilMs !== null && untilMs > nowMs) {
    const time = new Date(untilMs).toISOString()
    lines.push(`Access tokens already handed to APIs stay valid until ${time} (${when(untilMs, nowMs)}).`)
  }
  if (remaining > 0)
    lines.push(`${counted(remaining, 'session')} of the user ${remaining === 1 ? 'goes' : 'go'} on, with all tokens.`)
  return lines.join('\n')
}
