/** `coatcheck keys scan`: counts key families, their size, keys without a TTL, and orphans. */
import type { Command } from 'commander'
import { type KeySurvey, type OrphanKind, ORPHANS, surveyKeys } from '../../../entries/admin.ts'
import type { Cli } from '../../cli.ts'
import { exitCode } from '../../exit-code.ts'
import type { Output } from '../../output.ts'
import { counted, whole } from '../../../core/counted.ts'
import { familiesTable } from '../stats.ts'

export function scanKeys(cli: Cli): Command {
  return cli
    .command<{ exact?: boolean }>(
      'scan',
      'keys by family: how many, how large, without TTL, left behind',
      [
        ['coatcheck keys scan', 'counts all names, looks at about 20,000 of the keys'],
        ['coatcheck keys scan --exact', 'looks at every key of Coatcheck'],
      ],
      async (context, { exact = false }) => {
        const { output, signal } = context
        const survey = await surveyKeys(await context.server(), {
          signal,
          orphans: true,
          ...(exact && { examine: Infinity }),
          seen: ({ scanned, total }) => output.progress(`${whole(scanned)} of ${whole(total)} keys`),
        })
        output.data(survey, () => textOf(output, survey))
        return signal.aborted ? exitCode.interrupted : exitCode.ok
      },
    )
    .option('--exact', 'look at every key instead of a sample')
}

function textOf(output: Output, survey: KeySurvey): string {
  const { families, foreign, orphans, isExact, scanned, total, isWhole } = survey
  const lines = families.length === 0 ? ['No keys of Coatcheck.'] : [familiesTable(output, survey)]
  lines.push('')
  if (!isWhole) lines.push(`Interrupted: ${whole(scanned)} of ${whole(total)} keys.`)
  if (!isExact) lines.push('Memory, TTL and orphans are those of a sample; --exact looks at every key.')
  lines.push(`${counted(foreign, 'key')} not ours.`)
  const endless = families.filter(({ withoutTtl, mayStay }) => withoutTtl > 0 && !mayStay)
  for (const { family } of endless)
    lines.push(output.paint('yellow', `Some ${family} have no TTL: Coatcheck makes no such keys.`))
  lines.push(...orphanLines(orphans))
  return lines.join('\n')
}

export function orphanLines(orphans: { readonly [Kind in OrphanKind]: number }): string[] {
  const found = (Object.keys(ORPHANS) as OrphanKind[]).filter((kind) => orphans[kind] > 0)
  if (found.length === 0) return ['Nothing was left behind.']
  return [...found.map((kind) => `${whole(orphans[kind])} ${kind}: ${ORPHANS[kind]}.`)]
}
