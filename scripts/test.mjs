/**
 * `npm test`: builds, then runs all tests. `npm test -- src/token` runs some of them; every other argument goes to Vitest.
 * `npm test -- --node 24` runs them on another major of Node, from the package `node` of the registry (120 MB, kept in npm's cache).
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { delimiter, dirname, join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const args = process.argv.slice(2)
const at = args.indexOf('--node')
const major = at < 0 ? null : args.splice(at, 2)[1]
if (major !== null && !/^\d{2}$/.test(major ?? '')) {
  process.stderr.write('test: --node wants a major version of Node, e.g. --node 24\n')
  process.exit(2)
}

const node = major === null ? process.execPath : nodeOf(major)
// Tests start programs by the name `node`: these are then of the same version.
const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` }

// Tests build the applications for Next that they need (scripts/build-next.mjs), while other tests run.
run('scripts/build.mjs')
run('node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=./scripts/test-summary.mjs', ...args)

function run(script, ...rest) {
  const { status, signal } = spawnSync(node, [join(root, script), ...rest], { cwd: root, env, stdio: 'inherit' })
  if (status !== 0) process.exit(signal ? 1 : status)
}

function nodeOf(version) {
  const found = execFileSync('npx', ['-y', '-p', `node@${version}`, '--', 'node', '-p', 'process.execPath'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim()
  process.stdout.write(`test: on ${execFileSync(found, ['--version'], { encoding: 'utf8' }).trim()}\n`)
  return found
}
