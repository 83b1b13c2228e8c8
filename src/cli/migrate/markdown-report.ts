/** Formats the report as Markdown for the team's pull request. */
import type { MigrationReport, Site } from '../../migrate/ioredis/migrate.ts'
import { ruleRows } from './rule-table.ts'

export function markdownReport(report: MigrationReport, target: 5 | 6): string {
  const marked = report.sites.filter(({ state }) => state === 'marked')
  const rows = ruleRows(report.sites).map(
    ({ rule, files, counts }) => `| ${rule} | ${files} | ${counts.rewritten} / ${counts.helper} | ${counts.marked} |`,
  )
  return [
    `# From ioredis to node-redis ${target}`,
    '',
    `${report.files.length} files. Helpers: ${report.helperFiles.map((file) => `\`${file}\``).join(', ') || 'none'}.`,
    '',
    '| Rule | Files | Rewritten / helper | Marked |',
    '| --- | ---: | ---: | ---: |',
    ...rows,
    '',
    ...(marked.length === 0 ? ['No call is left for a person.'] : ['## Left for a person', '', ...marked.map(lineOf)]),
    ...(report.notes.length === 0 ? [] : ['', '## Notes', '', ...report.notes.map((note) => `- ${note}`)]),
    '',
  ].join('\n')
}

function lineOf({ file, line, code = '', text }: Site): string {
  return `- [ ] \`${file}:${line}\` **${code}** \`${text.replaceAll('`', "'")}\``
}
