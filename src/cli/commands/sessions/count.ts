/** `coatcheck sessions count`: counts the sessions of all users, or of one. */
import type { Command } from 'commander'
import { listSessions, statistics } from '../../../entries/admin.ts'
import type { Cli } from '../../cli.ts'
import { exitCode } from '../../exit-code.ts'
import { namesUser, type UserFlags, userOf, withUserFlags } from '../../user-flags.ts'
import { counted, whole } from '../../../core/counted.ts'

interface Flags extends UserFlags {
  readonly exact?: boolean
}

export function countSessions(cli: Cli): Command {
  const command = cli
    .command<Flags>(
      'count',
      'how many sessions there are: an estimate at once, or exactly',
      [
        ['coatcheck sessions count', 'from a sample of 20,000 keys; exact when there are fewer'],
        ['coatcheck sessions count --exact', 'looks at every key, in small steps'],
        ['coatcheck sessions count --user ada', 'of one user, from the index'],
      ],
      async (context, flags) => {
        const { output, signal } = context
        if (namesUser(flags)) {
          const admin = await context.admin()
          const { userKey } = userOf(admin, flags)
          const { length: count } = await listSessions(admin, userKey)
          output.data({ userKey, count, isExact: true }, () => String(count))
          return exitCode.ok
        }
        const admin = await context.server()
        const { exact = false } = flags
        const { survey } = await statistics(admin, {
          signal,
          exact,
          examine: Infinity,
          seen: ({ scanned, total }) => output.progress(`${whole(scanned)} of ${whole(total)} keys`),
        })
        if (signal.aborted) return exitCode.interrupted
        const { isExact, sessions } = survey
        const count = sessions.users + sessions.anonymous
        output.data({ count, isExact, sessions, users: survey.users }, () => {
          const about = isExact ? '' : 'about '
          return [
            `${about}${counted(count, 'session')}: ${whole(sessions.users)} of ${counted(survey.users, 'user')}, ${whole(sessions.anonymous)} without a user`,
            ...(sessions.ended > 0
              ? [`${about}${counted(sessions.ended, 'record')} of sessions that have ended and go by themselves`]
              : []),
          ].join('\n')
        })
        return exitCode.ok
      },
    )
    .option('--exact', 'look at every key instead of a sample')
  return withUserFlags(command)
}
