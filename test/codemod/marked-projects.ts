/** Small projects in which each place that the codemod has to mark is named, and nothing else may carry a mark. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrateIoredis } from '../../src/migrate/ioredis/migrate.ts'

export interface MarkedProject {
  readonly title: string
  /**
   * Path → text. `// mark <code>` stands where a mark has to be; the rest of the file must stay as it is. Files of the type `.use.ts` only make
   * the project whole.
   */
  readonly files: Readonly<Record<string, string>>
}

const withoutMarks = (text: string): string => text.replace(/^ *\/\/ mark .*\n/gm, '')

/** Declares a test of each project, and one that runs the codemod on all of them again. */
export function testMarks(projects: readonly MarkedProject[]): void {
  const results = new Map<string, string>()
  let cwd = ''
  const pathOf = (at: number, name: string): string => join(cwd, `case-${at}`, name)

  beforeAll(async () => {
    cwd = mkdtempSync(join(tmpdir(), 'coatcheck-codemod-'))
    for (const [at, { files }] of projects.entries()) {
      for (const [name, text] of Object.entries({ 'package.json': '{}', ...files })) {
        mkdirSync(dirname(pathOf(at, name)), { recursive: true })
        writeFileSync(pathOf(at, name), withoutMarks(text))
      }
      await migrateIoredis({ cwd: dirname(pathOf(at, 'x')), paths: [], target: 6, mode: 'write' })
      for (const name of Object.keys(files)) results.set(`${at} ${name}`, readFileSync(pathOf(at, name), 'utf8'))
    }
  })

  afterAll(() => rmSync(cwd, { recursive: true, force: true }))

  test.each(projects.map((one, at) => ({ ...one, at })))('$title', ({ at, files }) => {
    for (const [name, text] of Object.entries(files)) {
      if (name.includes('.use.')) continue
      const result = results.get(`${at} ${name}`) ?? ''
      const found = result.split('\n').map((line) => line.replace(/coatcheck-codemod-error ([\w-]+): .*/, 'mark $1'))
      expect(found.join('\n'), name).toBe(text)
    }
  })

  test('a second run changes nothing', async () => {
    for (const at of projects.keys()) {
      const { files } = await migrateIoredis({ cwd: join(cwd, `case-${at}`), paths: [], target: 6, mode: 'dry-run' })
      for (const { path, before, after } of files) expect(after, path).toBe(before)
    }
  })
}
