/** Finds the store whose old sessions a command adopts: from a module of the application, or from flags. Reports missing flags. */
import {
  type BulkAccess,
  type BulkFormat,
  type BulkKind,
  createDropIn,
  type DropInChoice,
  dropInsOf,
  oldStoreAt,
} from '../../../entries/admin.ts'
import { processEnvironment } from '../../../config/environment.ts'
import type { CommandContext } from '../../context.ts'
import { loadModule } from '../../load-module.ts'
import { oldTarget } from '../../old-store.ts'
import { UsageError } from '../../usage-error.ts'

export interface DropInFlags {
  readonly module?: string
  readonly export?: string
  readonly from?: BulkFormat
  readonly kind?: BulkKind
  readonly mode?: 'read' | 'move'
  readonly oldPrefix?: string
  readonly oldUrl?: string
  readonly userId?: string
  /** False: `--no-users`. */
  readonly users: boolean
  readonly ttl?: string
}

/** Settings that only flags provide. A module provides them in the options of its store. */
const ONLY_WITHOUT_MODULE = ['from', 'kind', 'mode', 'oldPrefix', 'oldUrl', 'userId', 'ttl'] as const
/** Formats in which each session names its user. */
const NAMES_USERS: readonly BulkFormat[] = ['auth-js', 'better-auth', 'nextjs-auth0']

/** @throws {UsageError} @throws {ConfigError} */
export async function dropInFor(context: CommandContext, flags: DropInFlags, isDryRun: boolean): Promise<BulkAccess> {
  const { module, from, users } = flags
  if (module === undefined && from === undefined) {
    throw new UsageError('Which sessions? --module <file> with the store of the application, or --from <format>.')
  }
  const access = module === undefined ? await ofFlags(context, flags) : await ofModule(context, module, flags)
  if (access.knowsUsers === false && users && !isDryRun) {
    const lack =
      module === undefined
        ? 'Say where the data names the user: --user-id passport.user.'
        : 'Add the option userId to the store of the module.'
    throw new UsageError(
      `Without the user of each session, listByUser and revokeByUser miss it until its next write. ${lack} --no-users: the sessions have no user.`,
    )
  }
  return access
}

async function ofModule(context: CommandContext, module: string, flags: DropInFlags): Promise<BulkAccess> {
  const given = ONLY_WITHOUT_MODULE.filter((name) => flags[name] !== undefined)
  if (given.length > 0) {
    const names = given.map((name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`).join(', ')
    throw new UsageError(`The store of the module says it: leave out ${names}.`)
  }
  await context.quietOptions()
  const exports = (await loadModule(context.terminal.folder, module, { option: '--module' })) as Record<string, unknown>
  const found = dropInsOf(exports)
  if ([...found.values()].some(({ origin }) => origin?.name === 'msal')) {
    throw new UsageError(`${module} exports a cache of tokens: coatcheck migrate tokens --module ${module}.`)
  }
  const names = [...found.keys()]
  if (flags.export !== undefined) {
    const chosen = found.get(flags.export)
    if (chosen) return chosen
    throw new UsageError(`${module} exports no store of Coatcheck as "${flags.export}". It exports ${listed(names)}.`)
  }
  const [only, ...others] = found.values()
  if (only === undefined) {
    throw new UsageError(
      `${module} exports no store of Coatcheck. Export the one that the application uses: export const store = new CoatcheckStore({ migrateFrom, userId }).`,
    )
  }
  if (others.length > 0)
    throw new UsageError(`${module} exports several stores. Name one: --export ${names.join(' | ')}.`)
  return only
}

async function ofFlags(context: CommandContext, flags: DropInFlags): Promise<BulkAccess> {
  const { from, kind, mode = 'read', oldPrefix, userId, ttl } = flags
  if (from === undefined) throw new UsageError('Which format? --from <format>.')
  if (userId !== undefined && NAMES_USERS.includes(from)) {
    throw new UsageError(`Sessions of ${from} name their user themselves: leave out --user-id.`)
  }
  const options = await context.quietOptions()
  const target = oldTarget(flags, processEnvironment())
  const choice: DropInChoice = {
    from,
    mode,
    ...(kind && { kind }),
    ...(oldPrefix !== undefined && { oldPrefix }),
    ...(userId !== undefined && { userIdPath: userId }),
    ...(ttl !== undefined && { ttl: ttl }),
    ...(target && { oldStore: await oldStoreAt(target) }),
  }
  return createDropIn(options, choice)
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.map((name) => `"${name}"`).join(', ')
}
