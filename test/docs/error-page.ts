/** Writes docs/errors.md below its introduction from the catalogues, so that the page and the code cannot differ. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { type Chapter, chapters } from '../../src/admin/explain/catalogue.ts'
import type { Explanation } from '../../src/admin/explain/explanation.ts'
import { anchorOf, type Section, sectionsOf } from '../../src/admin/explain/sections.ts'

export const errorPage = resolve(import.meta.dirname, '../../docs/errors.md')
const MARK = '<!-- Below: written by `npx vitest run test/docs/error-page.test.ts -u` from src/admin/explain. -->'

/** The whole page: the introduction as it stands there, and everything below anew. */
export async function renderErrorPage(): Promise<string> {
  const [introduction = ''] = readFileSync(errorPage, 'utf8').split(MARK)
  const below = [...chapters.map(contentsOf), ...chapters.map(chapterOf)].join('\n\n')
  return format(`${introduction}${MARK}\n\n${below}\n`, {
    ...(await resolveConfig(errorPage)),
    parser: 'markdown',
    proseWrap: 'always',
    printWidth: 120,
  })
}

function contentsOf({ title, entries }: Chapter): string {
  return `**[${title}](#${anchorOf(title)}):** ${entries.map(({ name }) => linkTo(name)).join(' · ')}`
}

function chapterOf({ title, entries }: Chapter): string {
  return [`## ${title}`, ...entries.map(entryOf)].join('\n\n')
}

function entryOf(entry: Explanation): string {
  const { name, thrown } = entry
  const head = thrown ? [`\`${thrown.family}\` · HTTP ${thrown.status}`] : []
  return [`### ${name}`, ...head, ...sectionsOf(entry).map(sectionOf)].join('\n\n')
}

function sectionOf({ label, texts, as }: Section): string {
  if (as === 'printed') return `**${label}.**\n\n\`\`\`text\n${texts.join('\n')}\n\`\`\``
  const text =
    as === 'names' ? texts.map(linkTo).join(' · ') : texts.join(' ').replace(/\bdocs\/([\w-]+\.md)/g, '[$1]($1)')
  return `**${label}.** ${text}`
}

function linkTo(name: string): string {
  return `[${name}](#${anchorOf(name)})`
}
