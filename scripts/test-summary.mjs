/**
 * Vitest reporter of `npm test`. After the output of Vitest it prints the programs installed for the run, the versions under test,
 * the time of each group of files, and the command that repeats each failed file.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
/** `scripts/bootstrap.sh` writes one line for each installation. */
const installed = join(root, 'node_modules/.cache/coatcheck/installed')

export default class TestSummary {
  onTestRunEnd(modules, unhandledErrors) {
    const lines = ['', installation(), versions(), '', ...table(modules), ...skips(modules), ...failures(modules)]
    if (unhandledErrors.length > 0) lines.push(`Unhandled errors: ${unhandledErrors.length}. Their stacks are above.`)
    process.stdout.write(`${lines.join('\n')}\n`)
  }
}

/** Reading it empties it: the next run reports only what it installed itself. */
function installation() {
  if (!existsSync(installed)) return 'Installed for this run: nothing.'
  const what = readFileSync(installed, 'utf8').trim().split('\n').join(', ')
  rmSync(installed)
  return `Installed for this run: ${what}.`
}

function versions() {
  const require = createRequire(import.meta.url)
  const clients = ['redis4', 'redis5', 'redis'].map((name) => require(`${name}/package.json`).version).join(', ')
  const server = process.env.REDIS_SERVER_BIN ?? 'redis-server'
  const [, number = 'unknown'] = /v=([\d.]+)/.exec(outputOf(server, '--version')) ?? []
  return `Ran on: Node ${process.versions.node}, ${server.split('/').at(-1)} ${number}, redis (client) ${clients}.`
}

function outputOf(command, ...args) {
  try {
    return execFileSync(command, args, { encoding: 'utf8' })
  } catch {
    return ''
  }
}

function table(modules) {
  const groups = new Map()
  for (const module of modules) {
    const name = groupOf(fileOf(module))
    const group = groups.get(name) ?? { files: 0, tests: 0, failed: 0, skipped: 0, ms: 0 }
    groups.set(name, group)
    group.files++
    group.ms += module.diagnostic().duration
    for (const test of module.children.allTests()) {
      group.tests++
      const { state } = test.result()
      if (state === 'failed') group.failed++
      if (state === 'skipped') group.skipped++
    }
  }
  const rows = [...groups].sort(([, a], [, b]) => b.ms - a.ms)
  const width = Math.max(5, ...rows.map(([name]) => name.length))
  const heading = `${'Group'.padEnd(width)}  files  tests  failed  skipped  seconds (sum over files, two run at once)`
  return [
    heading,
    ...rows.map(([name, { files, tests, failed, skipped, ms }]) =>
      [
        name.padEnd(width),
        String(files).padStart(5),
        String(tests).padStart(5),
        String(failed).padStart(6),
        String(skipped).padStart(7),
        (ms / 1000).toFixed(1).padStart(7),
      ].join('  '),
    ),
  ]
}

/** Each skipped test with the reason that it gave. A filter (`-t`) also skips, without a reason: those are not listed. */
function skips(modules) {
  const skipped = modules.flatMap((module) =>
    [...module.children.allTests('skipped')].flatMap((test) => {
      const { note } = test.result()
      return note === undefined ? [] : [`  ${fileOf(module)} > ${test.fullName}: ${note}`]
    }),
  )
  return skipped.length === 0 ? [] : ['', 'Skipped:', ...skipped]
}

/** Files that could not be loaded have no failed test, and count too. */
function failures(modules) {
  const failed = modules.filter((module) => !module.ok())
  if (failed.length === 0) return []
  return ['', 'Failed. To repeat:', ...failed.map((module) => `  npm test -- ${fileOf(module)}`)]
}

function fileOf({ moduleId }) {
  return relative(root, moduleId)
}

/** Units stand beside their sources: `src/token`. The others by folder: `test/cli`. */
function groupOf(file) {
  return file
    .split('/')
    .slice(0, 2)
    .join('/')
    .replace(/\/[^/]+\.test\.ts$/, '')
}
