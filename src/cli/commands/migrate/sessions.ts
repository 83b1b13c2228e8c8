/** `coatcheck migrate sessions`: adopts all sessions of another library at once. Without `--write` it only reads. */
import { type Command, Option } from 'commander'
import { BULK_FORMATS, BULK_KINDS, type BulkAccess } from '../../../entries/admin.ts'
import type { Cli } from '../../cli.ts'
import { lifeTime } from '../../flag-values.ts'
import { type NextStep, sessionConsequence } from '../../migration-text.ts'
import { nextCommand } from '../../next-command.ts'
import { oldUrl } from '../../old-store.ts'
import { surveyOrAdopt } from './adopting.ts'
import { type DropInFlags, dropInFor } from './drop-in.ts'

interface Flags extends DropInFlags {
  readonly write?: boolean
  readonly dryRun?: boolean
  readonly yes?: boolean
}

export function migrateSessions(cli: Cli): Command {
  const command = cli
    .command<Flags>(
      'sessions',
      'take over all sessions of another library; without --write it changes nothing',
      [
        [
          'coatcheck migrate sessions --from connect-redis',
          'how many there are, how long they live, what cannot be read',
        ],
        [
          'coatcheck migrate sessions --module session-store.mjs --write',
          'as the store that this module exports would',
        ],
        ['coatcheck migrate sessions --from connect-redis --user-id passport.user --write', 'without a module'],
        ['coatcheck migrate sessions --from auth-js --old-prefix nextauth: --mode move', 'users and accounts too'],
      ],
      async (context, flags) => {
        const isDryRun = flags.write !== true || flags.dryRun === true
        const access = await dropInFor(context, flags, isDryRun)
        return surveyOrAdopt(context, access, isDryRun, nextStep(access, flags), {
          isConfirmed: flags.yes,
          userPath: flags.userId,
        })
      },
    )
    .option('--write', 'take the sessions over')
    .option('--dry-run', 'only look (the default)')
    .option('--yes', 'move also if no process of the application has reported its keys')
    .option('--module <file>', 'module of the application that exports its store with migrateFrom')
    .option('--export <name>', 'which export of the module, where there are several')
    .addOption(new Option('--from <format>', 'format of the old sessions, without a module').choices(BULK_FORMATS))
    .addOption(new Option('--kind <library>', 'library that reads them from now on').choices(BULK_KINDS))
    .addOption(
      new Option('--mode <mode>', 'read keeps the old keys, move removes them (default: read)').choices([
        'read',
        'move',
      ]),
    )
    .option('--old-prefix <prefix>', 'beginning of the old keys (default: that of the format)')
    .option('--old-url <url>', 'Redis of the old keys, without a password (default: the same)', oldUrl)
    .option('--user-id <path>', 'where the data names the user, such as passport.user')
    .option('--no-users', 'the sessions belong to no user')
    .option('--ttl <duration>', 'life of sessions whose old key has no expiry (default: 24h)', lifeTime)
  return command
}

function nextStep({ origin, knowsUsers }: BulkAccess, flags: Flags): NextStep {
  const consequence = sessionConsequence(origin?.mode ?? 'read')
  if (knowsUsers !== false || !flags.users)
    return { consequence, command: nextCommand('migrate sessions', { ...flags }) }
  const how = flags.module === undefined ? '--user-id <path>' : 'the option userId of the store'
  return {
    consequence: `${consequence} It needs the user of each session: ${how}, or --no-users if the sessions have no user.`,
    command: null,
  }
}
