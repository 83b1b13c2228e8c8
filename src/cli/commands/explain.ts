/**
 * `coatcheck explain`: explains a code, a message, a whole log, or the state of a session. It never prints its input, which may contain
 * text that must not stay in a terminal's history.
 */
import type { Command } from 'commander'
import {
  type AdminContext,
  anchorOf,
  type Explanation,
  explainSession,
  findExplanations,
  isSessionId,
  LogReader,
  type LogReport,
  type Section,
  sectionsOf,
  type ServerContext,
  summaryTextOf,
} from '../../entries/admin.ts'
import { isCoatcheckError } from '../../core/errors.ts'
import { docsUrl } from '../../core/links.ts'
import type { Cli } from '../cli.ts'
import type { CommandContext } from '../context.ts'
import { type ExitCode, exitCode } from '../exit-code.ts'
import type { Output } from '../output.ts'
import { summaryView } from '../session-summary-view.ts'
import { UsageError } from '../usage-error.ts'
import { counted } from '../../core/counted.ts'

/** A ticket: 73 bytes as base64url. */
const TICKET_LIKE = /^[A-Za-z0-9_-]{98}$/
const UNKNOWN_FLAG = /^--[a-z][a-z-]{0,30}$/

export function explain(cli: Cli): Command {
  return (
    cli
      .command<object>(
        'explain <what...>',
        'say what an error means, what is in a log, or what became of a session',
        [
          ['coatcheck explain COATCHECK_REDIS_OOM', 'a code of Coatcheck'],
          ['coatcheck explain "WRONGPASS invalid username-password pair"', 'a message of Redis, Node, MSAL, Entra ID'],
          ['coatcheck explain AADSTS700082', 'a code of Entra ID; the number alone will do'],
          ['coatcheck explain - < app.log', 'all that is known in a log, most frequent first; shows none of it'],
          ['coatcheck explain <session id>', 'live, or why it ended: expired, ended by whom, lost'],
        ],
        async (context, _flags, ...operands) => {
          const asked = operands.join(' ').trim()
          const flag = operands.find((operand) => UNKNOWN_FLAG.test(operand))
          if (flag !== undefined) throw new UsageError(`explain has no flag ${flag}.`)
          if (asked === '-') return explainLog(context)
          if (isSessionId(asked)) return explainId(context, asked)
          return explainText(context.output, asked)
        },
      )
      // One session id in 64 begins with a hyphen.
      .allowUnknownOption()
  )
}

function explainText(output: Output, asked: string): ExitCode {
  const result = findExplanations(asked)
  const nearest = 'nearest' in result ? result.nearest : []
  const document = { found: result.found.map(documentOf), nearest: nearest.map(({ name }) => name) }
  output.data(document, () => result.found.map((one) => shown(output, one)).join('\n\n'))
  if (result.found.length > 0) return exitCode.ok
  output.note('Nothing is known about this text.')
  if (TICKET_LIKE.test(asked))
    output.note(
      'It may be a ticket, the secret of a cookie: it belongs into no terminal. Sessions are named by their id.',
    )
  if (nearest.length > 0) output.note(`Nearest: ${nearest.map(({ name }) => name).join(', ')}`)
  return exitCode.failed
}

async function explainLog({ output, terminal, signal }: CommandContext): Promise<ExitCode> {
  if (terminal.isInteractive) output.note('Paste the log, then press Ctrl-D.')
  const reader = new LogReader()
  for await (const piece of terminal.input(signal)) reader.write(piece)
  const report = reader.end()
  const { lines, found, unknownCodes } = report
  const document = {
    lines,
    found: found.map((entry) => ({ ...documentOf(entry.explanation), lines: entry.lines })),
    unknownCodes,
  }
  output.data(document, () => logTable(output, report))
  const read = `${counted(lines, 'line')} read.`
  if (unknownCodes.length > 0) output.note(`Not known here: ${unknownCodes.join(', ')}`)
  if (found.length > 0) {
    output.note(`${read} More on each: coatcheck explain <name>`)
    return exitCode.ok
  }
  output.note(`${read} Nothing in them is known here.`)
  return exitCode.failed
}

function logTable(output: Output, { found }: LogReport): string {
  if (found.length === 0) return ''
  return output.table(
    [
      { title: 'LINES', value: (row) => row.lines, align: 'right' },
      { title: 'WHAT', value: (row) => row.explanation.name },
      { title: 'WHAT TO DO', value: (row) => firstSentence(row.explanation.fix) },
    ],
    found,
  )
}

async function explainId(context: CommandContext, sessionId: string): Promise<ExitCode> {
  const { output } = context
  const { admin, keys } = await contextOf(context)
  const summary = await explainSession(admin, keys, sessionId)
  output.data({ session: { ...summary, ...summaryTextOf(summary) } }, () => summaryView(output, summary))
  if (keys === null) output.note('Without COATCHECK_KEYS the record stays closed: its times are not shown.')
  return summary.state === 'unknown' ? exitCode.failed : exitCode.ok
}

/** With keys the explanation is more complete. Without them, Redis alone still shows most of it. */
async function contextOf(
  context: CommandContext,
): Promise<{ readonly admin: ServerContext; readonly keys: AdminContext | null }> {
  try {
    const admin = await context.admin()
    return { admin: admin, keys: admin }
  } catch (error) {
    if (!isCoatcheckError(error) || error.code !== 'COATCHECK_CONFIG_MISSING') throw error
    return { admin: await context.server(), keys: null }
  }
}

function documentOf(explanation: Explanation): object {
  const { match: _match, thrown, ...rest } = explanation
  return { ...rest, ...thrown, docs: docsOf(explanation) }
}

function shown(output: Output, explanation: Explanation): string {
  const { name, thrown } = explanation
  const head = thrown ? `  ${thrown.family} · HTTP ${thrown.status}` : ''
  const sections = sectionsOf(explanation).map((section) => shownSection(output, section))
  return [`${output.paint('bold', name)}${output.paint('dim', head)}`, ...sections].join('\n\n')
}

function shownSection(output: Output, { label, texts, as }: Section): string {
  // Removes the backquotes around a single command, so that users can copy the whole line.
  const bare =
    as === 'prose' ? texts.map((text) => text.replace(/^`([^`]*)`$/, '$1')) : [texts.join(as === 'names' ? ', ' : '\n')]
  const indented = bare.flatMap((text) => output.wrapped(text).split('\n')).map((line) => `  ${line}`)
  return [output.paint('cyan', label), ...indented].join('\n')
}

function firstSentence(text: string): string {
  return /^.*?\.(?= |$)/.exec(text)?.[0] ?? text
}

/** Findings of the doctor have their own page, in a table. */
function docsOf({ kind, name }: Explanation): string {
  return kind === 'finding' ? docsUrl('doctor.md', 'what-it-finds') : docsUrl('errors.md', anchorOf(name))
}
