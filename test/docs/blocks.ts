/**
 * Collects the fenced blocks of the pages that users and contributors read. A comment directly above a block says how the
 * block is run when its language does not say it already; `ways.ts` reads that note.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const root: string = resolve(import.meta.dirname, '../..')

export interface Block {
  /** From the root of the repository: `docs/redis.md`. */
  readonly page: string
  /** Of the opening fence, from 1. */
  readonly line: number
  /** First word behind the fence, in lower case; empty without one. */
  readonly language: string
  /** Second word behind the fence: the file that the block is. */
  readonly file: string | null
  readonly code: string
  /** What the comment above says: `<!-- with: application -->` is `['with', 'application']`. */
  readonly note: readonly [kind: string, text: string] | null
}

const PAGES =
  /^(?:README|CONTRIBUTING|SECURITY|ARCHITECTURE|CHANGELOG)\.md$|^docs\/.*\.md$|^examples\/[^/]+\/README\.md$/
/** Written from the docstrings: its examples are those of src/, which the compiler and the tests of src/ know. */
const GENERATED = /^docs\/api\//

export function pagesWithBlocks(): readonly string[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], { cwd: root, encoding: 'utf8' })
  return listed.split('\n').filter((page) => PAGES.test(page) && !GENERATED.test(page))
}

export function blocksOf(page: string): readonly Block[] {
  return blocksIn(page, readFileSync(join(root, page), 'utf8'))
}

/** @throws {Error} when a fence is never closed: everything below it would be taken for code */
function blocksIn(page: string, text: string): readonly Block[] {
  const lines = text.split('\n')
  const blocks: Block[] = []
  for (let at = 0; at < lines.length; at++) {
    const [, indent = '', fence, info = ''] = /^( *)(`{3,}|~{3,})([^`]*)$/.exec(lines[at] ?? '') ?? []
    if (fence === undefined) continue
    const end = lines.findIndex((line, index) => index > at && line.trim() === fence)
    if (end < 0) throw new Error(`${page}:${at + 1}: the block is not closed`)
    const [language = '', file = null] = info.trim().split(/\s+/)
    const code = lines.slice(at + 1, end).map((line) => line.slice(line.startsWith(indent) ? indent.length : 0))
    blocks.push({
      page,
      line: at + 1,
      language: language.toLowerCase(),
      file,
      code: `${code.join('\n')}\n`,
      note: noteAbove(lines, at),
    })
    at = end
  }
  return blocks
}

function noteAbove(lines: readonly string[], fenceAt: number): Block['note'] {
  const above = lines.slice(0, fenceAt).findLast((line) => line.trim() !== '')
  const [, kind, text] = /^\s*<!-- ([a-z -]+): (.+) -->$/.exec(above ?? '') ?? []
  return kind === undefined || text === undefined ? null : [kind, text]
}

/** `docs/redis.md:80`, as editors open it. */
export function placeOf({ page, line }: Block): string {
  return `${page}:${line}`
}
