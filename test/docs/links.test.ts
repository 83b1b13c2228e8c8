/** Every relative link of every page leads to a file that is there, and every anchor to a heading of it. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { explanations } from '../../src/admin/explain/catalogue.ts'
import { anchorOf } from '../../src/admin/explain/sections.ts'

const root = resolve(import.meta.dirname, '../..')
const pages = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((page) => page !== '' && existsSync(join(root, page)))

const anchors = new Map<string, ReadonlySet<string>>()

/** Headings as GitHub names them: the second of a name gets `-1`. Blocks of code hold none. */
function anchorsOf(file: string): ReadonlySet<string> {
  const known = anchors.get(file)
  if (known) return known
  const found = new Set<string>()
  for (const [, title = ''] of proseOf(file).matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const base = anchorOf(title.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1'))
    let anchor = base
    for (let n = 1; found.has(anchor); n++) anchor = `${base}-${n}`
    found.add(anchor)
  }
  anchors.set(file, found)
  return found
}

function proseOf(file: string): string {
  return readFileSync(file, 'utf8').replace(/^ *(`{3,})[^\n]*\n[^]*?^ *\1`*$/gm, '')
}

interface Link {
  readonly target: string
  readonly line: number
}

/** Inline and reference links and images; what stands in `code` is none. */
function linksOf(file: string): readonly Link[] {
  const text = readFileSync(file, 'utf8')
    .replace(/^ *(`{3,})[^\n]*\n[^]*?^ *\1`*$/gm, (block) => block.replace(/[^\n]/g, ' '))
    .replace(/`[^`\n]*`/g, (code) => ' '.repeat(code.length))
  const found = [...text.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)|^ *\[[^\]]+\]:\s*(\S+)/gm)]
  return found.map((match) => ({
    target: match[1] ?? match[2] ?? '',
    line: text.slice(0, match.index).split('\n').length,
  }))
}

/** Why a link leads nowhere, or `null`. */
function problemOf(page: string, { target }: Link): string | null {
  if (/^(?:https?|mailto):/.test(target)) return null
  const [path = '', anchor] = decodeURI(target).split('#')
  const file = path === '' ? join(root, page) : resolve(root, dirname(page), path)
  if (relative(root, file).startsWith('..')) return 'leads out of the repository'
  if (!existsSync(file)) return 'no such file'
  if (anchor === undefined) return null
  if (!statSync(file).isFile() || !file.endsWith('.md')) return 'an anchor into something that is no page'
  return anchorsOf(file).has(anchor) ? null : 'no such heading'
}

function namedIn(text: string): readonly string[] {
  return [...text.matchAll(/(?<![\w/.])(docs\/[\w/-]+\.md)\b/g)].map(([, path = '']) => path)
}

it('there are pages, with links', () => {
  expect(pages).toContain('README.md')
  expect(pages.flatMap((page) => linksOf(join(root, page))).length).toBeGreaterThan(100)
})

describe('relative links', () => {
  it.each(pages.map((page) => [page]))('of %s', (page) => {
    const broken = linksOf(join(root, page)).flatMap((link) => {
      const problem = problemOf(page, link)
      return problem === null ? [] : [`${page}:${link.line} ${link.target}: ${problem}`]
    })
    expect(broken).toEqual([])
  })
})

describe('pages that are named without a link', () => {
  it.each(explanations.map(({ name, ...texts }) => [name, JSON.stringify(texts)] as const))(
    'in what is said of %s exist',
    (_, text) => {
      expect(namedIn(text).filter((path) => !existsSync(join(root, path)))).toEqual([])
    },
  )

  it.each(pages.map((page) => [page]))('of %s exist', (page) => {
    expect(namedIn(proseOf(join(root, page))).filter((path) => !existsSync(join(root, path)))).toEqual([])
  })
})
