/** `coatcheck migrate ioredis`: rewrites code from ioredis to the official client `redis`. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { counted } from '../../../core/counted.ts'
import { parseJson } from '../../../core/json.ts'
import { migrateIoredis, type MigrationReport, TsMorphMissing } from '../../../migrate/ioredis/migrate.ts'
import type { Cli } from '../../cli.ts'
import type { CommandContext } from '../../context.ts'
import { exitCode } from '../../exit-code.ts'
import { markdownReport } from '../../migrate/markdown-report.ts'
import { ruleColumns, ruleRows } from '../../migrate/rule-table.ts'
import { unifiedDiff } from '../../migrate/unified-diff.ts'
import type { Terminal } from '../../terminal.ts'
import { UsageError } from '../../usage-error.ts'

interface Flags {
  readonly target?: '5' | '6'
  readonly dryRun?: boolean
  readonly write?: boolean
  readonly check?: boolean
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  readonly report?: string
}

type Mode = 'dry-run' | 'write' | 'check'

export function migrateFromIoredis(cli: Cli): Command {
  const globs = (glob: string, before: readonly string[] = []): string[] => [...before, glob]
  return cli
    .command<Flags>(
      'ioredis [paths...]',
      'rewrite code from ioredis to redis (node-redis)',
      [
        ['coatcheck migrate ioredis', 'shows what it would change'],
        [
          'coatcheck migrate ioredis --write --report migration.md',
          'changes the files, and writes a report for a pull request',
        ],
        ['coatcheck migrate ioredis --check', 'exit code 1 while a call is left to rewrite, or a mark to resolve'],
      ],
      (context, flags, ...paths) => run(context, flags, paths),
    )
    .addOption(
      new Option('--target <major>', 'major version of redis; default: the installed one, else 6').choices(['5', '6']),
    )
    .addOption(new Option('--dry-run', 'show the changes as a diff (default)').conflicts(['write', 'check']))
    .addOption(new Option('--write', 'change the files').conflicts(['check']))
    .option('--check', 'change nothing; exit code 1 if something is left to do')
    .option('--include <glob>', 'only these files; may be repeated', globs)
    .option('--exclude <glob>', 'not these files; may be repeated', globs)
    .option('--report <file>', 'write a report in Markdown')
}

async function run({ output, terminal }: CommandContext, flags: Flags, paths: readonly string[]): Promise<number> {
  const mode: Mode = flags.write === true ? 'write' : flags.check === true ? 'check' : 'dry-run'
  const target = flags.target === undefined ? installedMajor(terminal.folder) : flags.target === '5' ? 5 : 6
  const report = await migrateOrExplain({
    cwd: terminal.folder,
    paths,
    target,
    mode,
    ...(flags.include === undefined ? {} : { include: flags.include }),
    ...(flags.exclude === undefined ? {} : { exclude: flags.exclude }),
  })
  const changed = report.files.filter(({ before, after }) => before !== after)
  const summary = summaryOf(report, changed.length, mode)
  const hasSites = report.sites.length > 0
  output.data(documentOf(report, mode, target), () =>
    hasSites ? textOf(report, mode, terminal, output.table(ruleColumns, ruleRows(report.sites))) : summary,
  )
  if (flags.report !== undefined) writeFileSync(resolve(terminal.folder, flags.report), markdownReport(report, target))
  for (const note of report.notes) output.note(note)
  if (hasSites) output.note(summary)
  return mode === 'check' && (changed.length > 0 || report.marksLeft > 0) ? exitCode.failed : exitCode.ok
}

function documentOf(report: MigrationReport, mode: Mode, target: 5 | 6): object {
  const files = report.files.map((file) => ({ path: file.path, diff: unifiedDiff(file, false) }))
  return { mode, target, ...report, files }
}

async function migrateOrExplain(options: Parameters<typeof migrateIoredis>[0]): Promise<MigrationReport> {
  try {
    return await migrateIoredis(options)
  } catch (error) {
    if (error instanceof TsMorphMissing) throw new UsageError(error.message)
    throw error
  }
}

/** The major version of `redis` that the project has, if the codemod can write for it. */
function installedMajor(folder: string): 5 | 6 {
  const manifest = join(folder, 'node_modules/redis/package.json')
  if (!existsSync(manifest)) return 6
  const { version } = parseJson(readFileSync(manifest, 'utf8')) as { version?: unknown }
  return typeof version === 'string' && version.startsWith('5.') ? 5 : 6
}

function textOf(report: MigrationReport, mode: Mode, { stdout }: Terminal, table: string): string {
  const diff =
    mode === 'dry-run'
      ? report.files.map((file) => unifiedDiff(file, stdout.hasColour)).filter((text) => text !== '')
      : []
  const marks = report.sites
    .filter(({ state }) => state === 'marked')
    .map(({ file, line, code = '', text }) => `${file}:${line}\t${code}\t${text}`)
  return [...diff, table, ...(mode === 'check' ? marks : [])].join('\n')
}

function summaryOf(report: MigrationReport, changed: number, mode: Mode): string {
  const files = counted(changed, 'file')
  const marks =
    report.marksLeft === 0
      ? ''
      : ` ${counted(report.marksLeft, 'mark')} for a person to resolve: search for "coatcheck-codemod-error".`
  if (changed === 0) return `Nothing to change.${marks}`
  if (mode === 'write') return `Changed ${files}.${marks} Run npm install, then the type checker and the tests.`
  return `Would change ${files}.${marks}${mode === 'dry-run' ? ' Add --write to do it.' : ''}`
}
