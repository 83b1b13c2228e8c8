/**
 * Every relative link of every page leads to a file that is there, and every anchor to a heading of it. The pages of the package
 * link to files of the package only; to everything else they link by its address.
 */
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

/** Inline and reference links, images, and the sources of docs/errors.md; what stands in `code` is none. */
function linksOf(file: string): readonly Link[] {
  const text = readFileSync(file, 'utf8')
    .replace(/^ *(`{3,})[^\n]*\n[^]*?^ *\1`*$/gm, (block) => block.replace(/[^\n]/g, ' '))
    .replace(/`[^`\n]*`/g, (code) => ' '.repeat(code.length))
  const found = [
    ...text.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)|^ *\[[^\]]+\]:\s*(\S+)|^\*\*Source\.\*\* (\S+)$/gm),
  ]
  return found.map((match) => ({
    target: match[1] ?? match[2] ?? match[3] ?? '',
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

const { files, repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly files: readonly string[]
  readonly repository: { readonly url: string }
}
/** Where a file of the repository that is in no package stands for its readers. */
const SOURCE = `${repository.url.replace(/^git\+|\.git$/g, '')}/blob/main/`
/** npm packs these whatever `files` says. */
const ALWAYS_PACKED = /^(?:README\.md|LICENSE|package\.json)$/

function isPacked(path: string): boolean {
  if (ALWAYS_PACKED.test(path)) return true
  return files.some((one) => path === one || path.startsWith(`${one}/`)) && !path.endsWith('.test.ts')
}

/** The hosts that pages may send their readers to. There is no network in this test: a new host is looked at by its author. */
const HOSTS = new Set([
  'entra.microsoft.com',
  'github.com',
  'learn.microsoft.com',
  'nextjs.org',
  'openid.net',
  'semver.org',
  'standardschema.dev',
  'typescript-eslint.io',
  'www.conventionalcommits.org',
  'www.rfc-editor.org',
])

/** Why an address is not one for readers, or `null`. Files of this repository are looked up in it. */
function addressProblem(target: string): string | null {
  if (!URL.canParse(target)) return 'no address'
  const url = new URL(target)
  if (url.protocol !== 'https:') return 'not https'
  if (!HOSTS.has(url.hostname)) return 'a host that HOSTS does not name'
  if (url.port !== '' || url.username !== '') return 'a port or a user'
  if (!target.startsWith(SOURCE)) return null
  return existsSync(join(root, target.slice(SOURCE.length).split('#')[0] ?? '')) ? null : 'no such file'
}

function problemsOf(page: string, problem: (link: Link) => string | null): readonly string[] {
  return linksOf(join(root, page)).flatMap((link) => {
    const found = problem(link)
    return found === null ? [] : [`${page}:${link.line} ${link.target}: ${found}`]
  })
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
    expect(problemsOf(page, (link) => problemOf(page, link))).toEqual([])
  })
})

describe('links of the package', () => {
  const packed = pages.filter(isPacked)

  it.each(packed.map((page) => [page]))('of %s lead to files that are packed', (page) => {
    const outside = problemsOf(page, ({ target }) => {
      if (/^(?:https?|mailto):/.test(target)) return null
      const [path = ''] = decodeURI(target).split('#')
      const file = path === '' ? page : relative(root, resolve(root, dirname(page), path))
      return isPacked(file) ? null : `not in the package: link to ${SOURCE}${file}`
    })
    expect(outside).toEqual([])
  })

  it('are links of the pages that users begin with', () => {
    expect(packed).toEqual(expect.arrayContaining(['README.md', 'SECURITY.md', 'CHANGELOG.md', 'docs/redis.md']))
    expect(packed).not.toContain('CONTRIBUTING.md')
  })
})

it('links that leave the repository are https addresses of known hosts', () => {
  const external = (page: string): readonly string[] =>
    problemsOf(page, ({ target }) => (/^(?:\w+:)?\/\//.test(target) ? addressProblem(target) : null))
  expect(pages.flatMap(external)).toEqual([])
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
