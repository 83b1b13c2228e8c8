/**
 * Every `npm install` line of the pages, run by npm as it stands in an application whose folder lies beside a packed checkout.
 * The packages come from the registry. So a package that does not exist fails here, and so does a peer range that excludes it.
 */
import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { installLines } from '../docs/install-lines.ts'
import { newProject, outsideOfNpm, pack, placeWithoutPackages } from './packing.ts'

const run = promisify(execFile)
const place = mkdtempSync(join(placeWithoutPackages(), 'coatcheck-install-'))
const lines = installLines()
/** One application for each page, as its reader has one. */
const applicationOf = (page: string): string => join(place, page.replace(/\W+/g, '-').toLowerCase())

beforeAll(async () => {
  const checkout = join(place, 'coatcheck')
  mkdirSync(checkout)
  const { tarball } = await pack(checkout)
  for (const page of lines.keys()) {
    // A page about an extra takes it for granted that Coatcheck itself is installed.
    const application = newProject(applicationOf(page), { dependencies: { coatcheck: `file:${tarball}` } })
    copyFileSync(tarball, join(application, 'coatcheck-0.1.0.tgz'))
  }
}, 300_000)
afterAll(() => rmSync(place, { recursive: true, force: true }))

describe.each([...lines])('%s', (page, commands) => {
  it.each(commands)('%s', async (line) => {
    const cwd = applicationOf(page)
    await run('sh', ['-e', '-c', line], { cwd, env: outsideOfNpm() })
    const names = namesIn(line)
    expect(names.filter((name) => !existsSync(join(cwd, 'node_modules', name)))).toEqual([])
    const manifest = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8')) as Record<string, object | undefined>
    const kind = line.includes('--save-dev') ? 'devDependencies' : 'dependencies'
    expect(Object.keys(manifest[kind] ?? {})).toEqual(expect.arrayContaining([...names]))
    const script = `for (const name of ${JSON.stringify(names)}) await import(name)`
    await run(process.execPath, ['--input-type=module', '-e', script], { cwd })
  })
})

/** `redis@^4.7.0` is `redis`, and a tarball of ours is `coatcheck`. */
function namesIn(line: string): readonly string[] {
  const words = line.split(/\s+/).slice(2)
  const names = words.filter((word) => !word.startsWith('-')).map((word) => word.replace(/(?<=.)@.*$/, ''))
  return names.map((name) => (/coatcheck-[\d.]+\.tgz$/.test(name) ? 'coatcheck' : name))
}
