/**
 * `coatcheck tokens refresh`: gets a new access token for a user, through the same code as every refresh. It stores the token and does not
 * show it.
 */
import type { Command } from 'commander'
import { refreshTokens, userIdOf } from '../../../entries/admin.ts'
import type { Cli } from '../../cli.ts'
import { exitCode } from '../../exit-code.ts'
import { UsageError } from '../../usage-error.ts'
import { type UserFlags, userOf, withUserFlags } from '../../user-flags.ts'
import { when } from '../../wording.ts'
import { outcomeText } from './show.ts'

interface Flags extends UserFlags {
  readonly resource?: string
  readonly scopes?: string
}

export function refreshTokensOf(cli: Cli): Command {
  const command = cli
    .command<Flags>(
      'refresh',
      'get a new access token for a user now',
      [
        ['coatcheck tokens refresh --user ada', 'what sign-in returned'],
        ['coatcheck tokens refresh --user ada --resource api://orders', 'for one resource'],
      ],
      async (context, flags) => {
        const { output, signal } = context
        const admin = await context.admin()
        const user = userOf(admin, flags)
        const userId = await userIdOf(admin, user)
        if (userId === null) throw new UsageError('The user key alone does not tell the user id here: --user <id>.')
        const { provider, resource, scopes } = flags
        const report = await refreshTokens(admin, user.userKey, userId, {
          signal,
          ...(provider !== undefined && { provider }),
          ...(resource !== undefined && { resource }),
          ...(scopes !== undefined && { scopes: scopes.split(/[ ,]+/).filter((scope) => scope !== '') }),
        })
        const { isNew, expiresAt } = report
        output.data({ userKey: user.userKey, ...report }, () => {
          const until = `valid until ${new Date(expiresAt).toISOString()} (${when(expiresAt, admin.clock.now())})`
          if (isNew) return `Refreshed: the access token is ${until}.`
          const failure = report.status?.lastRefresh
          const why = failure && failure.outcome !== 'refreshed' ? ` Last refresh: ${outcomeText(failure)}.` : ''
          return `Not refreshed: the stored access token goes on, ${until}.${why}`
        })
        return isNew ? exitCode.ok : exitCode.provider
      },
    )
    .option('--resource <uri>', 'resource indicator; default: what sign-in returned')
    .option('--scopes <scopes>', 'full scope names, separated by spaces or commas')
  return withUserFlags(command)
}
