/** `coatcheck stats`: server status (`INFO`) and key counts. With `--watch` it prints the changes, one line per second. */
import type { Command } from 'commander'
import { type KeySurvey, type ServerReadings, type Statistics, statistics } from '../../entries/admin.ts'
import type { Cli } from '../cli.ts'
import { exitCode } from '../exit-code.ts'
import { seconds, wholeNumber } from '../flag-values.ts'
import type { Column, Output } from '../output.ts'
import { readings } from '../readings.ts'
import { whole } from '../../core/counted.ts'
import { percent, size } from '../wording.ts'
import { activityDocument, activityLine, LINE_TITLE } from '../activity-line.ts'

interface Flags {
  readonly exact?: boolean
  readonly watch?: boolean
  readonly interval: number
  readonly count: number
}

export function stats(cli: Cli): Command {
  return cli
    .command<Flags>(
      'stats',
      'sessions, users, memory, keys by family, what ends when',
      [
        ['coatcheck stats', 'sessions and keys from a sample of 20,000'],
        ['coatcheck stats --exact', 'looks at every key, in small steps'],
        ['coatcheck stats --watch --count 3', 'a line per second, with what has changed'],
      ],
      async (context, { exact = false, watch = false, interval, count }) => {
        const { output, signal } = context
        const admin = await context.server()
        if (watch) {
          if (!output.isJson) output.data({}, () => LINE_TITLE)
          for await (const { before, now, activity } of readings(admin, { signal, interval, count })) {
            output.line(activityDocument(now, activity), () => activityLine(before, now, activity))
          }
          return exitCode.ok
        }
        const found = await statistics(admin, {
          exact,
          signal,
          seen: ({ scanned, total }) => output.progress(`${whole(scanned)} of ${whole(total)} keys`),
        })
        if (signal.aborted) return exitCode.interrupted
        const { servers, survey, devicesPerUser } = found
        output.data({ devicesPerUser, servers, ...survey }, () => textOf(output, found))
        return exitCode.ok
      },
    )
    .option('--exact', 'look at every key instead of a sample')
    .option('--watch', 'a line per interval until Ctrl-C')
    .option('--interval <seconds>', 'with --watch', seconds(0.2, 3600), 1)
    .option('--count <number>', 'with --watch: so many lines', wholeNumber(1, 1_000_000), Infinity)
}

function textOf(output: Output, { servers, survey, devicesPerUser }: Statistics): string {
  const { sessions, users } = survey
  const about = survey.isExact ? '' : 'about '
  const { hour, day, week } = sessions.endingWithin
  const devices = devicesPerUser === null ? '' : ` · ${devicesPerUser.toFixed(2)} per user`
  const lines = [
    [
      'sessions',
      `${about}${whole(sessions.users)} of ${whole(users)} users${devices} · ${whole(sessions.anonymous)} without a user`,
    ],
    ['ending', `within 1 h ${whole(hour)} · 24 h ${whole(day)} · 7 d ${whole(week)}, if they are not used`],
    ['memory', memoryText(servers)],
    ['eviction', `${servers.policy}, ${whole(servers.evicted)} evicted since the server started`],
    ['expired', `${whole(servers.expired)} since the server started`],
    ['keys', `${whole(servers.keys)} in all, ${about}${whole(survey.foreign)} of them not ours`],
    ['servers', servers.servers.map(({ endpoint, version }) => `${endpoint} (${version})`).join(', ')],
  ]
  const text = lines.map(([name = '', value = '']) => `${output.paint('dim', name.padEnd(8))}  ${value}`).join('\n')
  if (survey.families.length === 0) return text
  return `${text}\n\n${familiesTable(output, survey)}`
}

export function memoryText({ usedBytes, maxBytes }: Pick<ServerReadings, 'usedBytes' | 'maxBytes'>): string {
  if (maxBytes === 0) return `${size(usedBytes)}, no limit`
  return `${size(usedBytes)} of ${size(maxBytes)} (${percent(usedBytes / maxBytes)})`
}

type Row = KeySurvey['families'][number]

export function familiesTable(output: Output, { families }: KeySurvey): string {
  const columns: readonly Column<Row>[] = [
    { title: 'FAMILY', value: ({ family }) => family },
    { title: 'KEYS', value: ({ count }) => count, align: 'right' },
    { title: 'MEMORY', value: ({ bytes }) => size(bytes), align: 'right' },
    { title: 'EACH', value: ({ bytes, count }) => size(Math.round(bytes / Math.max(1, count))), align: 'right' },
    { title: 'WITHOUT TTL', value: ({ withoutTtl }) => percent(withoutTtl), align: 'right' },
  ]
  return output.table(columns, families)
}
