/** Writes the rule list of docs/migrate-from-ioredis.md from the rules of the codemod, so that the page and the code cannot differ. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { format, resolveConfig } from 'prettier'
import type { Example, Rule } from '../../src/migrate/ioredis/rule.ts'
import { rules } from '../../src/migrate/ioredis/rules.ts'

export const ioredisPage = resolve(import.meta.dirname, '../../docs/migrate-from-ioredis.md')
const MARK =
  '<!-- Below: written by `npx vitest run test/docs/ioredis-page.test.ts -u` from src/migrate/ioredis/rules. -->'

/** The whole page: what stands above the mark, and the rules anew. */
export async function renderIoredisPage(): Promise<string> {
  const [introduction = ''] = readFileSync(ioredisPage, 'utf8').split(MARK)
  return format(`${introduction.trimEnd()}\n\n${MARK}\n\n${rules.map(sectionOf).join('\n\n')}\n`, {
    ...(await resolveConfig(ioredisPage)),
    parser: 'markdown',
    proseWrap: 'always',
    printWidth: 120,
  })
}

function sectionOf({ name, title, why, examples }: Rule): string {
  return [`### ${title}`, `Rule \`${name}\`. ${why}`, ...examples.map(diffOf)].join('\n\n')
}

/** Before and after as a diff; lines that stay have no sign. */
function diffOf({ before, after }: Example): string {
  const old = before.trimEnd().split('\n')
  const now = after.trimEnd().split('\n')
  let start = 0
  while (start < old.length && old[start] === now[start]) start += 1
  let end = 0
  while (end < Math.min(old.length, now.length) - start && old.at(-1 - end) === now.at(-1 - end)) end += 1
  const lines = [
    ...old.slice(0, start).map((line) => ` ${line}`),
    ...old.slice(start, old.length - end).map((line) => `-${line}`),
    ...now.slice(start, now.length - end).map((line) => `+${line}`),
    ...old.slice(old.length - end).map((line) => ` ${line}`),
  ]
  return ['```diff', ...lines, '```'].join('\n')
}
