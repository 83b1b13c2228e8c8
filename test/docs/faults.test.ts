/** docs/faults.md is the table of test/lab/faults.ts: thirty faults, every test, and a figure for each. */
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { faultList } from '../lab/faults.ts'
import { faultsPage, SOURCE, unobserved } from '../lab/page.ts'

const page = readFileSync('docs/faults.md', 'utf8')
const rows = new Map(
  page
    .split('\n')
    .filter((line) => /^\| F\d+ /.test(line))
    .map((line) => [/^\| (F\d+) /.exec(line)?.[1] ?? '', line] as const),
)

test('the thirty faults, in order', () => {
  const ids = Array.from({ length: 30 }, (_, i) => `F${i + 1}`)
  expect(faultList.map(({ id }) => id)).toEqual(ids)
  expect([...rows.keys()]).toEqual(ids)
})

test.each(faultList)('$id: fault, promise, and every test with what it observed', ({ id, fault, promise, tests }) => {
  const row = rows.get(id) ?? ''
  expect(row).toContain(fault)
  expect(row).toContain(promise)
  for (const [name, file] of Object.entries(tests)) {
    expect(name.startsWith(`${id}.`)).toBe(true)
    const cell = row.split(`\`${name}\` `)[1] ?? ''
    expect(cell.split(` ([test](${SOURCE}${file}))`)[0], `${name} has no figure: npm run lab`).toMatch(/\d/)
    expect(existsSync(file)).toBe(true)
  }
})

test('no test that is not in the table, and none that does not say what it observed', () => {
  const ids = faultList.flatMap(({ tests }) => Object.entries(tests))
  for (const [id, file] of ids) {
    const [fault = '', name = ''] = id.split('.')
    const source = readFileSync(file, 'utf8')
    // Literally, or by the parts of a table of tests.
    const isNamed =
      source.includes(`'${id}'`) || (source.includes(`observed(\``) && source.includes(fault) && source.includes(name))
    expect(isNamed, `${file} does not observe ${id}`).toBe(true)
  }
})

test('a run says of which tests it knows nothing, and everything else stands in the page', () => {
  const ids = faultList.flatMap(({ tests }) => Object.keys(tests))
  expect(unobserved([])).toEqual(ids)
  const [first = '', ...others] = ids
  const observations = others.map((id) => ({ id, worst: `worst of ${id}`, run: 'a' }))
  expect(unobserved(observations)).toEqual([first])
  const twice = [...observations, { id: first, worst: 'once', run: 'a' }, { id: first, worst: 'and again', run: 'a' }]
  expect(unobserved(twice)).toEqual([])
  const machine = { date: '2026-01-01', node: '20', redis: '7', cores: 2 }
  const text = faultsPage(twice, machine)
  expect(text).toContain(`\`${first}\` once; and again ([test](`)
  for (const { worst } of observations) expect(text).toContain(worst)
  expect(text).toContain('one run')
  const later = twice.map((one) => (one.id === first ? { ...one, run: 'b' } : one))
  expect(faultsPage(later, machine)).toContain('put together from 2 runs')
})
