/** `coatcheck migrate tokens`: adopts the tokens of all users of another library at once. Without `--write` it only reads. */
import { type Command, Option } from 'commander'
import {
  adoptAllTokens,
  type BulkAccess,
  createMsalCache,
  dropInsOf,
  guideTokens,
  oldStoreAt,
  openOldTokens,
  openTokenMigration,
  surveyOldRecords,
  tokenOriginsOf,
} from '../../../entries/admin.ts'
import { processEnvironment } from '../../../config/environment.ts'
import { systemClock } from '../../../core/clock.ts'
import { counted } from '../../../core/counted.ts'
import type { Cli } from '../../cli.ts'
import type { CommandContext } from '../../context.ts'
import { type ExitCode, exitCode } from '../../exit-code.ts'
import { loadModule } from '../../load-module.ts'
import { type NextStep, surveyText, takingOver, tokensText } from '../../migration-text.ts'
import { nextCommand } from '../../next-command.ts'
import { oldTarget, oldUrl } from '../../old-store.ts'
import { UsageError } from '../../usage-error.ts'
import { lowerPriority } from '../../low-priority.ts'
import { surveyOrAdopt } from './adopting.ts'

interface Flags {
  readonly write?: boolean
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly module?: string
  readonly export?: string
  readonly provider?: string
  readonly from?: 'guide' | 'msal'
  readonly mode?: 'read' | 'move'
  readonly oldKey?: string
  readonly oldUrl?: string
}

type Origin = Parameters<typeof openOldTokens>[0]

export function migrateTokens(cli: Cli): Command {
  return cli
    .command<Flags>(
      'tokens',
      'adopt the tokens of all users of another library; without --write it changes nothing',
      [
        ['coatcheck migrate tokens --from guide', "tokens of the Redis setup guide's TokenCache"],
        [
          'coatcheck migrate tokens --module token-origin.mjs --write --provider entra',
          'from the origin that this module exports',
        ],
        [
          "coatcheck migrate tokens --from msal --old-key 'msal:<id>' --mode move",
          'caches of MSAL, for coatcheck/msal',
        ],
      ],
      async (context, flags) => {
        const isDryRun = flags.write !== true || flags.dryRun === true
        const found = await originFor(context, flags)
        if ('adopt' in found) return moveCaches(context, found, isDryRun, flags)
        const origin = flags.provider === undefined ? found : { ...found, provider: flags.provider }
        return isDryRun ? printSurvey(context, origin, flags) : run(context, origin, flags.yes)
      },
    )
    .option('--write', 'adopt the tokens')
    .option('--yes', 'move also if no process of the application has reported its keys')
    .option('--dry-run', 'examine the old keys and change nothing (the default)')
    .option(
      '--module <file>',
      'module that exports fromMsal() or another origin, or msalCachePlugin() with migrateFrom',
    )
    .option('--export <name>', 'which export of the module, where there are several')
    .option(
      '--provider <name>',
      'provider of the application that issued the tokens (default: the only one that it has)',
    )
    .addOption(new Option('--from <format>', 'format of the old tokens, without a module').choices(['guide', 'msal']))
    .addOption(
      new Option('--mode <mode>', 'with --from: read keeps the old values, move removes them (default: read)').choices([
        'read',
        'move',
      ]),
    )
    .option(
      '--old-key <key>',
      'with --from: the old key, with <id> for the user or the MSAL partition (default of guide: user:<id>:tokens)',
    )
    .option('--old-url <url>', 'with --from: Redis of the old keys, without a password (default: the same)', oldUrl)
}

/** @throws {UsageError} @throws {ConfigError} */
async function originFor(context: CommandContext, flags: Flags): Promise<Origin | BulkAccess> {
  const { module, from, mode = 'read', oldKey: key } = flags
  if ((module === undefined) === (from === undefined)) {
    throw new UsageError(
      'Which tokens? --from guide, or --module <file> with the origin: only the application knows its user ids.',
    )
  }
  const options = await context.quietOptions()
  if (module === undefined) {
    const target = oldTarget(flags, processEnvironment())
    const store = target && (await oldStoreAt(target))
    if (from === 'msal') {
      if (key?.includes('<id>') !== true) throw new UsageError("Where are the caches? --old-key 'msal:<id>'.")
      return createMsalCache(options, { key, mode, ...(store && { store }) })
    }
    return guideTokens({ mode, ...(key !== undefined && { key }), ...(store && { store }) })
  }
  const exports = (await loadModule(context.terminal.folder, module, { option: '--module' })) as Record<string, unknown>
  const caches = [...dropInsOf(exports)].filter(([, { origin }]) => origin?.name === 'msal')
  const found = new Map<string, Origin | BulkAccess>([...tokenOriginsOf(exports), ...caches])
  const names = [...found.keys()].join(' | ')
  const origin = flags.export === undefined ? [...found.values()][0] : found.get(flags.export)
  if (origin === undefined) {
    const what = flags.export === undefined ? 'an origin of tokens' : `an origin of tokens as "${flags.export}"`
    throw new UsageError(`${module} does not export ${what}: export const origin = fromMsal({ key, userOf }).`)
  }
  if (flags.export === undefined && found.size > 1)
    throw new UsageError(`${module} exports several. Name one: --export ${names}.`)
  return origin
}

/** Adopts the caches of an earlier MSAL plugin, for `coatcheck/msal`. */
function moveCaches(context: CommandContext, access: BulkAccess, isDryRun: boolean, flags: Flags): Promise<ExitCode> {
  if (access.origin?.mode === 'read' && !isDryRun) {
    throw new UsageError('In mode read the old caches decide, and no copy is stored. Mode move takes them over.')
  }
  return surveyOrAdopt(context, access, isDryRun, nextStepOfCaches(access, flags), { isConfirmed: flags.yes })
}

/** In mode `read` the command has nothing to store, so the next step names the mode `move`. */
function nextStepOfCaches({ origin }: BulkAccess, flags: Flags): NextStep {
  const effect = 'the command moves each cache with its remaining life, and removes its old key.'
  if (origin?.mode === 'move')
    return { consequence: `With --write, ${effect}`, command: nextCommand('migrate tokens', { ...flags }) }
  const consequence = `In mode read the old caches decide, and --write is refused. In mode move, with --write, ${effect}`
  if (flags.module === undefined)
    return { consequence, command: nextCommand('migrate tokens', { ...flags }, { mode: 'move' }) }
  return { consequence: `${consequence} Set mode: 'move' in msalCache() of ${flags.module} first.`, command: null }
}

/** Names the provider in the command if the run would refuse without it. */
async function nextStepOfTokens(context: CommandContext, origin: Origin, flags: Flags): Promise<NextStep> {
  const { options } = await context.config()
  const { providers = [] } = options
  const isKnown = origin.provider !== undefined || providers.length === 1
  const old = origin.mode === 'move' ? 'removes the old values that it has adopted' : 'keeps the old values'
  const consequence = `With --write, the command adopts the tokens of each user who has none in Coatcheck, and ${old}.`
  return {
    consequence: isKnown
      ? consequence
      : `${consequence} Replace <name> by the name of the provider in the application, such as entra.`,
    command: nextCommand('migrate tokens', { ...flags }, isKnown ? {} : { provider: '<name>' }),
  }
}

async function printSurvey(context: CommandContext, origin: Origin, flags: Flags): Promise<ExitCode> {
  const { output, signal } = context
  const { store, prefix } = await context.server()
  const old = await openOldTokens(origin, store, prefix)
  if (old === null) {
    throw new UsageError(
      `The names of the old keys of ${origin.name} do not identify them, so the command cannot count them. Only a run is possible: ${nextCommand('migrate tokens', { ...flags })}`,
    )
  }
  context.closeLater(() => old.close())
  const seen = takingOver(output, systemClock, 'examined')
  const next = await nextStepOfTokens(context, origin, flags)
  const survey = await surveyOldRecords(old.admin, old.origin, { signal, seen })
  output.data({ dryRun: true, ...survey }, () => surveyText(output, survey, old.origin.keyPrefix, next))
  return signal.aborted ? exitCode.interrupted : exitCode.ok
}

async function run(context: CommandContext, origin: Origin, isConfirmed = false): Promise<ExitCode> {
  const { output, signal } = context
  const { adoption, provider, close } = await openTokenMigration(await context.quietOptions(), origin, { isConfirmed })
  context.closeLater(close)
  lowerPriority()
  const report = await adoptAllTokens(adoption, {
    signal,
    clock: systemClock,
    seen: (users) => output.progress(`${counted(users, 'user')} examined`),
  })
  output.data({ dryRun: false, origin: origin.name, provider, ...report }, () =>
    tokensText(output, { origin: origin.name, provider }, report),
  )
  if (signal.aborted) return exitCode.interrupted
  return (report.outcomes.unreadable ?? 0) > 0 ? exitCode.partial : exitCode.ok
}
