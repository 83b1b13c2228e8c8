/** `coatcheck migrate status`: shows the status of a migration and the next step. */
import type { Command } from 'commander'
import { migrationStatus, type NextStep, type OriginStatus, type ReadsByOutcome } from '../../../entries/admin.ts'
import { whole } from '../../../core/counted.ts'
import type { Cli } from '../../cli.ts'
import { exitCode } from '../../exit-code.ts'
import { oldUrl } from '../../old-store.ts'
import type { Column, Output } from '../../output.ts'
import { when } from '../../wording.ts'

interface Flags {
  readonly exact?: boolean
  readonly oldUrl?: string
}

export function migrationProgress(cli: Cli): Command {
  return cli
    .command<Flags>(
      'status',
      'reads of old records, old keys that are left, and the next step',
      [
        ['coatcheck migrate status', 'old keys estimated from a sample of 20,000 names'],
        ['coatcheck migrate status --exact', 'counts every old key, in small steps'],
      ],
      async (context, flags) => {
        const { output, signal } = context
        const admin = await context.server()
        const old = await context.oldServer(flags)
        const status = await migrationStatus(admin, {
          signal,
          ...(old && { old }),
          exact: flags.exact ?? false,
          seen: ({ scanned, total }) => output.progress(`${whole(scanned)} of ${whole(total)} keys`),
        })
        output.data(status, () => textOf(output, status.origins, admin.clock.now()))
        return signal.aborted ? exitCode.interrupted : exitCode.ok
      },
    )
    .option('--exact', 'count every old key instead of a sample')
    .option('--old-url <url>', 'Redis of the old keys, without a password (default: the same)', oldUrl)
}

const NEXT: { readonly [Step in NextStep]: string } = {
  stay: 'keep the mode read: old processes have written within a day, or the migration began less than a day ago.',
  move: 'no write of an old process was seen for a day. When none runs, and no rollback is planned, switch to the mode move.',
  finish: 'processes run in read and in move. Finish the rollout; the two modes work side by side.',
  wait: 'keep migrateFrom until nothing has been read for 7 days. coatcheck migrate sessions moves the rest at once.',
  check:
    'no process has found an old record yet. Compare the prefix and the Redis of migrateFrom, or the secret of adopt, with the old application.',
  remove: 'remove migrateFrom. Nothing needs it any more.',
}

function textOf(output: Output, origins: readonly OriginStatus[], nowMs: number): string {
  if (origins.length === 0) {
    return [
      'No process has reported migrateFrom or adopt within 8 days.',
      'A process reports 5 s after its first use, then once a minute. If one runs: is this its Redis, and its REDIS_PREFIX?',
      'next: deploy the application with migrateFrom or adopt. If all of its processes run without them, nothing is left to remove.',
    ].join('\n')
  }
  const columns: readonly Column<OriginStatus>[] = [
    { title: 'ORIGIN', value: ({ origin }) => origin },
    { title: 'MODE', value: ({ mode }) => mode },
    { title: 'LAST REPORT', value: ({ modes }) => when(Math.max(modes.read ?? 0, modes.move ?? 0), nowMs) },
    { title: 'LAST READ', value: ({ lastReadAtMs }) => (lastReadAtMs === null ? 'none' : when(lastReadAtMs, nowMs)) },
    { title: 'OLD KEYS', value: ({ oldKeys }) => keysText(oldKeys), align: 'right' },
  ]
  const lines = [output.table(columns, origins)]
  for (const { origin, reads, lastReadAtMs, next } of origins) {
    lines.push('', output.paint('bold', origin))
    for (const [name, within] of [
      ['1 h', reads.hour],
      ['24 h', reads.day],
      ['7 d', reads.week],
    ] as const)
      // prettier-ignore
      lines.push(`  ${name.padEnd(4)}  ${outcomesText(within)}`)
    const isUnproven = next === 'remove' && lastReadAtMs === null
    lines.push(`  next: ${isUnproven ? `${NEXT.check} If they are right, remove migrateFrom.` : NEXT[next]}`)
  }
  return lines.join('\n')
}

function keysText(oldKeys: OriginStatus['oldKeys']): string {
  if (oldKeys === null) return 'not counted'
  return oldKeys.isExact ? whole(oldKeys.count) : `about ${whole(oldKeys.count)}`
}

function outcomesText(reads: ReadsByOutcome): string {
  const parts = Object.entries(reads).map(([outcome, count]) => `${outcome} ${whole(count)}`)
  return parts.length === 0 ? 'no read' : parts.join(', ')
}
