/** `coatcheck sessions`: commands to list, show, end and count sessions. */
import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { countSessions } from './sessions/count.ts'
import { listSessionsOf } from './sessions/list.ts'
import { revokeSessions } from './sessions/revoke.ts'
import { showOneSession } from './sessions/show.ts'

export function sessions(cli: Cli): Command {
  const below = [listSessionsOf(cli), showOneSession(cli), revokeSessions(cli), countSessions(cli)]
  return cli.group('sessions', 'list, show, end and count sessions', below)
}
