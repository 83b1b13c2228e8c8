/** Formats a file change as a unified diff, which `git apply` accepts. */
import { styleText } from 'node:util'
import { createTwoFilesPatch } from 'diff'
import type { FileReport } from '../../migrate/ioredis/migrate.ts'

/** Empty if the text is unchanged. */
export function unifiedDiff({ path, before, after }: FileReport, hasColour: boolean): string {
  if (before === after) return ''
  const patch = createTwoFilesPatch(
    before === null ? '/dev/null' : `a/${path}`,
    `b/${path}`,
    before ?? '',
    after,
    '',
    '',
  )
  const lines = patch.split('\n').filter((line) => !/^(?:=+$|Index: )/.test(line))
  return (hasColour ? lines.map(paint) : lines).join('\n')
}

function paint(line: string): string {
  if (line.startsWith('+') && !line.startsWith('+++')) return styleText('green', line, { validateStream: false })
  if (line.startsWith('-') && !line.startsWith('---')) return styleText('red', line, { validateStream: false })
  return line
}
