/**
 * Builds the applications for Next with `next build`, in an environment without settings: a build needs neither secrets nor a
 * network. `node build-next.mjs [name...]`; without a name all of them: `examples/next`, the scenario application of the tests on
 * both versions of Next, and projects of `create-next-app`. An application whose inputs, `dist/` included, did not change since
 * its last build is skipped.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { makeNextProject, nextEnvironment } from './next-project.mjs'

const root = resolve(import.meta.dirname, '..')
const hosts = join(root, 'test/hosts')
const scenarios = join(hosts, 'next-app')
const made = new Set(['.next', 'node_modules', 'next-env.d.ts', 'README.md'])

const targets = {
  example: { inputs: [join(root, 'examples/next')], dir: join(root, 'examples/next') },
  next15: { inputs: [scenarios], dir: join(hosts, 'next15/.app'), before: copyFor15 },
  next16: { inputs: [scenarios], dir: join(hosts, 'next16/.app'), before: copy },
  // As create-next-app makes it: TypeScript, and with Next 16 Cache Components.
  // Next 15 runs ESLint in a build, and would find the configuration of this repository in a folder above.
  'created-next15': created('next15', 'created-next15', { flags: [], page: null }, ['--no-lint']),
  'created-next16': created('next16', 'created-next16', { flags: [], page: 'docs/next.md' }),
  'created-next16-js': created('next16', 'created-next16-js', {
    flags: ['--js', '--src-dir', '--no-tailwind', '--no-cache-components'],
    page: null,
  }),
}

function created(host, name, { flags, page }, options = []) {
  const inputs = [
    'scripts/next-project.mjs',
    'test/hosts/next-fonts.cjs',
    `test/hosts/${host}/package.json`,
    page ?? [],
  ]
  return {
    inputs: inputs.flat().map((path) => join(root, path)),
    dir: join(hosts, host, '.created', name),
    before: (dir) => makeNextProject(dir, { host, flags, page }),
    env: nextEnvironment(),
    options,
  }
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(targets)
for (const name of names) {
  if (!Object.hasOwn(targets, name)) {
    console.error(`unknown application: ${name}. Known: ${Object.keys(targets).join(', ')}`)
    process.exit(2)
  }
  const release = lock(join(root, 'node_modules/.cache/coatcheck', `next-${name}.lock`))
  try {
    build(name, targets[name])
  } finally {
    release()
  }
}

/** Waits while another process builds the same application: tests that need it run at the same time. A dead owner's lock is taken over. */
function lock(file) {
  mkdirSync(dirname(file), { recursive: true })
  for (;;) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      if (isAbandoned(file)) rmSync(file, { force: true })
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    }
  }
  const release = () => rmSync(file, { force: true })
  process.once('exit', release)
  return release
}

function build(name, { inputs, dir, before, env = nextEnvironment({ SCENARIO_ROOT: root }), options = [] }) {
  const stamp = join(dir, '.next/coatcheck-build')
  const state = fingerprint(inputs)
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return
  before?.(dir)
  const bin = createRequire(join(dir, 'package.json')).resolve('next/dist/bin/next')
  // Of the project itself: create-next-app 15 writes `next build --turbopack`.
  const script = readScript(dir) ?? 'next build'
  const started = performance.now()
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...script.split(' ').slice(1), ...options], {
    cwd: dir,
    encoding: 'utf8',
    env,
  })
  if (status !== 0) {
    console.error(stdout + stderr)
    process.exit(1)
  }
  // What Next said, for tests that look for warnings.
  writeFileSync(`${stamp}.log`, stdout + stderr)
  writeFileSync(stamp, state)
  console.log(`build: ${name} for Next in ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

/** Whether the process named in a lock file has ended. An empty file belongs to a process that has just made it. */
function isAbandoned(file) {
  try {
    const pid = Number(readFileSync(file, 'utf8'))
    return pid > 0 && !process.kill(pid, 0)
  } catch (error) {
    // ESRCH: no such process. ENOENT: the lock was released meanwhile, and the next attempt takes it.
    return error.code === 'ESRCH'
  }
}

function readScript(dir) {
  const manifest = join(dir, 'package.json')
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).scripts?.build : undefined
}

/** Into the folder of a host, whose own version of Next is then found. */
function copy(dir) {
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir)
  cpSync(scenarios, dir, { recursive: true })
}

/** Next 15 knows `proxy.js` by its old name, and runs that in the edge runtime unless told otherwise. */
function copyFor15(dir) {
  copy(dir)
  renameSync(join(dir, 'proxy.js'), join(dir, 'proxy-of-16.js'))
}

function fingerprint(inputs) {
  const hash = createHash('sha256')
  const own = inputs.flatMap((input) => filesOf(input, (name) => !made.has(name) && !name.startsWith('.env')))
  for (const file of [...own, ...filesOf(join(root, 'dist'))]) {
    hash.update(`${file}\0`).update(readFileSync(file)).update('\0')
  }
  return hash.digest('hex')
}

/** @param wanted by the name of an entry of the folder itself */
function filesOf(path, wanted = () => true) {
  if (statSync(path).isFile()) return [path]
  const entries = readdirSync(path).filter(wanted)
  return entries.flatMap((name) => filesOf(join(path, name))).sort()
}
