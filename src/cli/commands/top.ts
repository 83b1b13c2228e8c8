/** `coatcheck top`: a live view. On a terminal it uses a separate screen until Ctrl-C, otherwise it prints one line per interval. */
import type { Command } from 'commander'
import { type KeySurvey, type ServerContext, type Statistics, statistics } from '../../entries/admin.ts'
import { activityDocument, activityLine, LINE_TITLE } from '../activity-line.ts'
import type { Cli } from '../cli.ts'
import type { CommandContext } from '../context.ts'
import { exitCode } from '../exit-code.ts'
import { seconds, wholeNumber } from '../flag-values.ts'
import { LiveScreen } from '../live-screen.ts'
import { type Reading, readings } from '../readings.ts'
import { counted, whole } from '../../core/counted.ts'
import { change, percent } from '../wording.ts'
import { memoryText } from './stats.ts'

interface Flags {
  readonly interval: number
  readonly count: number
}

/** Sessions and users come from a sample, which is taken again after this time. */
const SAMPLED_EVERY_MS = 15_000
const SAMPLE = 5000

export function top(cli: Cli): Command {
  return cli
    .command<Flags>(
      'top',
      'a live view of sessions, reads, writes, memory and revocations',
      [
        ['coatcheck top', 'until Ctrl-C'],
        ['coatcheck top --interval 0.5 --count 3', 'three times, half a second apart'],
      ],
      async (context, { interval, count }) => {
        const { output, terminal, signal } = context
        const admin = await context.server()
        const options = { signal, interval, count }
        if (!terminal.stdout.isTerminal || output.isJson) {
          if (!output.isJson) output.data({}, () => LINE_TITLE)
          for await (const { before, now, activity } of readings(admin, options)) {
            output.line(activityDocument(now, activity), () => activityLine(before, now, activity))
          }
          return exitCode.ok
        }
        const screen = new LiveScreen(terminal.stdout)
        context.closeLater(async () => screen.close())
        await showLive(context, admin, screen, options)
        return exitCode.ok
      },
    )
    .option('--interval <seconds>', 'between two views', seconds(0.2, 3600), 1)
    .option('--count <number>', 'ends after so many views', wholeNumber(1, 1_000_000), Infinity)
}

async function showLive(
  context: CommandContext,
  admin: ServerContext,
  screen: LiveScreen,
  options: Flags & { readonly signal: AbortSignal },
): Promise<void> {
  const { output, terminal, signal } = context
  const sampled = (): Promise<Statistics> => statistics(admin, { signal, sample: SAMPLE, examine: SAMPLE / 5 })
  screen.show([output.paint('dim', 'looking at the servers …')])
  let sample = await sampled()
  let before = sample.survey
  let sampledAtMs = admin.clock.monotonic()
  for await (const reading of readings(admin, options)) {
    if (admin.clock.monotonic() - sampledAtMs >= SAMPLED_EVERY_MS) {
      before = sample.survey
      sample = await sampled()
      sampledAtMs = admin.clock.monotonic()
    }
    if (signal.aborted) return
    const { columns } = terminal.stdout
    const lines = linesOf(reading, sample, before)
    screen.show([
      output.paint('bold', lines[0]?.slice(0, columns) ?? ''),
      ...lines.slice(1).map((line) => line.slice(0, columns)),
      '',
      output.paint('dim', 'Ctrl-C ends it'),
    ])
  }
}

function linesOf({ now, activity }: Reading, { survey, devicesPerUser }: Statistics, before: KeySurvey): string[] {
  const { sessions, users, isExact } = survey
  const { hour, day, week } = sessions.endingWithin
  const grown = sessions.users - before.sessions.users
  const devices = devicesPerUser === null ? '' : ` · ${devicesPerUser.toFixed(2)} devices/user`
  const hit = activity.hitRatio === null ? '' : `  hit ${percent(activity.hitRatio)}`
  const latency = now.readLatency
  const onServer =
    latency === null ? '' : `  on the server p50 ${latency.p50Ms.toFixed(3)} p99 ${latency.p99Ms.toFixed(3)} ms`
  return [
    `${isExact ? '' : 'about '}${counted(sessions.users, 'session')} (${change(grown)}) · ${counted(users, 'user')}${devices} · ${whole(sessions.anonymous)} without a user`,
    `reads    ${whole(activity.reads)}/s${hit}${onServer}`,
    `scripts  ${whole(activity.scripts)}/s   all commands ${whole(activity.commands)}/s   ${counted(now.clients, 'client')}`,
    `memory   ${memoryText(now)}   ${now.policy}   evicted ${whole(now.evicted)}`,
    `keys     ${whole(now.keys)} (${change(activity.keys)})   expired ${whole(activity.expired * 60)}/min`,
    `ending   1 h ${whole(hour)} · 24 h ${whole(day)} · 7 d ${whole(week)}`,
    ...now.servers.map(({ endpoint, role, version }) => `server   ${endpoint}  ${role}  ${version}`),
  ]
}
