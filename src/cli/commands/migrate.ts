/** `coatcheck migrate`: moves code and data from other libraries. */
import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { migrateFromIoredis } from './migrate/ioredis.ts'

export function migrate(cli: Cli): Command {
  return cli.group('migrate', 'move code from another library', [migrateFromIoredis(cli)])
}
