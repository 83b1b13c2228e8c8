/** Formats the report of `coatcheck doctor` for people: groups, a mark for each line, and why and what to do below a finding. */
import type { Finding, HealthCheck, HealthGroup, HealthReport } from '../entries/admin.ts'
import { type ErrorCode, errorCatalogue } from '../core/error-catalogue.ts'
import type { Output } from './output.ts'
import { counted } from '../core/counted.ts'

const GROUPS: readonly (readonly [HealthGroup, string])[] = [
  ['configuration', 'Configuration'],
  ['redis', 'Redis'],
  ['provider', 'Identity provider'],
  ['data', 'Data'],
]
/** Longer lines are hard to read, however wide the terminal is. */
const WIDEST = 110
const NARROWEST = 40

export function healthText(output: Output, columns: number, report: HealthReport): string {
  const width = Math.max(NARROWEST, Math.min(WIDEST, columns))
  const names = report.checks.map(({ name }) => name.length)
  const indent = Math.max(0, ...names) + 6
  const sections = GROUPS.flatMap(([group, title]) => {
    const checks = report.checks.filter((check) => check.group === group)
    return checks.length === 0
      ? []
      : [[output.paint('bold', title), ...linesOf(output, checks, indent, width)].join('\n')]
  })
  return [...sections, closingLine(output, report)].join('\n\n')
}

function linesOf(output: Output, checks: readonly HealthCheck[], indent: number, width: number): string[] {
  const explained = new Set<string>()
  return merged(checks).flatMap(({ check, servers }) => {
    const where = servers.length === 0 ? '' : ` (${servers.join(', ')})`
    const beginning = `  ${markOf(output, check)} ${check.name}`.padEnd(indent + beyond(output, check))
    const line = `${beginning}${wrapped(check.says + where, indent, width)}`
    const { finding } = check
    if (finding === null) return [line]
    const below = (text: string): string => ' '.repeat(indent) + wrapped(text, indent, width)
    const code = ' '.repeat(indent) + output.paint('dim', finding.code)
    // A finding that several servers share is explained once.
    if (explained.has(finding.code)) return [line, code]
    explained.add(finding.code)
    return [line, ...newTexts(finding).map(below), code]
  })
}

/** Why and what to do, without texts of the error catalogue that only repeat the line above. */
function newTexts({ code, title, why, fix }: Finding): string[] {
  const general = Object.hasOwn(errorCatalogue, code) ? errorCatalogue[code as ErrorCode] : null
  return [
    ...(why === general?.why ? [] : [why.startsWith(title) ? why : `${title}. ${why}`]),
    ...(fix === general?.fix && general.isGeneral === true ? [] : [`fix: ${fix}`]),
  ]
}

/** Number of invisible characters in the mark. */
function beyond(output: Output, check: HealthCheck): number {
  return markOf(output, check).length - 1
}

/** Puts servers with the same result on one line. */
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

/** Wraps at spaces. Text without spaces is never cut, so that users can copy it. */
function wrapped(text: string, indent: number, width: number): string {
  const room = Math.max(NARROWEST / 2, width - indent)
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join(`\n${' '.repeat(indent)}`)
}

function closingLine(output: Output, { checks, problems, warnings, skipped }: HealthReport): string {
  const notSeen = skipped === 0 ? '' : ` ${counted(skipped, 'thing was', 'things were')} not looked at (–).`
  const findings = checks.flatMap(({ finding }) => (finding === null ? [] : [finding]))
  const worst = findings.find(({ severity }) => severity === 'error') ?? findings[0]
  if (worst === undefined) return `${output.paint('green', 'All is well.')}${notSeen} Have a quiet shift.`
  const sum = `${counted(problems, 'problem')}, ${counted(warnings, 'warning')}.${notSeen}`
  const advice =
    problems > 0
      ? 'Begin with the first problem: others may follow from it.'
      : 'Nothing is broken; these can wait for daylight.'
  return `${sum}\n${advice} More: coatcheck explain ${worst.code}`
}
