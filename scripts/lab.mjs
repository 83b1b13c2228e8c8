/**
 * `npm run lab`: all faults of test/lab/faults.ts in their long form, one file after the other, and docs/faults.md with the worst that
 * was observed. `npm run lab -- F6 F12` runs the files of these faults again, and the page with what the last run saw of the others.
 *
 * A whole run also includes every file with limits on elapsed time (test/lab/limits.ts): only the lab checks those.
 *
 * What was observed is kept in test-results/lab until the next whole run. A file with a test that failed has observed nothing, and
 * while something is missing the page stays as it is.
 */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { createJiti } from 'jiti'
import { format, resolveConfig } from 'prettier'

const root = resolve(import.meta.dirname, '..')
const page = join(root, 'docs/faults.md')
const results = join(root, 'test-results/lab')
const [kept, running, outcome] = ['observed.jsonl', 'running.jsonl', 'outcome.json'].map((name) => join(results, name))
const REPORTERS = ['--reporter=default', '--reporter=json', `--outputFile.json=${outcome}`]
const load = createJiti(import.meta.url)
const { faultList } = await load.import('../test/lab/faults.ts')
const { faultsPage, unobserved } = await load.import('../test/lab/page.ts')

const wanted = process.argv.slice(2)
const unknown = wanted.filter((id) => !faultList.some((fault) => fault.id === id || id in fault.tests))
if (unknown.length > 0) {
  process.stderr.write(
    `unknown: ${unknown.join(', ')}. Known: F1 to F${faultList.length}, and the tests of each: F6.hung\n`,
  )
  process.exit(2)
}
const isChosen = (fault, test) => wanted.length === 0 || wanted.includes(fault) || wanted.includes(test)
const tests = faultList.flatMap((fault) => Object.entries(fault.tests).filter(([test]) => isChosen(fault.id, test)))
// The files with limits on elapsed time are checked too, though the page quotes only some of them.
const timed = wanted.length === 0 ? filesWithLimits() : []
const files = [...new Set([...tests.map(([, file]) => file), ...timed])]

mkdirSync(results, { recursive: true })
const started = performance.now()
const began = new Date().toISOString()
const before =
  wanted.length > 0 && existsSync(kept) ? linesOf(kept).filter(({ id }) => !files.includes(fileOf(id))) : []
writeFileSync(running, '')
const code = await run('vitest', 'run', '--no-file-parallelism', ...REPORTERS, ...files)
const failed = code === 0 ? [] : filesThatFailed()
const seen = linesOf(running)
  .filter(({ id }) => !failed.includes(fileOf(id)))
  .map((one) => ({ ...one, run: began }))
for (const { id, worst } of seen) process.stdout.write(`${id}: ${worst}\n`)
const observations = [...before, ...seen]
writeFileSync(kept, observations.map((one) => `${JSON.stringify(one)}\n`).join(''))
const missing = unobserved(observations)
if (missing.length > 0) {
  process.stderr.write(`lab: the page is not written before these have passed: npm run lab -- ${missing.join(' ')}\n`)
} else if (code === 0) await writePage()
process.exitCode = code !== 0 || missing.length > 0 ? 1 : 0

async function writePage() {
  const server = process.env.REDIS_SERVER_BIN ?? 'redis-server'
  const text = faultsPage(observations, {
    date: new Date().toISOString().slice(0, 10),
    node: process.versions.node,
    redis: /v=([\d.]+)/.exec(execFileSync(server, ['--version'], { encoding: 'utf8' }))?.[1],
    cores: availableParallelism(),
  })
  writeFileSync(page, await format(text, { ...(await resolveConfig(page)), filepath: page }))
  process.stdout.write(
    `lab: docs/faults.md is written, after ${Math.round((performance.now() - started) / 60_000)} minutes\n`,
  )
}

/** Also those that could not be loaded. */
function filesThatFailed() {
  const { testResults } = JSON.parse(readFileSync(outcome, 'utf8'))
  return testResults.filter(({ status }) => status !== 'passed').map(({ name }) => relative(root, name))
}

function filesWithLimits() {
  const names = readdirSync(join(root, 'test'), { recursive: true }).map((name) => join('test', name))
  return names.filter(
    (name) => name.endsWith('.test.ts') && /from '[^']*\/limits\.ts'/.test(readFileSync(join(root, name), 'utf8')),
  )
}

function fileOf(id) {
  return faultList.flatMap(({ tests }) => Object.entries(tests)).find(([name]) => name === id)?.[1]
}

function linesOf(file) {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

function run(tool, ...args) {
  return new Promise((done) => {
    const env = { ...process.env, COATCHECK_LAB_REPORT: running }
    const child = spawn(join(root, 'node_modules/.bin', tool), args, { cwd: root, stdio: 'inherit', env })
    child.on('error', () => done(1))
    child.on('close', (code) => done(code ?? 1))
  })
}
