/** Output of commands that adopt old records: progress, survey results, run results. */
import type {
  AdoptionProgress,
  AdoptionReport,
  FamilySurvey,
  OldRecordSurvey,
  TokenAdoptionReport,
} from '../entries/admin.ts'
import type { Clock } from '../core/clock.ts'
import { counted, whole } from '../core/counted.ts'
import type { Column, Output } from './output.ts'
import { span } from './wording.ts'

/** From this point on, the remaining time can be estimated. */
const ESTIMATE_FROM = { share: 0.01, ms: 2000 }

/** A progress line with the remaining time. */
export function takingOver(output: Output, clock: Clock, what: string): (progress: AdoptionProgress) => void {
  const begunMs = clock.monotonic()
  return ({ keys, share }) => {
    const elapsedMs = clock.monotonic() - begunMs
    const canEstimate = share >= ESTIMATE_FROM.share && elapsedMs >= ESTIMATE_FROM.ms
    const left = canEstimate ? `, about ${span((elapsedMs / share) * (1 - share))} left` : ''
    output.progress(`${counted(keys, 'old key')} ${what}, ${Math.floor(share * 100)} %${left}`)
  }
}

/** The origin's word for its records, and what happens to records without expiry. */
function originTextOf(origin: string): { readonly record: string; readonly endless: string } {
  if (origin === 'auth-js') return { record: 'record', endless: 'users and accounts have none here either.' }
  if (origin === 'msal') return { record: 'cache', endless: 'the caches are kept for the grantLifetime of the plugin.' }
  return { record: 'session', endless: 'the sessions get the life that --ttl or the store says.' }
}

/** What the look cannot know by itself. */
export interface NextStep {
  /** What `--write` does with the records, as sentences. */
  readonly consequence: string
  /** The command that does it. Null: the user has to change something else first, which the consequence says. */
  readonly command: string | null
}

const WITH_WRITE = {
  read: 'With --write, the command takes each of them over with its remaining life, and keeps its old key.',
  move: 'With --write, the command takes each of them over with its remaining life, and removes its old key.',
} as const

export function sessionConsequence(mode: keyof typeof WITH_WRITE): string {
  return WITH_WRITE[mode]
}

/** The text of a look: what was examined, what `--write` would do, and the next command. */
export function surveyText(
  output: Output,
  { origin, families, isWhole }: OldRecordSurvey,
  keyPrefix: string,
  { consequence, command }: NextStep,
): string {
  const lines: string[] = []
  if (!isWhole) lines.push('Interrupted: only a part was examined.', '')
  if (families.length === 0) {
    const searched = keyPrefix === '' ? 'all keys' : `the keys that begin with "${keyPrefix}"`
    return [
      ...lines,
      `No old key of ${origin}. The command examined ${searched}. Is it the right Redis, and the right prefix?`,
    ].join('\n')
  }
  const columns: readonly Column<FamilySurvey>[] = [
    { title: 'OLD KEYS', value: ({ family }) => family },
    { title: 'COUNT', value: ({ keys }) => keys, align: 'right' },
    { title: 'NO TTL', value: ({ lives }) => lives.none, align: 'right' },
    { title: '< 1 H', value: ({ lives }) => lives.underHour, align: 'right' },
    { title: '< 1 D', value: ({ lives }) => lives.underDay, align: 'right' },
    { title: '< 7 D', value: ({ lives }) => lives.underWeek, align: 'right' },
    { title: 'LONGER', value: ({ lives }) => lives.longer, align: 'right' },
    { title: 'UNREADABLE', value: ({ unreadable }) => unreadable, align: 'right' },
  ]
  lines.push(output.table(columns, families), '')
  const endless = families.reduce((sum, { lives }) => sum + lives.none, 0)
  const unreadable = families.reduce((sum, one) => sum + one.unreadable, 0)
  if (endless > 0) lines.push(`${counted(endless, 'key')} without TTL: ${originTextOf(origin).endless}`)
  if (unreadable > 0)
    lines.push(
      `${counted(unreadable, 'value')} that cannot be read: --write leaves them alone, and ends with exit code 7.`,
    )
  const keys = families.reduce((sum, one) => sum + one.keys, 0)
  lines.push(`Examined ${counted(keys, 'old key')} of ${origin}. Nothing was changed.`, consequence)
  if (command !== null) lines.push(`Next: ${command}`)
  return lines.join('\n')
}

export function adoptionText(output: Output, report: AdoptionReport, mode: string): string {
  const { origin, keys, outcomes, isDone } = report
  const { record } = originTextOf(origin)
  const { adopted = 0, moved = 0, synced = 0, unreadable = 0, ended = 0, no_expiry: endless = 0 } = outcomes
  const lines = [`${isDone ? '' : 'Interrupted. '}Examined ${counted(keys, 'old key')} of ${origin}.`]
  // Some origins report a moved record only as moved.
  const taken = mode === 'move' ? Math.max(adopted, moved) : adopted
  lines.push(`Took over ${counted(taken, record)}${mode === 'move' ? `, removed ${counted(moved, 'old key')}` : ''}.`)
  if (synced > 0) lines.push(`Took in the changes of old processes to ${counted(synced, record)}.`)
  if (endless > 0) lines.push(`${whole(endless)} of them had no TTL and got the configured life.`)
  if (ended > 0) lines.push(`Refused ${counted(ended, record)} that had ended.`)
  if (unreadable > 0) {
    const text = `${counted(unreadable, 'value')} could not be read and was left alone; a dry run counts them by family.`
    lines.push(output.paint('yellow', text))
  }
  lines.push(
    isDone
      ? 'Run it again at any time: it takes over only what is missing.'
      : 'What was taken over stays so. Run the same command again: it goes on with the rest.',
  )
  return lines.join('\n')
}

export function tokensText(
  output: Output,
  { origin, provider }: { readonly origin: string; readonly provider: string },
  { users, outcomes, isDone }: TokenAdoptionReport,
): string {
  const { adopted = 0, present = 0, refused = 0, unreadable = 0 } = outcomes
  const lines = [`${isDone ? '' : 'Interrupted. '}Examined ${counted(users, 'user')} of ${origin}.`]
  lines.push(`Adopted the tokens of ${counted(adopted, 'user')}, as tokens of the provider ${provider}.`)
  if (present > 0) lines.push(`${counted(present, 'user')} had tokens here already, or had them before: those decide.`)
  if (refused > 0) lines.push(`${counted(refused, 'value')} of another user: refused.`)
  if (unreadable > 0)
    lines.push(output.paint('yellow', `${counted(unreadable, 'value')} could not be read and was left alone.`))
  lines.push(
    isDone ? 'Run it again at any time: it adopts only what is missing.' : 'Run the same command again: it goes on.',
  )
  return lines.join('\n')
}
