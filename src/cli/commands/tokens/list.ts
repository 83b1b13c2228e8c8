/** `coatcheck tokens list`: lists users that have tokens, up to the requested number. */
import type { Command } from 'commander'
import { type UserTokensStatus, usersWithTokens } from '../../../entries/admin.ts'
import type { Cli } from '../../cli.ts'
import { exitCode } from '../../exit-code.ts'
import { wholeNumber } from '../../flag-values.ts'
import type { Column } from '../../output.ts'
import { counted, whole } from '../../../core/counted.ts'
import { when } from '../../wording.ts'
import { lastRefreshText } from './show.ts'

interface Row {
  readonly userKey: string
  readonly status: UserTokensStatus['providers'][number]
}

const LISTED = 20
const MAX_LISTED = 1000

export function listTokens(cli: Cli): Command {
  return cli
    .command<{ limit: number }>(
      'list',
      'users that have tokens, in no order',
      [
        ['coatcheck tokens list', `${LISTED} of them`],
        ['coatcheck tokens list --limit 200 --json', 'more, for a program'],
      ],
      async (context, { limit }) => {
        const { output, signal } = context
        const admin = await context.admin()
        const users: UserTokensStatus[] = []
        const seen = ({ scanned, total }: { scanned: number; total: number }): void =>
          output.progress(`${whole(scanned)} of ${whole(total)} keys, ${counted(users.length, 'user')}`)
        for await (const user of usersWithTokens(admin, { max: limit, signal, seen })) users.push(user)
        const rows = users.flatMap(({ userKey, providers }) => providers.map((status) => ({ userKey, status })))
        output.data({ users, limit }, () => (rows.length === 0 ? '' : output.table(columnsAt(admin.clock.now()), rows)))
        if (!output.isJson && users.length === 0) output.note('No user has tokens.')
        if (!output.isJson && users.length === limit)
          output.note(`${counted(limit, 'user')}; there may be more: --limit`)
        return users.length === 0 ? exitCode.failed : exitCode.ok
      },
    )
    .option('--limit <number>', 'how many users at most', wholeNumber(1, MAX_LISTED), LISTED)
}

function columnsAt(nowMs: number): readonly Column<Row>[] {
  return [
    { title: 'USER KEY', value: ({ userKey }) => userKey },
    { title: 'PROVIDER', value: ({ status }) => status.provider },
    { title: 'ACCESS TOKENS', value: ({ status }) => status.resources.length, align: 'right' },
    { title: 'REFRESH TOKEN', value: ({ status }) => (status.hasRefreshToken ? 'present' : 'none') },
    { title: 'KEY', value: ({ status }) => status.keyId ?? '' },
    { title: 'LAST REFRESH', value: ({ status }) => lastRefreshText(status, nowMs) },
    {
      title: 'FORGOTTEN',
      value: ({ status: { grantExpiresAt } }) => (grantExpiresAt === null ? '' : when(grantExpiresAt, nowMs)),
    },
  ]
}
