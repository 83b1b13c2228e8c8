/** Writes docs/security/hostile-provider.md from the cases, so that the page and the tests cannot differ. */
import { resolve } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { type Chapter, chapters } from './cases.ts'

const PAGE = resolve(import.meta.dirname, '../../docs/security/hostile-provider.md')

export async function renderHostilePage(): Promise<string> {
  const all = chapters.flatMap(({ cases }) => cases)
  const modules = new Set(all.map(({ module }) => module).filter((name) => name !== undefined))
  const text = `# What a hostile provider can do

<!-- Written by \`npx vitest run test/hostile -u\` from test/hostile. -->

A provider, or a proxy in front of it, can answer wrongly at every step. The tables list ${all.length} answers and how Coatcheck treats
each. Some of them are correct: Coatcheck must accept those. \`npm test\` runs every row against openid-client and the routes of an
application. If a row names a module, it tests the same rule as that relying-party module of the OpenID Foundation's
conformance suite (${modules.size} modules). Coatcheck is not certified.

${chapters.map(chapterOf).join('\n\n')}
`
  return format(text, { ...(await resolveConfig(PAGE)), parser: 'markdown', proseWrap: 'always', printWidth: 120 })
}

function chapterOf({ title, source, outcome, cases }: Chapter): string {
  const rows = cases.map(
    ({ does, result, module }) => `| ${does} | ${shown(result)} | ${module === undefined ? '' : `\`${module}\``} |`,
  )
  return [
    `## ${title}`,
    `Source: ${source}. ${outcome}`,
    ['| The provider or the token … | Result | Module |', '| --- | --- | --- |', ...rows].join('\n'),
  ].join('\n\n')
}

function shown(result: string): string {
  const [word = '', ...check] = result.split(' ')
  if (word === 'accepted') return word
  return [`\`${word}\``, ...check.map((name) => `(\`${name}\`)`)].join(' ')
}
