/**
 * `coatcheck sessions show`: shows one session without its data. With `--data` it shows the names and sizes of the fields, never their
 * values: they belong to the user, and terminals keep their output. It does not show a user id that is an e-mail address either.
 */
import type { Command } from 'commander'
import { type SessionDetails, showSession, summaryTextOf } from '../../../entries/admin.ts'
import type { Cli } from '../../cli.ts'
import { exitCode } from '../../exit-code.ts'
import type { Output } from '../../output.ts'
import { summaryView } from '../../session-summary-view.ts'
import { size, when } from '../../wording.ts'
import { deviceText } from './list.ts'

interface Flags {
  readonly data?: boolean
}

export function showOneSession(cli: Cli): Command {
  return cli
    .command<Flags>(
      'show <session id>',
      'one session, without its data; or why there is none',
      [
        ['coatcheck sessions show bqNpcWi8s91emSnb.OVEpUxwN1wkcvbIFsiUgjg', 'state, device, times, key'],
        ['coatcheck sessions show bqNpcWi8s91emSnb.OVEpUxwN1wkcvbIFsiUgjg --data', 'and which fields it has'],
      ],
      async (context, { data = false }, sessionId = '') => {
        const { output } = context
        const admin = await context.admin()
        const { summary, session } = await showSession(admin, sessionId)
        const document = { ...summary, ...summaryTextOf(summary) }
        if (session === null) {
          output.data({ ...document, session }, () => summaryView(output, summary))
          return exitCode.failed
        }
        const { fields, ...rest } = session
        const shown = { ...rest, userId: shownId(session), ...(data && { fields }) }
        output.data({ ...document, session: shown }, () => textOf(output, session, data, admin.clock.now()))
        return exitCode.ok
      },
    )
    .option('--data', 'names and sizes of its fields, never their values')
}

function textOf(output: Output, session: SessionDetails, withData: boolean, nowMs: number): string {
  const { authentication, device } = session
  const lines: (readonly [string, string])[] = [
    ['session', session.id],
    ['state', 'live'],
    ['kind', session.kind],
    ['user key', session.userKey],
    ['user id', shownId(session) ?? (session.userId === null ? 'none' : 'an e-mail address, so not shown')],
    ['device', deviceText(device) || 'unknown'],
    ['ip', device.ip ?? 'unknown'],
    ['created', when(session.createdAtMs, nowMs)],
    ['last seen', when(session.lastSeenAtMs, nowMs)],
    ['idle end', when(session.idleExpiresAtMs, nowMs)],
    ['absolute end', when(session.absoluteExpiresAtMs, nowMs)],
    [
      'signed in',
      authentication === null
        ? 'by the application'
        : `at ${authentication.provider}, ${when(authentication.authenticatedAtMs, nowMs)}`,
    ],
    [
      'record',
      `${size(session.recordBytes)}, sealed with key ${session.keyId}, schema version ${session.schemaVersion}`,
    ],
  ]
  const width = Math.max(...lines.map(([name]) => name.length))
  const text = lines.map(([name, value]) => `${output.paint('dim', name.padEnd(width))}  ${value}`).join('\n')
  if (!withData) return text
  const rows = session.fields
  const columns = [
    { title: 'FIELD', value: (row: (typeof rows)[number]) => row.name },
    { title: 'IN', value: (row: (typeof rows)[number]) => row.in },
    { title: 'BYTES', value: (row: (typeof rows)[number]) => row.bytes, align: 'right' as const },
  ]
  return `${text}\n\n${rows.length === 0 ? 'no fields' : output.table(columns, rows)}`
}

/** `null`: there is no user id, or it is an e-mail address. */
function shownId({ userId }: SessionDetails): string | null {
  return userId?.includes('@') === true ? null : userId
}
