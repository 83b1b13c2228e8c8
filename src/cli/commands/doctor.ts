/** `coatcheck doctor`: what is wrong, why, and what to do. The report can be shown to anybody. */
import type { Command } from 'commander'
import { examineHealth, type HealthCheck, type HealthGroup, type HealthReport } from '../../admin.ts'
import type { Cli } from '../cli.ts'
import type { CommandContext } from '../context.ts'
import { type ExitCode, exitCode, exitCodeOfCause } from '../exit-code.ts'
import type { Output } from '../output.ts'
import { versionOf } from '../version.ts'

interface Flags {
  readonly offline?: boolean
  readonly strict?: boolean
  readonly canaries?: boolean
}

const GROUPS: readonly (readonly [HealthGroup, string])[] = [
  ['configuration', 'Configuration'],
  ['redis', 'Redis'],
  ['provider', 'Identity provider'],
  ['data', 'Data'],
]

export function doctor(cli: Cli): Command {
  return cli
    .command<Flags>(
      'doctor',
      'find what is wrong with configuration, Redis, provider and data, and say what to do',
      [
        ['coatcheck doctor', 'everything; shows no secret, so it can be sent to somebody who helps'],
        ['coatcheck doctor --strict --json', 'in a pipeline: warnings fail too'],
        ['coatcheck doctor --canaries', 'from a timer: also plants keys whose loss shows eviction'],
      ],
      async (context, flags) => {
        const { output, signal } = context
        const { offline = false, canaries = false } = flags
        const seen = (what: string): void => output.progress(`looking at ${what}`)
        const about = await versionsOf(context)
        const report = await examineHealth(async () => (await context.config()).options, {
          offline,
          canaries,
          signal,
          seen,
        })
        const { checks, problems, warnings, skipped } = report
        output.data({ ...about, problems, warnings, skipped, checks }, () => textOf(output, about, report))
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
  /** `null`: there is none, or it cannot be read; the report says which. */
  readonly configFile: string | null
}

async function versionsOf(context: CommandContext): Promise<Versions> {
  const file = await context.config().then(
    (config) => config.file,
    () => null,
  )
  return { coatcheck: versionOf(), node: process.versions.node, configFile: file }
}

function textOf(output: Output, about: Versions, report: HealthReport): string {
  const { coatcheck, node, configFile } = about
  const file = configFile === null ? '' : ` · ${configFile}`
  const sections = GROUPS.flatMap(([group, title]) => {
    const checks = report.checks.filter((check) => check.group === group)
    return checks.length === 0 ? [] : [[output.paint('bold', title), ...linesOf(output, checks)].join('\n')]
  })
  const head = output.paint('dim', `coatcheck ${coatcheck} · node ${node}${file}`)
  return [head, ...sections, lastWords(output, report)].join('\n\n')
}

function linesOf(output: Output, checks: readonly HealthCheck[]): string[] {
  const width = Math.max(...checks.map(({ name }) => name.length)) + 2
  const told = new Set<string>()
  return merged(checks).flatMap(({ check, servers }) => {
    const where = servers.length === 0 ? '' : output.paint('dim', ` (${servers.join(', ')})`)
    const line = `  ${markOf(output, check)} ${check.name.padEnd(width)}${check.says}${where}`
    const { finding } = check
    if (finding === null) return [line]
    const indent = ' '.repeat(4 + width)
    const code = `${indent}${output.paint('dim', finding.code)}`
    // The same cause on several servers is explained once.
    if (told.has(finding.code)) return [line, code]
    told.add(finding.code)
    return [line, `${indent}${finding.title}. ${finding.why}`, `${indent}fix: ${finding.fix}`, code]
  })
}

/** Servers of which the same is to be said share a line. */
function merged(checks: readonly HealthCheck[]): { check: HealthCheck; servers: string[] }[] {
  const lines = new Map<string, { check: HealthCheck; servers: string[] }>()
  for (const check of checks) {
    const name = JSON.stringify([check.name, check.state, check.says, check.finding?.code])
    const line = lines.get(name) ?? { check, servers: [] }
    if (check.server !== null) line.servers.push(check.server)
    lines.set(name, line)
  }
  return [...lines.values()]
}

function markOf(output: Output, { state, finding }: HealthCheck): string {
  if (state === 'ok') return output.paint('green', '✔')
  if (finding === null) return output.paint('dim', '–')
  return finding.severity === 'error' ? output.paint('red', '✖') : output.paint('yellow', '⚠')
}

function lastWords(output: Output, { checks, problems, warnings, skipped }: HealthReport): string {
  const notSeen = skipped === 0 ? '' : ` ${counted(skipped, 'thing')} could not be looked at (–).`
  const first = checks.find(({ finding }) => finding !== null)?.finding
  if (first == null) return `${output.paint('green', 'All is well.')}${notSeen}`
  const sum = `${counted(problems, 'problem')}, ${counted(warnings, 'warning')}.${notSeen}`
  const worst = checks.find(({ finding }) => finding?.severity === 'error')?.finding ?? first
  const advice = problems > 0 ? 'Begin with the first problem: others may follow from it.' : 'Nothing is broken.'
  return `${sum} ${advice} More: coatcheck explain ${worst.code}`
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
