/**
 * Builds `dist/` from `src/` with the TypeScript compiler, and nothing else.
 *
 * The compiler writes into a folder of its own, which takes the place of `dist/` only when everything has compiled: a build
 * that fails leaves the last good one alone, nothing stale survives, and whoever imports from `dist/` meanwhile finds it
 * whole. A build of unchanged sources is skipped; `--force` builds all the same.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const dist = join(root, 'dist')
const compiler = join(root, 'node_modules/typescript/bin/tsc')
const stamp = join(root, 'node_modules/.cache/coatcheck/build')
// Beside `dist/`, so that the relative paths in source maps are right and a rename stays on one file system.
const fresh = join(root, `.dist-${process.pid}`)
const retired = join(root, `.dist-${process.pid}-old`)

const inputs = fingerprintOfInputs()
if (!process.argv.includes('--force') && readStamp() === `${inputs} ${fingerprintOfOutputs()}`) process.exit(0)
process.exit(build())

function build() {
  const started = performance.now()
  try {
    const tsc = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', fresh], {
      cwd: root,
      stdio: 'inherit',
    })
    if (tsc.status !== 0) return tsc.status ?? 1
    replaceDist()
  } finally {
    for (const folder of [fresh, retired]) rmSync(folder, { recursive: true, force: true })
  }
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, `${inputs} ${fingerprintOfOutputs()}`)
  console.log(`build: ${filesOf(dist).length} files in ${((performance.now() - started) / 1000).toFixed(1)} s`)
  return 0
}

/** Two renames. Should another build have put its `dist/` in between, ours takes its place too. */
function replaceDist() {
  for (let attempt = 1; ; attempt++) {
    try {
      rmSync(retired, { recursive: true, force: true })
      renameIfThere(dist, retired)
      renameSync(fresh, dist)
      return
    } catch (error) {
      if (attempt === 5 || !['ENOTEMPTY', 'EEXIST'].includes(error.code)) throw error
    }
  }
}

function renameIfThere(from, to) {
  try {
    renameSync(from, to)
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
}

function fingerprintOfInputs() {
  const hash = createHash('sha256')
  const settings = ['tsconfig.base.json', 'tsconfig.build.json', 'package.json', 'package-lock.json'].map((f) =>
    join(root, f),
  )
  for (const file of [...filesOf(join(root, 'src')), ...settings])
    hash.update(`${file}\0`).update(readFileSync(file)).update('\0')
  return hash.digest('hex')
}

function fingerprintOfOutputs() {
  const hash = createHash('sha256')
  for (const file of filesOf(dist)) {
    const { size, mtimeMs } = statSync(file)
    hash.update(`${file} ${size} ${mtimeMs}\n`)
  }
  return hash.digest('hex')
}

function filesOf(folder) {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
}

function readStamp() {
  try {
    return readFileSync(stamp, 'utf8')
  } catch {
    return null
  }
}
