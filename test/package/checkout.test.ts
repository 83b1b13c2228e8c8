/**
 * The commands of the README that install Coatcheck from a checkout, run as they stand there. Two things differ: the clone comes
 * from this repository, and `npm ci` takes the packages that are installed here already.
 */
import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { blocksOf, root } from '../docs/blocks.ts'

const run = promisify(execFile)
const place = mkdtempSync(join(tmpdir(), 'coatcheck-checkout-'))
const application = join(place, 'my-app')

beforeAll(() => {
  const bin = join(place, 'bin')
  mkdirSync(bin)
  mkdirSync(application)
  writeFileSync(join(application, 'package.json'), JSON.stringify({ name: 'my-app', private: true, type: 'module' }))
  shim(bin, 'git', `if [ "$1" = clone ]; then exec "$GIT" clone --quiet "${root}" coatcheck; fi; exec "$GIT" "$@"`)
  const install = '"$NPM" install --no-audit --no-fund --prefer-offline --ignore-scripts --loglevel=error "$@"'
  const cases = `ci) exec ln -s "${root}/node_modules" node_modules;; install) shift; exec ${install};; *) exec "$NPM" "$@";;`
  shim(bin, 'npm', `case $1 in ${cases} esac`)
})
afterAll(() => rmSync(place, { recursive: true, force: true }))

it('installs a package that works', async () => {
  const block = blocksOf('README.md').find(({ code }) => code.startsWith('git clone'))
  expect(block?.code).toContain('npm pack')
  const where = async (name: string) => (await run('sh', ['-c', `command -v ${name}`])).stdout.trim()
  const env = {
    PATH: `${join(place, 'bin')}:${process.env.PATH ?? ''}`,
    HOME: process.env.HOME,
    GIT: await where('git'),
    NPM: await where('npm'),
  }
  await run('sh', ['-e', '-c', block?.code ?? ''], { cwd: place, env })
  const script = `
    import { coatcheck } from 'coatcheck'
    import { expressAuth } from 'coatcheck/express'
    import 'express'
    import 'oidc-provider'
    const auth = coatcheck()
    expressAuth(auth)
    await auth.ready()
    await auth.close()
    console.log('works')`
  const options = { cwd: application, env: { PATH: process.env.PATH, COATCHECK_LOG: 'silent' } }
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], options)
  expect(stdout).toContain('works')
  const { stdout: version } = await run('npx', ['coatcheck', '--version'], options)
  expect(version).toMatch(/^\d+\.\d+\.\d+/)
}, 300_000)

function shim(folder: string, name: string, line: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${line}\n`)
  chmodSync(join(folder, name), 0o755)
}
