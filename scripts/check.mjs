/**
 * `npm run check`: everything that can be said about the project without running it. One line per check with its time, the
 * whole output of those that fail, and a non-zero exit if any did. `npm run check -- lint layers` runs just those.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const packed = mkdtempSync(join(tmpdir(), 'coatcheck-pack-'))

/**
 * `run` gives the command when it is needed; `after` names checks that must have passed before. The slow ones stand first,
 * so that the short ones fill up what is left of the other core.
 */
const checks = [
  { name: 'build', run: () => node('scripts/build.mjs') },
  // The rules that know types read the declarations of the build, as the examples do.
  { name: 'lint', after: ['build'], run: () => tool('eslint', '.') },
  { name: 'types', run: () => tool('tsc', '--noEmit', '-p', 'tsconfig.json') },
  { name: 'format', run: () => tool('prettier', '--check', '--log-level', 'warn', '.') },
  { name: 'api', run: () => node('scripts/api.mjs', '--check') },
  { name: 'unused', run: () => tool('knip', '--no-progress') },
  { name: 'supply', run: () => node('scripts/supply-chain.mjs') },
  { name: 'layers', run: () => tool('depcruise', '--config', '.dependency-cruiser.cjs', 'src', 'test') },
  // As users compile it: against what was built, not against the sources.
  { name: 'examples', after: ['build'], run: () => tool('tsc', '-p', 'examples/express/tsconfig.json') },
  { name: 'next', after: ['build'], run: () => tool('tsc', '-p', 'examples/next/tsconfig.json') },
  { name: 'entries', after: ['build'], run: () => node('scripts/check-entries.mjs') },
  {
    name: 'pack',
    after: ['build'],
    run: () => ['npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', packed]],
  },
  { name: 'publint', after: ['pack'], run: () => tool('publint', 'run', '--strict', tarball()) },
  {
    name: 'attw',
    after: ['pack'],
    run: () => tool('attw', tarball(), '--profile', 'esm-only', '--format', 'table-flipped'),
  },
]

const wanted = withWhatTheyNeed(process.argv.slice(2))
const passed = new Map()
try {
  const started = performance.now()
  await runAll(checks.filter((check) => wanted.has(check.name)))
  const failures = [...passed].filter(([, ok]) => !ok).map(([name]) => name)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(
    failures.length > 0 ? `check failed in ${seconds} s: ${failures.join(', ')}` : `check passed in ${seconds} s`,
  )
  process.exitCode = failures.length > 0 ? 1 : 0
} finally {
  rmSync(packed, { recursive: true, force: true })
}

async function runAll(waiting) {
  const running = new Set()
  while (waiting.length > 0 || running.size > 0) {
    const next = waiting.find(({ after = [] }) => after.every((name) => passed.has(name)))
    if (next && running.size < availableParallelism()) {
      waiting = waiting.filter((check) => check !== next)
      const task = runOne(next).finally(() => running.delete(task))
      running.add(task)
    } else {
      await Promise.race(running)
    }
  }
}

async function runOne({ name, after = [], run }) {
  const lacking = after.filter((needed) => !passed.get(needed))
  if (lacking.length > 0) {
    passed.set(name, false)
    console.log(`FAIL  ${name.padEnd(8)} not run, because ${lacking.join(', ')} failed`)
    return
  }
  const started = performance.now()
  const { code, output } = await execute(...run())
  const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(5)
  passed.set(name, code === 0)
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'}  ${name.padEnd(8)} ${seconds} s`)
  // A check that passed may say what it could not look at.
  const shown = code === 0 ? output.split('\n').filter((line) => line.startsWith('note: ')) : [output.trimEnd()]
  for (const text of shown) console.log(text.replace(/^/gm, '      '))
}

function execute(command, args) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
    child.on('error', (error) => done({ code: 1, output: error.message }))
    child.on('close', (code, signal) =>
      done({ code: code ?? 1, output: signal ? `${output}\nended by ${signal}` : output }),
    )
  })
}

function withWhatTheyNeed(names) {
  const unknown = names.filter((name) => !checks.some((check) => check.name === name))
  if (unknown.length > 0) {
    console.error(`unknown check: ${unknown.join(', ')}. Known: ${checks.map((check) => check.name).join(', ')}`)
    process.exit(2)
  }
  const all = new Set(names.length > 0 ? names : checks.map((check) => check.name))
  for (const name of all) for (const needed of checks.find((c) => c.name === name).after ?? []) all.add(needed)
  return all
}

function node(script, ...args) {
  return [process.execPath, [script, ...args]]
}

function tool(name, ...args) {
  return [join(root, 'node_modules/.bin', name), args]
}

function tarball() {
  return join(
    packed,
    readdirSync(packed).find((file) => file.endsWith('.tgz')),
  )
}
