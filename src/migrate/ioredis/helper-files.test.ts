/** The codemod never overwrites a file of the project that has the name of its generated file. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { format } from 'prettier'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { migrateIoredis } from './migrate.ts'
import type { MigrationReport } from './report.ts'

const FOREIGN = 'export const own = 1\n'
const USE = {
  ts: "import Redis from 'ioredis'\n\nexport const redis = new Redis()\n",
  js: "const Redis = require('ioredis')\n\nexports.redis = new Redis()\n",
}
let cwd = ''

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'coatcheck-codemod-'))
  write('package.json', '{}')
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

const read = (path: string): string => readFileSync(join(cwd, path), 'utf8')
const run = (mode: 'write' | 'dry-run' = 'write'): Promise<MigrationReport> =>
  migrateIoredis({ cwd, paths: [], target: 6, mode })

function write(path: string, text: string): void {
  mkdirSync(dirname(join(cwd, path)), { recursive: true })
  writeFileSync(join(cwd, path), text)
}

async function expectNothingToChange(): Promise<void> {
  for (const { path, before, after } of (await run('dry-run')).files) expect(after, path).toBe(before)
}

test.each([
  [
    'src/redis-from-ioredis.ts',
    'src/client.ts',
    USE.ts,
    'src/redis-from-ioredis-2.ts',
    "from './redis-from-ioredis-2'",
  ],
  ['redis-from-ioredis.cjs', 'client.js', USE.js, 'redis-from-ioredis-2.cjs', "require('./redis-from-ioredis-2.cjs')"],
  // An import without an extension, or with `.js`, could find either of the two.
  [
    'src/redis-from-ioredis.js',
    'src/client.ts',
    USE.ts,
    'src/redis-from-ioredis-2.ts',
    "from './redis-from-ioredis-2'",
  ],
])('keeps %s of the project, and chooses another name', async (foreign, client, use, generated, specifier) => {
  write(foreign, FOREIGN)
  write(client, use)
  const report = await run()
  expect(read(foreign)).toBe(FOREIGN)
  expect(report.helperFiles).toEqual([generated])
  expect(read(generated)).toContain('function createRedis(')
  expect(read(client)).toContain(specifier)
  expect(report.notes).toEqual([
    `The project has a file redis-from-ioredis of its own, so the helpers are in ${generated}. Where a mark names redis-from-ioredis, it means this file.`,
  ])
  await expectNothingToChange()
})

test('a later run extends the file with the other name', async () => {
  write('src/redis-from-ioredis.ts', FOREIGN)
  write('src/client.ts', USE.ts)
  await run()
  write('src/more.ts', `${USE.ts}export const all = (key: string) => redis.hgetall(key)\n`)
  expect((await run()).helperFiles).toEqual(['src/redis-from-ioredis-2.ts'])
  expect(read('src/redis-from-ioredis.ts')).toBe(FOREIGN)
  expect(read('src/redis-from-ioredis-2.ts')).toContain('function command<')
  await expectNothingToChange()
})

test('a license above the generated text makes no second file', async () => {
  write('client.ts', USE.ts)
  await run()
  write('redis-from-ioredis.ts', `/*\n * Copyright of the project.\n */\n${read('redis-from-ioredis.ts')}`)
  await expectNothingToChange()
  write('more.ts', `${USE.ts}export const all = (key: string) => redis.hgetall(key)\n`)
  expect((await run()).helperFiles).toEqual(['redis-from-ioredis.ts'])
  expect(read('redis-from-ioredis.ts')).toMatch(/^\/\*\n \* Copyright of the project\.\n \*\/\n\/\/ Generated/)
  expect(existsSync(join(cwd, 'redis-from-ioredis-2.ts'))).toBe(false)
  expect(existsSync(join(cwd, 'redis-from-ioredis.ts.orig'))).toBe(false)
  await expectNothingToChange()
})

describe('a later run that needs more helpers', () => {
  const MORE = `${USE.ts}export const all = (key: string) => redis.hgetall(key)\n`
  const EDIT = 'export const edited = true\n'
  beforeEach(async () => {
    write('client.ts', USE.ts)
    await run()
  })

  test('keeps the text that a person changed beside the new one, and says so', async () => {
    write('redis-from-ioredis.ts', read('redis-from-ioredis.ts') + EDIT)
    const edited = read('redis-from-ioredis.ts')
    write('redis-from-ioredis.ts.orig', FOREIGN)
    write('more.ts', MORE)
    const report = await run()
    expect(read('redis-from-ioredis.ts')).toContain('function command<')
    expect(read('redis-from-ioredis.ts')).not.toContain(EDIT)
    expect(read('redis-from-ioredis.ts.orig')).toBe(FOREIGN)
    expect(read('redis-from-ioredis.ts.orig-2')).toBe(edited)
    expect(report.helperFiles).toEqual(['redis-from-ioredis.ts'])
    expect(report.notes).toEqual([
      'redis-from-ioredis.ts differs from what this codemod generates, and this run writes it anew with more helpers. The former text is in redis-from-ioredis.ts.orig-2. Copy your changes to the new file, then delete the old one.',
    ])
    await expectNothingToChange()
  })

  test('writes over a text that only a formatter changed', async () => {
    const formatted = await format(read('redis-from-ioredis.ts'), {
      parser: 'typescript',
      semi: false,
      singleQuote: false,
      trailingComma: 'none',
      arrowParens: 'avoid',
      printWidth: 60,
      useTabs: true,
    })
    expect(formatted).not.toBe(read('redis-from-ioredis.ts'))
    write('redis-from-ioredis.ts', formatted)
    write('more.ts', MORE)
    const report = await run()
    expect(read('redis-from-ioredis.ts')).toContain('function command<')
    expect(existsSync(join(cwd, 'redis-from-ioredis.ts.orig'))).toBe(false)
    expect(report.notes).toEqual([])
  })

  test('knows its own text of the other major version of redis', async () => {
    await migrateIoredis({ cwd, paths: [], target: 5, mode: 'write' })
    write('more.ts', MORE)
    await migrateIoredis({ cwd, paths: [], target: 5, mode: 'write' })
    expect(existsSync(join(cwd, 'redis-from-ioredis.ts.orig'))).toBe(false)
  })
})
