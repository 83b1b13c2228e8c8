/** The flags that select a user, the same for all commands. */
import type { Command } from 'commander'
import { findUser, type FoundUser } from '../entries/admin.ts'
import type { AdminContext } from '../entries/admin.ts'
import { UsageError } from './usage-error.ts'

export interface UserFlags {
  readonly user?: string
  readonly userKey?: string
  readonly provider?: string
  readonly subject?: string
  readonly tenant?: string
}

export function withUserFlags(command: Command): Command {
  return command
    .option('--user <id>', 'user id, as the application gives it')
    .option('--user-key <key>', 'user key, as logs and key names have it')
    .option('--subject <subject>', "the provider's name for the user, where user ids are issuer and subject")
    .option('--provider <name>', 'the provider, where there are several')
    .option('--tenant <id>', "the user's tenant, for an Entra application of several tenants")
}

export function namesUser({ user, userKey, subject }: UserFlags): boolean {
  return user !== undefined || userKey !== undefined || subject !== undefined
}

/** @throws {UsageError} @throws {MisuseError} */
export function userOf(admin: AdminContext, flags: UserFlags): FoundUser {
  if (!namesUser(flags)) throw new UsageError('Whose? --user <id>, --user-key <key> or --subject <subject>.')
  return findUser(admin, flags)
}
