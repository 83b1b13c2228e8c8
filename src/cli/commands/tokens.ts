/**
 * `coatcheck tokens`: commands to list tokens with the result of their refreshes, to refresh them, and to delete them. They never show a
 * token.
 */
import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { listTokens } from './tokens/list.ts'
import { refreshTokensOf } from './tokens/refresh.ts'
import { revokeTokens } from './tokens/revoke.ts'
import { showTokens } from './tokens/show.ts'

export function tokens(cli: Cli): Command {
  const below = [listTokens(cli), showTokens(cli), refreshTokensOf(cli), revokeTokens(cli)]
  return cli.group('tokens', 'list, show, refresh and delete the tokens of users', below)
}
