/** `coatcheck tokens revoke`: deletes the tokens of a user. Sessions stay valid. The next use of a token requires a new sign-in. */
import type { Command } from 'commander'
import { deleteTokens, tokensOf } from '../../../entries/admin.ts'
import type { Cli } from '../../cli.ts'
import { exitCode } from '../../exit-code.ts'
import { type UserFlags, userOf, withUserFlags } from '../../user-flags.ts'
import { counted } from '../../../core/counted.ts'
import { when } from '../../wording.ts'

interface Flags extends UserFlags {
  readonly dryRun?: boolean
  readonly yes?: boolean
}

export function revokeTokens(cli: Cli): Command {
  const command = cli
    .command<Flags>(
      'revoke',
      'delete the tokens of a user; the sessions stay',
      [
        ['coatcheck tokens revoke --user ada --yes', 'of all providers'],
        ['coatcheck tokens revoke --user ada --provider login --dry-run', 'only says what would go'],
      ],
      async (context, flags) => {
        const { output } = context
        const admin = await context.admin()
        const { userKey, label } = userOf(admin, flags)
        const { provider, dryRun = false } = flags
        const stored = (await tokensOf(admin, userKey)).filter(
          (one) => provider === undefined || one.provider === provider,
        )
        const accessTokens = stored.flatMap(({ resources }) => resources)
        const grants = stored.filter(({ hasRefreshToken }) => hasRefreshToken).length
        const untilMs = Math.max(0, ...accessTokens.map(({ expiresAt }) => expiresAt))
        const facts = {
          userKey,
          providers: stored.map((one) => one.provider),
          accessTokens: accessTokens.length,
          grants,
        }
        if (stored.length === 0) {
          // Old tokens of another library may wait to be adopted: from now on they are not.
          if (!dryRun) await deleteTokens(admin, userKey, provider)
          output.data({ dryRun, ...facts, deleted: 0 }, () => `No tokens of ${label} to delete.`)
          return exitCode.failed
        }
        const plan = `Will delete ${counted(grants, 'refresh token')} and ${counted(accessTokens.length, 'access token')} of ${label}; the sessions stay.`
        if (dryRun) {
          output.data({ dryRun, ...facts }, () => plan)
          return exitCode.ok
        }
        if (!(await context.confirm(plan, flags))) {
          output.note('Nothing was deleted.')
          return exitCode.failed
        }
        const { count: deleted, durable = false } = await deleteTokens(admin, userKey, provider)
        const accessTokensUntilMs = untilMs === 0 ? null : untilMs
        output.data({ dryRun, ...facts, deleted, durable, accessTokensUntilMs }, () => {
          const left =
            untilMs === 0
              ? ''
              : `\nAccess tokens already handed to APIs stay valid until ${new Date(untilMs).toISOString()} (${when(untilMs, admin.clock.now())}).`
          return `Deleted ${counted(deleted, 'record')}.${left}`
        })
        return exitCode.ok
      },
    )
    .option('--dry-run', 'only say what would be deleted')
    .option('--yes', 'do not ask')
  return withUserFlags(command)
}
