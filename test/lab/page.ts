/** The text of docs/faults.md: the table of faults, with what a run has observed. Pure, so that a test can hold the page against it. */
import { faultList } from './faults.ts'

export interface Observation {
  readonly id: string
  readonly worst: string
  /** Of the run that saw it: when it began. */
  readonly run: string
}

export interface Machine {
  readonly date: string
  readonly node: string
  readonly redis: string
  readonly cores: number
}

/** The page is in the package, and the tests are not. */
export const SOURCE = 'https://github.com/coatcheck/coatcheck/blob/main/'

const HEADING = `# Faults

What goes wrong with Redis, networks, providers and processes, what is promised for each, and the worst that was seen. \`npm run lab\` makes
all of it happen to real servers and processes, and writes this page; \`npm test\` runs the same tests with fewer repetitions. A test ends on
the first broken promise, so what stands here was kept. The ids are those of \`test/lab/faults.ts\`, which says where each test is.

*Deadline*: 250 ms for a read, 1 s for a change, unless [configured](redis.md#deadlines-and-why-they-are-ours). *Durable*: with
[\`durability\`](redis.md#sign-outs-that-survive-a-failover). The longest waits include what the machine did besides.`

export function faultsPage(observations: readonly Observation[], machine: Machine): string {
  const { date, node, redis, cores } = machine
  const rows = faultList.map(({ id, fault, promise, tests }) => {
    const seen = Object.entries(tests).map(([test, file]) => {
      const worst = observations.filter((one) => one.id === test).map((one) => one.worst)
      return `\`${test}\` ${worst.join('; ')} ([test](${SOURCE}${file}))`
    })
    return `| ${id} | ${fault} | ${promise} | ${seen.join('<br>')} |`
  })
  const runs = new Set(observations.map(({ run }) => run)).size
  const from = runs === 1 ? 'one run' : `put together from ${runs} runs: what failed or was missing was run again`
  const when = `${date} · ${from} · Node ${node} · Redis ${redis} · ${cores} cores, shared with the servers`
  return [
    HEADING,
    when,
    `| Fault | What happens | What is promised | Worst observed |\n| --- | --- | --- | --- |\n${rows.join('\n')}`,
    '',
  ].join('\n\n')
}

/** Ids of which the run has said nothing. */
export function unobserved(observations: readonly Observation[]): string[] {
  const seen = new Set(observations.map(({ id }) => id))
  return faultList.flatMap(({ tests }) => Object.keys(tests)).filter((id) => !seen.has(id))
}
