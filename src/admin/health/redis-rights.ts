/**
 * Checks whether the Redis user has the rights that Coatcheck needs, and few others. `ACL DRYRUN` (Redis 7) tests single commands without
 * running them. On older servers, or without the right to it, `ACL GETUSER` shows whether the user has all rights. If neither works, the
 * probe key tests the rights in practice.
 */
import { neededKeys, neededRights, type RedisFeature } from '../../stores/redis/acl-rights.ts'
import type { ServerPort } from '../../redis/client-port.ts'
import type { RedisKeys } from '../../stores/keys.ts'
import type { HealthNotes } from './health-report.ts'
import { ifAllowed, replyText, type ServerReport } from './server-info.ts'

const NAME = 'ACL'

/** Commands that the Redis user of an application should never be allowed to run. */
const DANGEROUS: readonly (readonly string[])[] = [
  ['flushall'],
  ['keys', '*'],
  ['config', 'set', 'maxmemory', '0'],
  ['shutdown'],
  ['debug', 'jmap'],
  ['acl', 'setuser', 'x'],
]
/** A key that belongs to no application. */
const FOREIGN_KEY = 'no-key-of-coatcheck'

interface Given {
  readonly keys: RedisKeys
  readonly prefix: string
  readonly features: readonly RedisFeature[]
}

/** @returns false if the user lacks a needed right */
export async function checkRights(notes: HealthNotes, { port, server }: ServerReport, given: Given): Promise<boolean> {
  const user = await ifAllowed(port, ['ACL', 'WHOAMI'])
  if (user === null) {
    notes.skipped(NAME, 'not allowed to ask (+acl|whoami +acl|dryrun): what else the user may do is not known', server)
    return true
  }
  const name = replyText(user)
  const mayRun = dryRun(port, name)
  if ((await mayRun(['ping'])) !== null) return checkByDryRun(notes, mayRun, server, name, given)
  await checkFlags(notes, port, server, name)
  return true
}

/** Reason for a refusal, an empty text for "allowed", `null` if the server cannot be queried. */
type Answer = string | null

function dryRun(port: ServerPort, user: string): (args: readonly string[]) => Promise<Answer> {
  return async (args) => {
    const reply = await ifAllowed(port, ['ACL', 'DRYRUN', user, ...args])
    if (reply === null) return null
    const text = replyText(reply)
    return text === 'OK' ? '' : text
  }
}

async function checkByDryRun(
  notes: HealthNotes,
  mayRun: ReturnType<typeof dryRun>,
  server: string | null,
  user: string,
  { keys, prefix, features }: Given,
): Promise<boolean> {
  const lacking: string[] = []
  for (const { command, args } of neededRights(keys, features)) {
    const why = await mayRun(args)
    if (why !== null && / command$/.test(why)) lacking.push(`+${command}`)
    else if (why !== null && / channel$/.test(why)) lacking.push(`&${prefix}user:*`)
  }
  for (const [pattern, example] of neededKeys(keys)) {
    const why = await mayRun(['pttl', example])
    if (why !== null && / key$/.test(why)) lacking.push(`~${prefix}${pattern}`)
  }
  if (lacking.length > 0) {
    notes.found('DOCTOR_ACL_NARROW', NAME, `user "${user}" needs ${[...new Set(lacking)].join(' ')}`, server)
  }
  const dangerous: string[] = []
  for (const args of DANGEROUS) if ((await mayRun(args)) === '') dangerous.push(nameOf(args))
  const seesOthers = (await mayRun(['get', FOREIGN_KEY])) === ''
  if (dangerous.length > 0 || seesOthers) {
    const may = [
      ...(dangerous.length > 0 ? [`run ${dangerous.join(', ')}`] : []),
      ...(seesOthers ? ['read all keys'] : []),
    ]
    notes.found('DOCTOR_ACL_WIDE', NAME, `user "${user}" may ${may.join(' and ')}`, server)
  } else if (lacking.length === 0) notes.ok(NAME, `user "${user}" may do what is needed, and nothing dangerous`, server)
  return lacking.length === 0
}

async function checkFlags(notes: HealthNotes, port: ServerPort, server: string | null, user: string): Promise<void> {
  const reply = (await ifAllowed(port, ['ACL', 'GETUSER', user])) as readonly unknown[] | null
  if (reply === null) {
    notes.skipped(NAME, `user "${user}"; not allowed to ask for its rules (+acl|dryrun)`, server)
    return
  }
  const flags = flagsOf(reply)
  const wide = ['allcommands', 'allkeys'].filter((flag) => flags.includes(flag))
  if (wide.length > 0) notes.found('DOCTOR_ACL_WIDE', NAME, `user "${user}" has ${wide.join(' and ')}`, server)
  else notes.ok(NAME, `user "${user}" has rules of its own`, server)
}

/** Redis 6 lists `allcommands` and `allkeys` among the flags. Redis 7 has `+@all` and `~*` in separate fields. */
function flagsOf(reply: readonly unknown[]): readonly string[] {
  const field = (name: string): unknown => reply[reply.findIndex((entry) => String(entry) === name) + 1]
  const flags = (field('flags') as readonly unknown[] | undefined) ?? []
  return [
    ...flags.map(String),
    ...(/(?:^| )\+@all(?: |$)/.test(String(field('commands'))) ? ['allcommands'] : []),
    ...(/(?:^| )~\*(?: |$)/.test(String(field('keys'))) ? ['allkeys'] : []),
  ]
}

function nameOf([command = '', sub]: readonly string[]): string {
  const hasSub = command === 'config' || command === 'acl'
  return (hasSub ? `${command} ${sub ?? ''}` : command).toUpperCase()
}
