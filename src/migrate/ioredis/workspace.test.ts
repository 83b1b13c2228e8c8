/** Packages of one project that import each other by name, before anything is built or installed. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrateIoredis } from './migrate.ts'

const ENTRIES = ['src/index.ts', 'src/index.js', 'index.ts', 'lib/index.js']
const folderOf = (entry: string): string => entry.replace(/\W/g, '-')
let cwd = ''

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'coatcheck-codemod-'))
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(cwd, path)), { recursive: true })
    writeFileSync(join(cwd, path), text)
  }
  write('package.json', '{ "workspaces": ["packages/*"] }')
  for (const entry of ENTRIES) {
    const folder = folderOf(entry)
    write(`packages/${folder}/package.json`, `{ "name": "@x/${folder}" }`)
    write(`packages/${folder}/${entry}`, "import Redis from 'ioredis'\n\nexport const client = new Redis()\n")
    write(
      `apps/${folder}.ts`,
      `import { client } from '@x/${folder}'\n\nexport const all = (key: string) => client.hgetall(key)\n`,
    )
  }
  await migrateIoredis({ cwd, paths: [], target: 6, mode: 'write' })
})

afterAll(() => rmSync(cwd, { recursive: true, force: true }))

test.each(ENTRIES)('finds the client of a package without "main" whose entry is %s', (entry) => {
  const text = readFileSync(join(cwd, `apps/${folderOf(entry)}.ts`), 'utf8')
  expect(text).toContain("command<Record<string, string>>(client, 'hgetall', key)")
})
