/** Files that the codemod does not change: it names those that use ioredis, and the package keeps what they need. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrateIoredis } from './migrate.ts'
import type { MigrationReport } from './report.ts'

const AUGMENTED =
  "import type { Redis } from 'ioredis'\n\ndeclare global {\n  interface Locals {\n    redis: Redis\n  }\n  var other: import('ioredis').Redis\n}\n"
const DECLARATION =
  "declare module 'cache' {\n  import type { Redis } from 'ioredis'\n  export const shared: Redis\n}\n"
const MANIFEST = (more: object): string => JSON.stringify({ dependencies: { ioredis: '^5.4.0' }, ...more }, null, 2)
let cwd = ''
let report: MigrationReport

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'coatcheck-codemod-'))
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(cwd, path)), { recursive: true })
    writeFileSync(join(cwd, path), text)
  }
  for (const folder of ['augmented', 'plain', 'typed', 'mapped', 'old'])
    write(`${folder}/src/redis.ts`, "import Redis from 'ioredis'\n\nexport const redis = new Redis()\n")
  write('plain/package.json', MANIFEST({}))
  write('typed/package.json', MANIFEST({}))
  write('augmented/package.json', MANIFEST({}))
  write('augmented/@types/locals.d.ts', AUGMENTED)
  write(
    'augmented/src/use.ts',
    'export const all = (locals: Locals) => locals.redis.hgetall(`a`)\nexport const other = () => globalThis.other.hlen(`b`)\n',
  )
  write('typed/types/global.d.ts', DECLARATION)
  write('mapped/package.json', MANIFEST({ jest: { moduleNameMapper: { '^ioredis$': 'ioredis-mock' } } }))
  write('mapped/jest.e2e.json', JSON.stringify({ projects: [{ moduleNameMapper: { 'ioredis(.*)': './fake.js' } }] }))
  write('plain/build/lib/redis.js', "const Redis = require('ioredis')\nmodule.exports = new Redis()\n")
  write('plain/build/lib/other.js', "require('ioredis')\n")
  write('plain/out/other.js', "require('redis')\n")
  write('plain/node_modules/queue/index.js', "require('ioredis')\n")
  write('old/package.json', MANIFEST({}).replace('"^5.4.0"', '"^5.4.0",\n    "redis": "^4.7.0"'))
  write('typed/vendor/cache.ts', "import Redis from 'ioredis'\n\nexport const redis = new Redis()\n")
  report = await migrateIoredis({ cwd, paths: [], target: 6, mode: 'write' })
})

afterAll(() => rmSync(cwd, { recursive: true, force: true }))

test('a folder of built files is read if the paths name it', async () => {
  const { files } = await migrateIoredis({ cwd, paths: ['.', 'typed/vendor'], target: 6, mode: 'dry-run' })
  expect(files.map(({ path }) => path)).toContain('typed/vendor/cache.ts')
  expect(files.map(({ path }) => path)).not.toContain('plain/build/lib/redis.js')
})

test('a package keeps ioredis while a declaration file names it', () => {
  expect(readFileSync(join(cwd, 'plain/package.json'), 'utf8')).not.toContain('"ioredis"')
  expect(readFileSync(join(cwd, 'typed/package.json'), 'utf8')).toContain('"ioredis"')
  expect(readFileSync(join(cwd, 'typed/types/global.d.ts'), 'utf8')).toBe(DECLARATION)
})

test('a declaration file of people gets the types of the generated file, and says what the calls mean', async () => {
  expect(readFileSync(join(cwd, 'augmented/@types/locals.d.ts'), 'utf8')).toBe(
    AUGMENTED.replace("from 'ioredis'", "from '../src/redis-from-ioredis'").replace(
      "import('ioredis')",
      "import('../src/redis-from-ioredis')",
    ),
  )
  const text = readFileSync(join(cwd, 'augmented/src/use.ts'), 'utf8')
  expect(text).toContain("command<Record<string, string>>(locals.redis, 'hgetall', `a`)")
  expect(text).toContain('globalThis.other.hLen(`b`)')
  expect(readFileSync(join(cwd, 'augmented/package.json'), 'utf8')).not.toContain('"ioredis"')
  const { files } = await migrateIoredis({ cwd: join(cwd, 'augmented'), paths: [], target: 6, mode: 'dry-run' })
  for (const { path, before, after } of files) expect(after, path).toBe(before)
})

test('the notes name the declaration file, the package.json that maps ioredis for tests, and the one with an older redis', () => {
  expect(report.notes).toEqual([
    'The codemod does not read these files, and they name ioredis: typed/types/global.d.ts, mapped/jest.e2e.json, mapped/package.json.',
    'The codemod does not read folders with these names, and 3 of their files name ioredis: plain/build, typed/vendor. Built files need a new build. To rewrite files that people write, add the folder to the paths: coatcheck migrate ioredis . plain/build typed/vendor',
    'old/package.json asks for redis ^4.7.0, and the migrated code needs redis 6. The run left the version alone, because other code of the package may need the old one. Change that code and the version.',
  ])
  expect(readFileSync(join(cwd, 'old/package.json'), 'utf8')).toContain('"redis": "^4.7.0"')
})
