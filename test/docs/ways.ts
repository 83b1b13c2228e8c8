/**
 * Decides how each block of the documentation is run: by its note, by its page, or by its language, in that order.
 * A block that none of them covers has no way, and the test fails. CONTRIBUTING.md describes the notes.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Block, root } from './blocks.ts'

export type Way =
  /** A file of the page's project: compiled with the others. `started`: it listens and is asked. Else it is imported. */
  | { readonly kind: 'file'; readonly file: string; readonly run: 'started' | 'imported' | 'tested' | 'compiled' }
  /** TypeScript without a file name: compiled, and executed unless `types` was asked for. */
  | { readonly kind: 'fragment'; readonly context: string | null; readonly executed: boolean; readonly why?: string }
  /** `instead`: programs that stand in for those that the block names, and what their stand-in does not cover. */
  | { readonly kind: 'shell'; readonly whole: boolean; readonly besideDev: boolean; readonly instead?: string }
  /** What a command prints, or what a route answers. */
  | { readonly kind: 'output'; readonly of: string }
  | {
      readonly kind: 'parsed'
      readonly as: 'environment' | 'json' | 'yaml' | 'html' | 'promql' | 'redis'
    }
  | { readonly kind: 'tested'; readonly by: string }
  | { readonly kind: 'tree' }
  | { readonly kind: 'not run'; readonly why: string }

/** Pages and languages that a test of their own covers. */
const COVERED: readonly (readonly [page: string, language: RegExp, test: string])[] = [
  ['docs/errors.md', /^text$/, 'test/docs/error-page.test.ts'],
  ['docs/migrate-from-ioredis.md', /^diff$/, 'test/docs/ioredis-page.test.ts'],
  // Its modules load inside of a Next application only; its commands are those that make the application of the test.
  ['docs/next.md', /^(?:tsx?|sh)$/, 'test/e2e/created-next.test.ts'],
]

const SCRIPTS = new Set(['ts', 'tsx', 'js', 'jsx', 'mjs', 'typescript', 'javascript'])
const SHELLS = new Set(['sh', 'bash', 'shell'])
const PARSED: Readonly<Record<string, Extract<Way, { kind: 'parsed' }>['as']>> = {
  dotenv: 'environment',
  env: 'environment',
  json: 'json',
  jsonc: 'json',
  yaml: 'yaml',
  yml: 'yaml',
  html: 'html',
  promql: 'promql',
  redis: 'redis',
}
const PROGRAM = /^(?:app|server)\.[cm]?[jt]s$/

/** @returns the way, or a sentence that says what is missing */
export function wayOf(block: Block): Way | string {
  const { page, language, file, note } = block
  const covered = COVERED.find(([where, languages]) => where === page && languages.test(language))
  if (note !== null) return wayOfNote(block, ...note)
  if (covered) return testedBy(covered[2], page)
  if (SCRIPTS.has(language)) {
    if (file === null) return { kind: 'fragment', context: null, executed: true }
    return { kind: 'file', file, run: runOf(file, block.code) }
  }
  if (SHELLS.has(language)) return { kind: 'shell', whole: false, besideDev: false }
  const as = PARSED[language]
  if (as !== undefined) return { kind: 'parsed', as }
  return `nothing says how a block of ${language || 'no language'} is run: give it a language or a note (CONTRIBUTING.md)`
}

function wayOfNote({ page, file }: Block, kind: string, text: string): Way | string {
  const [first = '', ...others] = text.split('; ')
  const why = others.join('; ')
  switch (kind) {
    case 'with':
      return contextExists(first) ?? { kind: 'fragment', context: first, executed: true }
    case 'types':
      if (why.length < 10) return 'a block that is only compiled says why, behind a semicolon'
      if (file !== null) return { kind: 'file', file, run: 'compiled' }
      return first === 'alone'
        ? { kind: 'fragment', context: null, executed: false, why }
        : (contextExists(first) ?? { kind: 'fragment', context: first, executed: false, why })
    case 'run':
      if (text === 'script') return { kind: 'shell', whole: true, besideDev: false }
      if (text === 'beside coatcheck dev') return { kind: 'shell', whole: false, besideDev: true }
      return `there is no way "${text}" to run a block: script, or beside coatcheck dev`
    case 'stand-in':
      if (!existsSync(join(root, `test/docs/stand-ins/${first}.mjs`)))
        return `there is no test/docs/stand-ins/${first}.mjs`
      if (why.length < 10) return 'a block with a stand-in says what is not covered, behind a semicolon'
      return { kind: 'shell', whole: true, besideDev: false, instead: `${first}: ${why}` }
    case 'output of':
      return { kind: 'output', of: text }
    case 'tested by':
      return testedBy(text, page)
    case 'tree':
      return { kind: 'tree' }
    case 'not run':
      return text.length < 10 ? 'a block that is not run says why' : { kind: 'not run', why: text }
    default:
      return `there is no note "${kind}:"; there are with, types, run, stand-in, output of, tested by, tree and not run`
  }
}

/** Components need a build of their own: an import under Node would say nothing about them. */
function runOf(file: string, code: string): Extract<Way, { kind: 'file' }>['run'] {
  if (/\.test\.[cm]?[jt]s$/.test(file)) return 'tested'
  if (/\.[jt]sx$/.test(file)) return 'compiled'
  return PROGRAM.test(file) && /\b(?:listen|serve)\(/.test(code) ? 'started' : 'imported'
}

function contextExists(name: string): string | null {
  return existsSync(join(root, `test/docs/contexts/${name}.ts`)) ? null : `there is no test/docs/contexts/${name}.ts`
}

/** The named test must know the page, or the note would outlive what it says. */
function testedBy(test: string, page: string): Way | string {
  if (!existsSync(join(root, test))) return `there is no ${test}`
  const name = page.replace(/\.md$/, '').split('/').at(-1) ?? ''
  const known = [page, `'${name}'`, `${name}.md`, page.split('/').slice(0, 2).join('/')]
  const text = readFileSync(join(root, test), 'utf8')
  return known.some((one) => text.includes(one)) ? { kind: 'tested', by: test } : `${test} does not mention ${page}`
}

/** For the table at the end. */
export function describeWay(way: Way): string {
  switch (way.kind) {
    case 'file':
      return {
        started: 'compiled, started, asked',
        imported: 'compiled, imported',
        tested: 'compiled, run by node --test',
        compiled: 'compiled',
      }[way.run]
    case 'fragment': {
      const within = way.context === null ? '' : ` with ${way.context}`
      return way.executed ? `compiled and executed${within}` : `compiled${within}; not executed: ${way.why ?? ''}`
    }
    case 'shell':
      if (way.instead !== undefined) return `executed as one script with a stand-in for ${way.instead}`
      return way.whole ? 'executed as one script' : `each line executed${way.besideDev ? ' beside coatcheck dev' : ''}`
    case 'output':
      return `compared with the output of ${way.of}`
    case 'parsed':
      return PARSED_AS[way.as]
    case 'tested':
      return `run by ${way.by}`
    case 'tree':
      return 'every path exists'
    case 'not run':
      return `NOT RUN: ${way.why}`
  }
}

const PARSED_AS = {
  environment: 'parsed, then resolved as configuration',
  json: 'parsed',
  yaml: 'settings known, references followed; objects compiled by test/package/kubernetes.test.ts',
  html: 'its form is sent to a server',
  promql: 'checked by promtool',
  redis: 'sent to a redis-server',
}
