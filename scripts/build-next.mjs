/**
 * Builds `examples/next` with `next build`, in an environment without settings: a build needs neither secrets nor a network.
 * Skipped when neither the example nor `dist/` has changed since.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const example = join(root, 'examples/next')
const stamp = join(example, '.next/coatcheck-build')
const made = new Set(['.next', 'node_modules', 'next-env.d.ts', 'README.md'])

const inputs = fingerprint()
if (existsSync(stamp) && readFileSync(stamp, 'utf8') === inputs) process.exit(0)

const bin = createRequire(join(example, 'package.json')).resolve('next/dist/bin/next')
const { PATH, HOME } = process.env
const started = performance.now()
const { status, stdout, stderr } = spawnSync(process.execPath, [bin, 'build'], {
  cwd: example,
  encoding: 'utf8',
  env: { PATH, HOME, NEXT_TELEMETRY_DISABLED: '1' },
})
if (status !== 0) {
  console.error(stdout + stderr)
  process.exit(1)
}
writeFileSync(stamp, inputs)
console.log(`build: examples/next in ${((performance.now() - started) / 1000).toFixed(1)} s`)

function fingerprint() {
  const hash = createHash('sha256')
  const own = readdirSync(example).filter((name) => !made.has(name) && !name.startsWith('.env'))
  for (const file of [...own.flatMap((name) => filesOf(join(example, name))), ...filesOf(join(root, 'dist'))]) {
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
