/** Writes docs/first-mistakes.md below its introduction from the real answers, so that the page and the code cannot differ. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { type ErrorCode, errorCatalogue } from '../../src/core/error-catalogue.ts'
import type { CatalogueEntry } from '../../src/core/error-families/catalogue-entry.ts'
import type { Mistake, Seen } from './mistake.ts'
import type { World } from './world.ts'

export const pageFile = resolve(import.meta.dirname, '../../docs/first-mistakes.md')
const MARK = '<!-- Below: written by `npx vitest run test/first-day -u` from the answers to the mistakes. -->'

/** @throws when a mistake has no answer, because its test failed or was left out */
export async function renderPage(
  groups: readonly (readonly [string, readonly Mistake[]])[],
  seen: ReadonlyMap<Mistake, Seen>,
  world: World,
): Promise<string> {
  const [introduction = ''] = readFileSync(pageFile, 'utf8').split(MARK)
  const sections = groups.flatMap(([title, mistakes]) => [
    `## ${title}`,
    ...mistakes.map((mistake) => {
      const told = seen.get(mistake)
      if (!told) throw new Error(`"${mistake.title}" has no answer: run the whole file.`)
      return section(mistake, told, world)
    }),
  ])
  return format(`${introduction}${MARK}\n\n${sections.join('\n\n')}\n`, {
    ...(await resolveConfig(pageFile)),
    parser: 'markdown',
    proseWrap: 'always',
    printWidth: 120,
  })
}

function section({ title, sample }: Mistake, { code, what, why, fix }: Seen, world: World): string {
  const text = (sentence: string): string => asMarkdown(usual(sentence, world))
  return [
    `### ${title}`,
    `\`${sample}\``,
    `**You see:** \`${code}\`. ${text(what)}`,
    // A general error says both in its message; the catalogue's sentence for all misuses says nothing.
    ...(what.includes(why) || why === generalWhy(code) ? [] : [`**Why:** ${text(why)}`]),
    `**Fix:** ${text(fix)}`,
  ].join('\n\n')
}

function generalWhy(code: string): string | null {
  const entry: CatalogueEntry | undefined = errorCatalogue[code as ErrorCode]
  return entry?.isGeneral ? entry.why : null
}

/** The ports and files of a test say nothing to a reader. */
function usual(text: string, { redis, locked, emptyPort, provider }: World): string {
  return text
    .replace(/(?<= at )test\/\S+:\d+/, 'routes/theme.js:14')
    .replaceAll(new URL(provider.url).host, 'localhost:4000')
    .replace(/(?<=Redis at )127\.0\.0\.1:\d+/g, (found) =>
      found.endsWith(String(emptyPort)) ? 'localhost:6380' : 'localhost:6379',
    )
    .replaceAll(String(redis.port), '6379')
    .replaceAll(String(locked.port), '6379')
}

/** Names of code stay as they are: nothing in them is an emphasis, a link or an element. */
function asMarkdown(text: string): string {
  return text.replace(/[*[<]|__/g, (mark) => mark.replace(/./g, '\\$&'))
}
