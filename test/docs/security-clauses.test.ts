/** Each clause of docs/security/clauses.md has its row, and each test that the page names is there. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const CLAUSES = 58
const root = resolve(import.meta.dirname, '../..')
const page = readFileSync(join(root, 'docs/security/clauses.md'), 'utf8')

interface Row {
  readonly number: number
  readonly tests: readonly { readonly file: string; readonly title: string }[]
}

const rows = page.split('\n').flatMap((line): Row[] => {
  const [, number = '', , , tests = ''] = line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'))
  if (!/^\d+$/.test(number)) return []
  const named = tests.split('<br>').map((text) => /^`([^`]+)`: (.+)$/.exec(text))
  return [
    { number: Number(number), tests: named.map((found) => ({ file: found?.[1] ?? '', title: found?.[2] ?? '' })) },
  ]
})

it('has one row for each clause, in order', () => {
  expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: CLAUSES }, (_, index) => index + 1))
})

describe.each(rows)('clause $number', ({ tests }) => {
  it('names a test', () => {
    expect(tests.length).toBeGreaterThan(0)
  })

  it.each(tests)('$file: $title', ({ file, title }) => {
    // Prettier escapes what Markdown would take for emphasis.
    expect(readFileSync(join(root, file), 'utf8')).toContain(title.replace(/\\([*_])/g, '$1'))
  })
})
