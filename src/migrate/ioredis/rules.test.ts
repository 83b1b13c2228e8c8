/** Each example of each rule, run through the codemod. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrateIoredis } from './migrate.ts'
import type { Example } from './rule.ts'
import { rules } from './rules.ts'

const PREAMBLE = `import { Redis } from 'ioredis'
declare const redis: Redis
declare const cluster: import('ioredis').Cluster
declare const key: string
declare const value: string
`

const cases = rules.flatMap(({ name, examples }) =>
  examples.map((example, at) => ({
    title: `${name} ${at + 1}`,
    path: `${name}-${at + 1}/${example.file ?? 'example.ts'}`,
    example,
  })),
)
const results = new Map<string, string>()
let cwd = ''

/** An example that imports something else still needs the client. */
function isWhole({ before }: Example): boolean {
  return /from 'ioredis|require\('ioredis/.test(before)
}

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'coatcheck-codemod-'))
  writeFileSync(join(cwd, 'tsconfig.json'), JSON.stringify({ compilerOptions: { strict: true } }))
  for (const { path, example } of cases) {
    mkdirSync(dirname(join(cwd, path)))
    // Each example is a package, so that each has its own generated file.
    writeFileSync(join(cwd, dirname(path), 'package.json'), '{}')
    writeFileSync(join(cwd, dirname(path), 'tsconfig.json'), JSON.stringify({ compilerOptions: { strict: true } }))
    writeFileSync(join(cwd, path), isWhole(example) ? example.before : `${PREAMBLE}${example.before}\n`)
  }
  await migrateIoredis({ cwd, paths: [], target: 6, mode: 'write' })
  for (const { path } of cases) results.set(path, readFileSync(join(cwd, path), 'utf8'))
})

afterAll(() => rmSync(cwd, { recursive: true, force: true }))

test.each(cases)('$title', ({ path, example }) => {
  const result = results.get(path) ?? ''
  if (isWhole(example)) expect(result).toBe(example.after)
  else
    expect(result.slice(result.indexOf('declare const value: string\n') + 'declare const value: string\n'.length)).toBe(
      `${example.after}\n`,
    )
})

test('a second run changes nothing', async () => {
  const { files } = await migrateIoredis({ cwd, paths: [], target: 6, mode: 'dry-run' })
  for (const { path, before, after } of files) expect(after, path).toBe(before)
})
