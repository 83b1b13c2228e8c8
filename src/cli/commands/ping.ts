/** `coatcheck ping`: shows whether Redis, the network or this process causes latency. One row for each server that holds keys. */
import type { Command } from 'commander'
import { type Latency, measureLatency } from '../../entries/admin.ts'
import { exitCode } from '../exit-code.ts'
import { wholeNumber } from '../flag-values.ts'
import type { Column } from '../output.ts'
import type { Cli } from '../cli.ts'

const DEFAULT_COUNT = 100

const inMs = (value: number): string => `${value.toFixed(2)} ms`
const columns: readonly Column<Latency>[] = [
  { title: 'SERVER', value: ({ server }) => server },
  { title: 'PINGS', value: ({ count }) => count, align: 'right' },
  { title: 'MIN', value: ({ minMs }) => inMs(minMs), align: 'right' },
  { title: 'P50', value: ({ p50Ms }) => inMs(p50Ms), align: 'right' },
  { title: 'P95', value: ({ p95Ms }) => inMs(p95Ms), align: 'right' },
  { title: 'P99', value: ({ p99Ms }) => inMs(p99Ms), align: 'right' },
  { title: 'MAX', value: ({ maxMs }) => inMs(maxMs), align: 'right' },
]

export function ping(cli: Cli): Command {
  return cli
    .command<{ count: number }>(
      'ping',
      'measure how long Redis takes to answer, through our own client',
      [
        ['coatcheck ping', `${DEFAULT_COUNT} PINGs, with TLS and credentials as the application has them`],
        ['coatcheck ping --count 1000 --json', 'more of them, for a program'],
      ],
      async (context, { count }) => {
        const { output, signal } = context
        const { server, clock } = await context.server()
        const rows: Latency[] = []
        for (const one of server.client.servers()) {
          const seen = (done: number): void => output.progress(`${one.endpoint}: ${done} of ${count}`)
          rows.push(await measureLatency(one, clock, { count, signal, seen }))
        }
        output.data({ servers: rows }, () => output.table(columns, rows))
        return exitCode.ok
      },
    )
    .option('--count <number>', 'how many for each server', wholeNumber(1, 1_000_000), DEFAULT_COUNT)
}
