/**
 * `npm run lab`: all faults of test/lab/faults.ts in their long form, one file after the other, and docs/faults.md with the worst that
 * was observed. `npm run lab -- F6 F12` runs the files of these faults and prints what they observed, without writing the page.
 */
import { spawn, execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createJiti } from 'jiti'
import { format, resolveConfig } from 'prettier'

const root = resolve(import.meta.dirname, '..')
const page = join(root, 'docs/faults.md')
const load = createJiti(import.meta.url)
const { faultList } = await load.import('../test/lab/faults.ts')
const { faultsPage, unobserved } = await load.import('../test/lab/page.ts')

const wanted = process.argv.slice(2)
const unknown = wanted.filter((id) => !faultList.some((fault) => fault.id === id))
if (unknown.length > 0) {
  process.stderr.write(`unknown: ${unknown.join(', ')}. Known: F1 to F${faultList.length}\n`)
  process.exit(2)
}
const chosen = wanted.length > 0 ? faultList.filter(({ id }) => wanted.includes(id)) : faultList
const files = [...new Set(chosen.flatMap(({ tests }) => Object.values(tests)))]

const folder = mkdtempSync(join(tmpdir(), 'coatcheck-lab-'))
const report = join(folder, 'observed.jsonl')
writeFileSync(report, '')
try {
  const started = performance.now()
  const code = await run('vitest', 'run', '--no-file-parallelism', ...files)
  const observations = readFileSync(report, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  if (wanted.length > 0) for (const { id, worst } of observations) process.stdout.write(`${id}: ${worst}\n`)
  const missing = wanted.length > 0 ? [] : unobserved(observations)
  if (missing.length > 0) process.stderr.write(`lab: nothing was observed for ${missing.join(', ')}\n`)
  if (code !== 0 || missing.length > 0) process.exitCode = 1
  else if (wanted.length === 0) {
    const redis = /v=([\d.]+)/.exec(
      execFileSync(process.env.REDIS_SERVER_BIN ?? 'redis-server', ['--version'], { encoding: 'utf8' }),
    )?.[1]
    const text = faultsPage(observations, {
      date: new Date().toISOString().slice(0, 10),
      node: process.versions.node,
      redis,
      cores: availableParallelism(),
      seconds: (performance.now() - started) / 1000,
    })
    writeFileSync(page, await format(text, { ...(await resolveConfig(page)), filepath: page }))
    process.stdout.write('lab: docs/faults.md is written\n')
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function run(tool, ...args) {
  return new Promise((done) => {
    const env = { ...process.env, COATCHECK_LAB_REPORT: report }
    const child = spawn(join(root, 'node_modules/.bin', tool), args, { cwd: root, stdio: 'inherit', env })
    child.on('error', () => done(1))
    child.on('close', (code) => done(code ?? 1))
  })
}
