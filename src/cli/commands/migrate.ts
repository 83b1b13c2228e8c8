/** `coatcheck migrate`: commands for a migration from another library: its code, sessions, tokens, and the status. */
import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { migrateFromIoredis } from './migrate/ioredis.ts'
import { migrateSessions } from './migrate/sessions.ts'
import { migrationProgress } from './migrate/status.ts'
import { migrateTokens } from './migrate/tokens.ts'

export function migrate(cli: Cli): Command {
  return cli.group('migrate', 'move in from another library', [
    migrateFromIoredis(cli),
    migrateSessions(cli),
    migrateTokens(cli),
    migrationProgress(cli),
  ])
}
