/** `coatcheck migrate ioredis` (docs/cli.md): diff, write, check, report and what it says when there is nothing to do. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type CommandFolder, commandFolder } from '../support/command-line.ts'

const CODE = `import Redis from 'ioredis'

export const redis = new Redis()
export const find = async (id: string) => redis.hget('users', id)
`
const SOMETIMES_A_CLIENT = `const read = (from: any) => from.get('a')
read(redis)
read(new Map())
`
const MOVED = `import { createRedis } from './redis-from-ioredis'

export const redis = createRedis()
export const find = async (id: string) => redis.hGet('users', id)
`

let at: CommandFolder
const read = (file: string): string => readFileSync(join(at.path, file), 'utf8')
beforeEach(() => {
  at = commandFolder()
  at.write('tsconfig.json', '{ "compilerOptions": { "strict": true } }')
})
afterEach(() => at.remove())

test('shows a diff and changes nothing without --write', async () => {
  at.write('users.ts', CODE)
  const { code, stdout, stderr } = await at.run(['migrate', 'ioredis'])
  expect(code).toBe(0)
  expect(stdout).toContain("-import Redis from 'ioredis'\n+import { createRedis } from './redis-from-ioredis'\n")
  expect(stdout).toMatch(/\nall\t1\t2\t1\t0\t0\n/)
  expect(stderr).toContain('Would change 2 files. Add --write to do it.')
  expect(read('users.ts')).toBe(CODE)
  expect(existsSync(join(at.path, 'redis-from-ioredis.ts'))).toBe(false)
})

test('writes the files and a report; then --check has nothing to say', async () => {
  at.write('users.ts', CODE)
  expect(await at.run(['migrate', 'ioredis', '--check'])).toMatchObject({ code: 1 })
  expect(await at.run(['migrate', 'ioredis', '--write', '--report', 'report.md'])).toMatchObject({ code: 0 })
  expect(read('users.ts')).toBe(MOVED)
  expect(read('redis-from-ioredis.ts')).toContain('export function createRedis(')
  expect(read('report.md')).toContain('| all | 1 | 2 / 1 | 0 |')
  expect(await at.run(['migrate', 'ioredis', '--check'])).toMatchObject({ code: 0, stdout: 'Nothing to change.\n' })
})

test('--check fails until a person has dealt with a mark', async () => {
  at.write('users.ts', `${CODE}${SOMETIMES_A_CLIENT}`)
  const written = await at.run(['migrate', 'ioredis', '--write', '--json'])
  expect(JSON.parse(written.stdout)).toMatchObject({
    command: 'migrate ioredis',
    mode: 'write',
    target: 6,
    marksLeft: 2,
  })
  const text = read('users.ts')
  expect(text).toContain('\n// coatcheck-codemod-error untyped-client: ')
  const left = await at.run(['migrate', 'ioredis', '--check'])
  expect(left).toMatchObject({ code: 1 })
  expect(left.stdout).toContain('2 marks for a person to resolve')
  at.write(
    'users.ts',
    text.replaceAll(/coatcheck-codemod-error [\w-]+: .*/g, 'coatcheck-codemod-ignore only maps get here'),
  )
  expect(await at.run(['migrate', 'ioredis', '--check'])).toMatchObject({ code: 0 })
})

test('says why nothing changes', async () => {
  expect((await at.run(['migrate', 'ioredis'])).stderr).toContain('No TypeScript or JavaScript file was found.')
  at.write('users.ts', 'export {}\n')
  expect((await at.run(['migrate', 'ioredis'])).stderr).toContain('No import of ioredis was found in 1 files.')
  at.write('users.ts', CODE)
  const excluded = await at.run(['migrate', 'ioredis', '--exclude', 'users.ts'])
  expect(excluded.stderr).toContain('--include, --exclude or the paths leave no file.')
  expect((await at.run(['migrate', 'ioredis', 'src'])).stderr).toContain('The path src does not exist.')
})

test('refuses two modes at once', async () => {
  expect(await at.run(['migrate', 'ioredis', '--write', '--check'])).toMatchObject({ code: 2 })
})
