/** A change of a file as a unified diff, which `git apply` takes. */
import { styleText } from 'node:util'
import { createTwoFilesPatch } from 'diff'
import type { FileReport } from '../../migrate/ioredis/migrate.ts'

/** Empty if the text stays. */
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
