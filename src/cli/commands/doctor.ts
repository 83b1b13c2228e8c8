/** `coatcheck doctor`: reports what is wrong, why, and what to do. The report contains no secrets, so it is safe to share. */
import type { Command } from 'commander'
import { examineHealth, type HealthReport } from '../../entries/admin.ts'
import type { Cli } from '../cli.ts'
import type { CommandContext } from '../context.ts'
import { type ExitCode, exitCode, exitCodeOfCause } from '../exit-code.ts'
import { healthText } from '../health-text.ts'
import { versionOf } from '../version.ts'

interface Flags {
  readonly offline?: boolean
  readonly strict?: boolean
  readonly canaries?: boolean
}

export function doctor(cli: Cli): Command {
  return cli
    .command<Flags>(
      'doctor',
      'find what is wrong with configuration, Redis, provider and data, and say what to do',
      [
        ['coatcheck doctor', 'everything; the output holds no secret, so it can be shared'],
        ['coatcheck doctor --strict --json', 'in a pipeline: warnings fail too'],
        ['coatcheck doctor --canaries', 'from a timer: also plants keys whose loss shows eviction'],
      ],
      async (context, flags) => {
        const { output, signal, terminal } = context
        const { offline = false, canaries = false } = flags
        const seen = (what: string): void => output.progress(`looking at ${what}`)
        const versions = await versionsOf(context)
        const load = async () => (await context.config()).options
        const report = await examineHealth(load, { offline, canaries, signal, seen })
        const { coatcheck, node, configFile } = versions
        const about = `coatcheck ${coatcheck} · node ${node} · ${configFile ?? 'no coatcheck.config'}`
        output.data({ ...versions, ...report }, () =>
          [output.paint('dim', about), healthText(output, terminal.stdout.columns, report)].join('\n\n'),
        )
        return codeOf(report, flags)
      },
    )
    .option('--offline', 'ask neither the provider nor the application, only the configuration and Redis')
    .option('--strict', 'fail for warnings too')
    .option('--canaries', 'plant canary keys, or renew those that end soon')
}

function codeOf({ cause, warnings }: HealthReport, { strict = false }: Flags): ExitCode {
  if (cause !== null) return exitCodeOfCause(cause)
  return strict && warnings > 0 ? exitCode.failed : exitCode.ok
}

interface Versions {
  readonly coatcheck: string
  readonly node: string
  /** `null`: there is no file, or it cannot be read; the report says which. */
  readonly configFile: string | null
}

async function versionsOf(context: CommandContext): Promise<Versions> {
  const configFile = await context.config().then(
    ({ file }) => file,
    () => null,
  )
  return { coatcheck: versionOf(), node: process.versions.node, configFile }
}
