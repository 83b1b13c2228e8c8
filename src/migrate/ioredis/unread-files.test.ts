/** Files that the codemod does not change: it names those that use ioredis, and the package keeps what they need. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrateIoredis } from './migrate.ts'
import type { MigrationReport } from './report.ts'

const DECLARATION = "import type { Redis } from 'ioredis'\n\ndeclare global {\n  var shared: Redis\n}\n"
const MANIFEST = (more: object): string => JSON.stringify({ dependencies: { ioredis: '^5.4.0' }, ...more }, null, 2)
let cwd = ''
let report: MigrationReport

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'coatcheck-codemod-'))
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(cwd, path)), { recursive: true })
    writeFileSync(join(cwd, path), text)
  }
  for (const folder of ['plain', 'typed', 'mapped'])
    write(`${folder}/src/redis.ts`, "import Redis from 'ioredis'\n\nexport const redis = new Redis()\n")
  write('plain/package.json', MANIFEST({}))
  write('typed/package.json', MANIFEST({}))
  write('typed/types/global.d.ts', DECLARATION)
  write('mapped/package.json', MANIFEST({ jest: { moduleNameMapper: { '^ioredis$': 'ioredis-mock' } } }))
  report = await migrateIoredis({ cwd, paths: [], target: 6, mode: 'write' })
})

afterAll(() => rmSync(cwd, { recursive: true, force: true }))

test('a package keeps ioredis while a declaration file names it', () => {
  expect(readFileSync(join(cwd, 'plain/package.json'), 'utf8')).not.toContain('"ioredis"')
  expect(readFileSync(join(cwd, 'typed/package.json'), 'utf8')).toContain('"ioredis"')
  expect(readFileSync(join(cwd, 'typed/types/global.d.ts'), 'utf8')).toBe(DECLARATION)
})

test('the notes name the declaration file, and the package.json that maps ioredis for tests', () => {
  expect(report.notes).toEqual([
    'The codemod does not read these files, and they name ioredis: typed/types/global.d.ts, mapped/package.json.',
  ])
})
