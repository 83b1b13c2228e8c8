/** All commands, in the order of the help. A new command needs a file in `commands/`, its line here, and its section in docs/cli.md. */
import type { Command } from 'commander'
import { completion } from './commands/completion.ts'
import { dev } from './commands/dev.ts'
import { doctor } from './commands/doctor.ts'
import { explain } from './commands/explain.ts'
import { init } from './commands/init.ts'
import { keys } from './commands/keys.ts'
import { migrate } from './commands/migrate.ts'
import { ping } from './commands/ping.ts'
import { secret } from './commands/secret.ts'
import { sessions } from './commands/sessions.ts'
import { size } from './commands/size.ts'
import { stats } from './commands/stats.ts'
import { tokens } from './commands/tokens.ts'
import { top } from './commands/top.ts'
import type { Cli } from './cli.ts'

export const commands: readonly ((cli: Cli) => Command)[] = [
  init,
  dev,
  doctor,
  explain,
  ping,
  sessions,
  tokens,
  stats,
  top,
  keys,
  migrate,
  size,
  secret,
  completion,
]
