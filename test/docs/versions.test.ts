/** The table of versions in the README names what the tests run on, and nothing else. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { DOCS_URL } from '../../src/core/links.ts'

const require = createRequire(import.meta.url)
const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const cellOf = (row: string): string => {
  const line = read('README.md')
    .split('\n')
    .find((text) => text.startsWith(`| ${row} `))
  return line?.split('|')[3]?.trim() ?? ''
}

test('the majors of Node are those that a command runs the tests on', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const others = Object.keys(scripts).flatMap((name) => /^test:node(\d+)$/.exec(name)?.[1] ?? [])
  expect(cellOf('Node').match(/\d+/g)).toEqual(['20', ...others])
})

test('the versions of the client are those that are installed', () => {
  const installed = ['redis4', 'redis5', 'redis'].map(
    (name) => (require(`${name}/package.json`) as { version: string }).version,
  )
  expect(cellOf('Client (`redis`)').match(/[\d.]+\d/g)).toEqual(installed)
})

test('the address of the pages is that of the repository', () => {
  const { repository } = JSON.parse(read('package.json')) as { repository: { url: string } }
  expect(DOCS_URL.startsWith(repository.url.replace(/^git\+|\.git$/g, ''))).toBe(true)
})
