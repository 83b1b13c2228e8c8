/** `coatcheck sessions list`: lists the devices of a user. */
import type { Command } from 'commander'
import { listSessions } from '../../../entries/admin.ts'
import type { Cli } from '../../cli.ts'
import { exitCode } from '../../exit-code.ts'
import type { Column } from '../../output.ts'
import type { Terminal } from '../../terminal.ts'
import { type UserFlags, userOf, withUserFlags } from '../../user-flags.ts'
import { counted } from '../../../core/counted.ts'
import { when } from '../../wording.ts'

type Row = Awaited<ReturnType<typeof listSessions>>[number]

/** Minimum width for all columns. */
const WIDE_COLUMNS = 115

export function listSessionsOf(cli: Cli): Command {
  const command = cli.command<UserFlags>(
    'list',
    'sessions of a user: device, address, times',
    [
      ['coatcheck sessions list --user ada', 'of the user that the application calls "ada"'],
      ['coatcheck sessions list --user ada --json', 'the same for a program, times in epoch ms'],
    ],
    async (context, flags) => {
      const { output, terminal } = context
      const admin = await context.admin()
      const user = userOf(admin, flags)
      const rows = await listSessions(admin, user.userKey)
      output.data({ userKey: user.userKey, sessions: rows }, () =>
        rows.length === 0
          ? ''
          : output.table(columnsAt(admin.clock.now(), rows[0]?.id ?? '', isNarrow(terminal)), rows),
      )
      if (output.isJson) return rows.length === 0 ? exitCode.failed : exitCode.ok
      output.note(rows.length === 0 ? `No sessions of ${user.label}.` : counted(rows.length, 'session'))
      if (rows.length === 0)
        output.note(
          'COATCHECK_KEYS and REDIS_PREFIX find the users. If they differ from those of the application, no user is found.',
        )
      return rows.length === 0 ? exitCode.failed : exitCode.ok
    },
  )
  return withUserFlags(command)
}

/**
 * @param newestId the most recently used session, which gets the mark
 * @param narrow without address and time of creation: session ids are never cut, because users copy them
 */
function columnsAt(nowMs: number, newestId: string, narrow: boolean): readonly Column<Row>[] {
  const wide: readonly Column<Row>[] = [
    { title: 'IP', value: ({ device }) => device.ip ?? '' },
    { title: 'CREATED', value: ({ createdAtMs }) => when(createdAtMs, nowMs) },
  ]
  return [
    { title: 'SESSION', value: ({ id }) => id },
    { title: '', value: ({ id }) => (id === newestId ? '*' : '') },
    { title: 'DEVICE', value: ({ device }) => deviceText(device) },
    ...(narrow ? [] : wide),
    { title: 'LAST SEEN', value: ({ lastSeenAtMs }) => when(lastSeenAtMs, nowMs) },
    { title: 'EXPIRES', value: ({ expiresAtMs }) => roughly(when(expiresAtMs, nowMs), narrow) },
  ]
}

function isNarrow({ stdout }: Terminal): boolean {
  return stdout.isTerminal && stdout.columns < WIDE_COLUMNS
}

/** Shortens `in 7 h 59 min` to `in 7 h`. */
function roughly(text: string, narrow: boolean): string {
  return narrow ? text.split(' ').slice(0, 3).join(' ') : text
}

export function deviceText({ browser, system }: Row['device']): string {
  return [browser, system].filter((name) => name !== undefined).join(', ')
}
