/** Optional chains and optional calls: the rewritten code calls as often as before, or a mark asks a person. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrateIoredis } from './migrate.ts'

const PREAMBLE = 'declare const redis: Redis | undefined\ndeclare const sure: Redis\n'
const MARK = '// coatcheck-codemod-error optional-chain: '
/** Code before → code after. A mark stands for the comment above code that stays. */
const CASES: readonly (readonly [before: string, after: string])[] = [
  ["redis?.get('x')", "redis?.get('x')"],
  ["redis?.getdel('x')", "redis?.getDel('x')"],
  ["redis?.['hget']('h', 'f')", "redis?.['hGet']('h', 'f')"],
  ["sure.getdel?.('x')", "sure.getDel?.('x')"],
  ["redis?.getdel?.('x')", "redis?.getDel?.('x')"],
  ["redis?.hget('h', 'f').then(String)", "redis?.hGet('h', 'f').then(String)"],
  ["redis?.del('a', 'b')", "redis?.del(['a', 'b'])"],
  ["redis?.zcount('z', 0, 9)", "(redis == null ? undefined : command<number>(redis, 'zcount', 'z', 0, 9))"],
  ['redis?.quit()', '(redis == null ? undefined : quitRedis(redis))'],
  ["sure.zcount?.('z', 0, 9)", MARK],
  ["redis?.zcount?.('z', 0, 9)", MARK],
  ["redis?.hgetall('h').then(Object.keys)", MARK],
  ['sure.quit?.()', MARK],
  ["redis?.pipeline().get('a').exec()", MARK],
]
let cwd = ''
let lines: readonly string[] = []

beforeAll(async () => {
  cwd = mkdtempSync(join(tmpdir(), 'coatcheck-codemod-'))
  writeFileSync(join(cwd, 'package.json'), '{}')
  writeFileSync(join(cwd, 'tsconfig.json'), JSON.stringify({ compilerOptions: { strict: true } }))
  const calls = CASES.map(([before], at) => `export const call${at} = () => ${before}\n`)
  writeFileSync(join(cwd, 'use.ts'), `import type { Redis } from 'ioredis'\n${PREAMBLE}${calls.join('')}`)
  await migrateIoredis({ cwd, paths: [], target: 6, mode: 'write' })
  lines = readFileSync(join(cwd, 'use.ts'), 'utf8').split('\n')
})

afterAll(() => rmSync(cwd, { recursive: true, force: true }))

test.each(CASES.map(([before, after], at) => ({ before, after, at })))('$before', ({ before, after, at }) => {
  const start = `export const call${at} = () => `
  const line = lines.findIndex((text) => text.startsWith(start))
  const comment = lines[line - 1] ?? ''
  if (after === MARK) expect([comment.slice(0, MARK.length), lines[line]]).toEqual([MARK, start + before])
  else expect([comment.startsWith('//'), lines[line]]).toEqual([false, start + after])
})

test('a second run changes nothing', async () => {
  const { files } = await migrateIoredis({ cwd, paths: [], target: 6, mode: 'dry-run' })
  for (const { path, before, after } of files) expect(after, path).toBe(before)
})
