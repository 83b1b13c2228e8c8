/**
 * An old Node gets one clear line from every entry and from the command line. The tests simulate the version, and search the
 * sources for named imports that an old Node would refuse before it runs a line.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const LINE = 'coatcheck needs Node 20.19 or later, and this is Node 18.20.8. Install a newer Node: https://nodejs.org'
const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  exports: Record<string, Record<string, string>>
}
const entries = Object.values(exports).flatMap((target) => target['coatcheck-source'] ?? [])
const built = (source: string): string => source.replace('./src/', './dist/').replace(/\.ts$/, '.js')

/** `process.versions` is a property that can be defined anew. */
const pretending = (version: string): string =>
  `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`

function run(version: string, args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--import', pretending(version), ...args], { encoding: 'utf8' })
}

const importing = (files: readonly string[]): readonly string[] => [
  '--input-type=module',
  '--eval',
  `for (const file of ${JSON.stringify(files)})
     console.log(await import(file).then(() => 'loaded', (error) => error.message + '|' + error.stack))`,
]

it('every entry says it, and nothing else', () => {
  const files = entries.map((entry) => resolve(built(entry)))
  const { stdout } = run('18.20.8', importing(files))
  expect(stdout.trim().split('\n')).toEqual(files.map(() => `${LINE}|${LINE}`))
})

it.each([
  ['20.18.3', 1],
  ['20.19.0', 0],
  ['22.0.0', 0],
])('the command line on Node %s ends with %i', (version, status) => {
  const ended = run(version, ['dist/cli/bin.js', '--version'])
  expect(ended.status).toBe(status)
  expect(ended.stderr).toBe(status === 0 ? '' : `${LINE.replace('18.20.8', version)}\n`)
})

describe('sources', () => {
  it.each(entries)('%s looks at the version first', (entry) => {
    const [first] = readFileSync(entry, 'utf8').match(/^(?:import|export)\b.*$/m) ?? []
    expect(first && resolve(dirname(entry), /'(.+)'/.exec(first)?.[1] ?? '')).toBe(resolve('src/core/node-version.ts'))
  })

  it('no module outside of the command line imports by name what Node 18 does not have', () => {
    const files = (readdirSync('src', { recursive: true }) as string[])
      .filter((file) => file.endsWith('.ts') && !file.startsWith('cli/') && !file.endsWith('.test.ts'))
      .map((file) => `src/${file}`)
    const young = /import \{[^}]*\b(?:hash|styleText|parseEnv)\b[^}]*\} from 'node:(?:crypto|util)'/
    expect(files.length).toBeGreaterThan(200)
    expect(files.filter((file) => young.test(readFileSync(file, 'utf8')))).toEqual([])
  })
})
