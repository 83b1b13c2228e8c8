/**
 * Builds the applications for Next with `next build`, in an environment without settings: a build needs neither secrets nor a
 * network. `node build-next.mjs [example] [next15] [next16]`; without a name all of them: `examples/next`, and the scenario application of the
 * tests on both versions of Next. What has not changed since, `dist/` included, is skipped.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const scenarios = join(root, 'test/hosts/next-app')
const made = new Set(['.next', 'node_modules', 'next-env.d.ts', 'README.md'])

const targets = {
  example: { source: join(root, 'examples/next'), dir: join(root, 'examples/next') },
  next15: { source: scenarios, dir: join(root, 'test/hosts/next15/.app'), before: copyFor15 },
  next16: { source: scenarios, dir: join(root, 'test/hosts/next16/.app'), before: copy },
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(targets)
for (const name of names) {
  if (!Object.hasOwn(targets, name)) {
    console.error(`unknown application: ${name}. Known: ${Object.keys(targets).join(', ')}`)
    process.exit(2)
  }
  build(name, targets[name])
}

function build(name, { source, dir, before }) {
  const stamp = join(dir, '.next/coatcheck-build')
  const inputs = fingerprint(source)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === inputs) return
  before?.(source, dir)
  const bin = createRequire(join(dir, 'package.json')).resolve('next/dist/bin/next')
  const { PATH, HOME } = process.env
  const started = performance.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, 'build'], {
    cwd: dir,
    encoding: 'utf8',
    env: { PATH, HOME, NEXT_TELEMETRY_DISABLED: '1', SCENARIO_ROOT: root },
  })
  if (status !== 0) {
    console.error(stdout + stderr)
    process.exit(1)
  }
  writeFileSync(stamp, inputs)
  console.log(`build: ${name} for Next in ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

/** Into the folder of a host, whose own version of Next is then found. */
function copy(source, dir) {
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir)
  cpSync(source, dir, { recursive: true })
}

/** Next 15 knows `proxy.js` by its old name, and runs that in the edge runtime unless told otherwise. */
function copyFor15(source, dir) {
  copy(source, dir)
  renameSync(join(dir, 'proxy.js'), join(dir, 'proxy-of-16.js'))
}

function fingerprint(source) {
  const hash = createHash('sha256')
  const own = readdirSync(source).filter((name) => !made.has(name) && !name.startsWith('.env'))
  for (const file of [...own.flatMap((name) => filesOf(join(source, name))), ...filesOf(join(root, 'dist'))]) {
    hash.update(`${file}\0`).update(readFileSync(file)).update('\0')
  }
  return hash.digest('hex')
}

function filesOf(path) {
  try {
    const entries = readdirSync(path, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
  } catch (error) {
    if (error.code === 'ENOTDIR') return [path]
    throw error
  }
}
