/** `coatcheck size`: computes the Redis size that a load needs. Sends no command; its figures are those of docs/sizing.md. */
import type { Command } from 'commander'
import { SIZING_DEFAULTS, type Sizing, sizeOf } from '../../entries/admin.ts'
import type { Cli } from '../cli.ts'
import { wholeNumber } from '../flag-values.ts'
import type { Column } from '../output.ts'

const MAX_NUMBER = 1e12
const MIB = 2 ** 20
const GIB = 2 ** 30

interface Flags {
  readonly sessions: number
  readonly sessionBytes: number
  readonly users?: number
  readonly reads?: number
  readonly writes?: number
  readonly resources: number
  readonly replicas: number
  readonly headroom: number
  readonly nodeGib: number
  readonly nearCacheProcesses: number
}

type Row = readonly [what: string, value: string]
const columns: readonly Column<Row>[] = [
  { title: 'WHAT', value: ([what]) => what },
  { title: 'VALUE', value: ([, value]) => value, align: 'right' },
]

export function size(cli: Cli): Command {
  const numbers = wholeNumber(0, MAX_NUMBER)
  return cli
    .command<Flags>(
      'size',
      'work out memory, nodes and operations for a number of sessions',
      [
        ['coatcheck size --sessions 1000000', 'a million people signed in, 512 B of data each'],
        [
          'coatcheck size --sessions 100000000 --session-bytes 1100 --reads 200000 --writes 20000 --resources 2',
          'a hundred million, with tokens for two resources',
        ],
      ],
      async ({ output }, flags) => {
        const { sessions } = flags
        const input = {
          sessions,
          sessionBytes: flags.sessionBytes,
          users: flags.users ?? sessions,
          readsPerSecond: flags.reads ?? Math.ceil(sessions / 1000),
          writesPerSecond: flags.writes ?? Math.ceil(sessions / 10_000),
          resourcesPerUser: flags.resources,
          replicas: flags.replicas,
          headroom: flags.headroom / 100,
          nodeBytes: flags.nodeGib * GIB,
          nearCacheProcesses: flags.nearCacheProcesses,
        }
        const sizing = sizeOf(input)
        output.data({ input, ...sizing }, () => output.table(columns, rowsOf(sizing)))
        for (const warning of sizing.warnings) output.note(`${output.paint('yellow', '!', 'stderr')} ${warning}`)
      },
    )
    .requiredOption('--sessions <number>', 'alive at the same time, at the peak', numbers)
    .option('--session-bytes <number>', 'JSON of the data in a session', numbers, SIZING_DEFAULTS.sessionBytes)
    .option('--users <number>', 'default: as many as sessions', numbers)
    .option('--reads <number>', 'a second; default: each session once in 1,000 s', numbers)
    .option('--writes <number>', 'a second; default: each session once in 10,000 s', numbers)
    .option(
      '--resources <number>',
      'access tokens of each user',
      wholeNumber(0, 1000),
      SIZING_DEFAULTS.resourcesPerUser,
    )
    .option('--replicas <number>', 'of each primary', wholeNumber(0, 5), SIZING_DEFAULTS.replicas)
    .option('--headroom <percent>', 'of memory to keep free', wholeNumber(0, 95), SIZING_DEFAULTS.headroom * 100)
    .option('--node-gib <number>', 'memory of a node', wholeNumber(1, 4096), SIZING_DEFAULTS.nodeBytes / GIB)
    .option('--near-cache-processes <number>', 'that have a near cache', wholeNumber(0, 100_000), 0)
}

function rowsOf({ perPrimary, ...sizing }: Sizing): Row[] {
  const whole = (value: number): string => Math.ceil(value).toLocaleString('en')
  const needs = Object.entries(sizing.needs).map(([what, nodes]): Row => [`primaries for ${what}`, nodes.toFixed(2)])
  return [
    ['sessions', memory(sizing.sessionsBytes)],
    ['tokens', memory(sizing.tokensBytes)],
    ['all copies', memory(sizing.totalBytes)],
    ['primaries', whole(sizing.primaries)],
    ['nodes, replicas included', whole(sizing.nodes)],
    ['memory of each primary', memory(perPrimary.bytes)],
    ['reads/s of each primary', whole(perPrimary.readsPerSecond)],
    ['writes/s of each primary', whole(perPrimary.writesPerSecond)],
    ['busy, each primary', `${(perPrimary.cpuShare * 100).toFixed(1)} %`],
    ...needs,
    ['breaks first', sizing.limit],
  ]
}

function memory(bytes: number): string {
  return bytes < GIB ? `${(bytes / MIB).toFixed(1)} MiB` : `${(bytes / GIB).toFixed(1)} GiB`
}
