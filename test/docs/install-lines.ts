/** The `npm install` lines that pages tell their readers to type: in blocks, and in the text as code. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { blocksOf, pagesWithBlocks, root } from './blocks.ts'

/** Pages for contributors, and decisions that were once made: they quote commands, and tell no user to type them. */
const OF_THE_PROJECT = /^(?:CONTRIBUTING|CHANGELOG|ARCHITECTURE)\.md$|^docs\/decisions\//
const INSTALL = /^npm (?:install|i) \S/

/**
 * A line that a page repeats stands with the first of its pages. Blocks that have a test of their own are not among them.
 *
 * @returns the lines of each page, in their order and without comments
 */
export function installLines(): ReadonlyMap<string, readonly string[]> {
  const seen = new Set<string>()
  const found = new Map<string, readonly string[]>()
  for (const page of pagesWithBlocks().filter((one) => !OF_THE_PROJECT.test(one))) {
    const lines = [...new Set([...inBlocks(page), ...inText(page)])].filter((line) => !seen.has(line))
    for (const line of lines) seen.add(line)
    if (lines.length > 0) found.set(page, lines)
  }
  return found
}

function inBlocks(page: string): readonly string[] {
  const blocks = blocksOf(page).filter(({ note }) => note?.[0] !== 'tested by')
  const lines = blocks.flatMap(({ code }) => code.split('\n'))
  return lines.map((line) => line.replace(/\s+#\s.*$/, '').trim()).filter((line) => INSTALL.test(line))
}

function inText(page: string): readonly string[] {
  const text = readFileSync(join(root, page), 'utf8').replace(/^ *(`{3,})[^\n]*\n[^]*?^ *\1`*$/gm, '')
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code).filter((code) => INSTALL.test(code))
}
