/** Runs ESLint with the configuration in docs/sessions.md. `blocks.test.ts` compiles and starts the program of that page. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ESLint } from 'eslint'
import { expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
// Within the package, so that its name leads to itself.
const folder = join(root, 'test-results/sessions-page')

it('the two rules report the missing await and the async callback in the lines that the page marks', async () => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const [file, code] of blocks()) writeFileSync(join(folder, file), code)
  const compilerOptions = { module: 'NodeNext', target: 'ES2023', strict: true, skipLibCheck: true, types: [] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['slips.ts'] }))
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
  const eslint = new ESLint({ cwd: folder, overrideConfigFile: 'eslint.config.js' })
  const [result] = await eslint.lintFiles(['slips.ts'])
  const found = result?.messages.map(({ line, ruleId }) => `${line} ${ruleId}`)
  expect(found?.sort()).toEqual([
    '4 @typescript-eslint/no-floating-promises',
    '6 @typescript-eslint/no-floating-promises',
    '6 @typescript-eslint/no-misused-promises',
  ])
}, 300_000)

function blocks(): [string, string][] {
  const text = readFileSync(join(root, 'docs/sessions.md'), 'utf8')
  return [...text.matchAll(/^```[jt]s (eslint\.config\.js|slips\.ts)\n([\s\S]*?)^```$/gm)].map(
    ([, file = '', code = '']) => [file, code],
  )
}
