/**
 * `npm run bench -- session-read | session-cold | near-cache | token-read | stampede | http | admin-load | scale | migrate`: prints its tables and writes its section of bench/RESULTS.md.
 * `--rounds 15` and `--round-ms 300` change how long it takes; `--quick` makes `scale` small and writes nothing.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { execFileSync } from 'node:child_process'

const BENCHMARKS = {
  'session-read': () => import('./session-read.mjs'),
  'session-cold': () => import('./session-cold.mjs'),
  'near-cache': () => import('./near-cache.mjs'),
  'token-read': () => import('./token-read.mjs'),
  stampede: () => import('./stampede.mjs'),
  http: () => import('./http.mjs'),
  'admin-load': () => import('./admin-load.mjs'),
  scale: () => import('./scale.mjs'),
  migrate: () => import('./migrate.mjs'),
}
/** What a table shows of a row where a benchmark does not say. */
const COLUMNS = [
  ['operations/s', (row) => row.opsPerSecond.toLocaleString('en')],
  ['ratio to floor', (row) => row.ratio.toFixed(2)],
  ['client CPU µs/op', (row) => row.cpuMicros.toFixed(1)],
  ['Redis commands/op', (row) => row.commandsPerOperation],
]
const RESULTS = new URL('./RESULTS.md', import.meta.url)

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '15' },
    'round-ms': { type: 'string', default: '300' },
    quick: { type: 'boolean', default: false },
  },
})
const [name] = positionals
const load = BENCHMARKS[name]
if (!load) {
  process.stderr.write(`Which benchmark? npm run bench -- ${Object.keys(BENCHMARKS).join(' | ')}\n`)
  process.exit(2)
}

const { title, columns = COLUMNS, roundsOf = (rounds) => rounds, run } = await load()
const sections = await run({
  rounds: Number(values.rounds),
  roundMs: Number(values['round-ms']),
  quick: values.quick,
})
const text = render(title, sections)
process.stdout.write(text)
if (!values.quick) await writeSection(title, text)

function render(heading, parts) {
  const redis = /v=([\d.]+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8' }))?.[1]
  const lines = [
    `## ${heading}`,
    '',
    `${new Date().toISOString().slice(0, 10)} · Node ${process.versions.node} · Redis ${redis} · ${cpus().length} cores, shared with the server · ` +
      `medians of ${roundsOf(Number(values.rounds))} interleaved rounds${columns === COLUMNS || title === 'token-read' ? ` of ${values['round-ms']} ms` : ''}. Read the ratios, not the absolute figures.`,
    '',
  ]
  for (const { heading: part, rows, columns: own = columns } of parts) {
    lines.push(
      `### ${part}`,
      '',
      `| subject | ${own.map(([column]) => column).join(' | ')} |`,
      `| --- |${' ---: |'.repeat(own.length)}`,
    )
    for (const row of rows) lines.push(`| ${row.name} | ${own.map(([, cell]) => cell(row)).join(' | ')} |`)
    lines.push('')
  }
  return `${lines.join('\n')}\n`
}

/** Replaces the section of this benchmark and leaves the others as they are. */
async function writeSection(heading, text) {
  const intro =
    '# Benchmark results\n\nWritten by `npm run bench -- <name>`; each section is one run, beside the peers.\n\n'
  const old = await readFile(RESULTS, 'utf8').catch(() => intro)
  const [head, ...sections] = old.split(/^(?=## )/m)
  const others = sections.filter((section) => !section.startsWith(`## ${heading}\n`))
  await writeFile(RESULTS, `${[head, ...others, text].join('').trimEnd()}\n`)
}
