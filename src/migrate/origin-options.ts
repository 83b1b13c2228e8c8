/** Declares and checks the options that origins have. A misspelled option would make an origin read other keys, and sign users out. */
import { MisuseError } from '../core/errors.ts'
import { describeValue } from '../core/redact.ts'
import type { StoreFactory } from '../stores/store.ts'
import type { MigrationMode } from './migration-mode.ts'

/** Options that every origin has. */
export interface OriginOptions {
  /**
   * `read` while old processes run: the old record decides. `move` when none runs: Coatcheck takes each old record over and removes it.
   * Default `read`.
   */
  readonly mode?: MigrationMode
  /** The store of the old records, from `redisStore()`. Default: the store of the new sessions. */
  readonly store?: StoreFactory
}

/** What the value of an option must be. A list names the texts that it may be. A function returns the complaint, also about `undefined`. */
export type OptionKind =
  'text' | 'required text' | 'function' | 'required function' | readonly string[] | ((value: unknown) => string | null)

/**
 * Refuses options that an origin does not have, and wrong values of those that it has.
 * @param factory name of the function that the application called, such as `connectRedis()`
 * @param own the options beside `mode` and `store`
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
 */
export function checkedOptions<T extends OriginOptions>(
  factory: string,
  options: T,
  own: { readonly [Name in Exclude<keyof T, keyof OriginOptions>]-?: OptionKind },
): T {
  // JavaScript callers.
  if (typeof (options as unknown) !== 'object' || (options as unknown) === null)
    throw invalid(factory, null, `wants an object of options; it got ${describeValue(options)}`)
  const kinds: Readonly<Record<string, OptionKind>> = { ...own, mode: ['read', 'move'], store: storeComplaint }
  for (const name of Object.keys(options))
    if (!Object.hasOwn(kinds, name))
      throw invalid(factory, name, `is no option. Its options are ${Object.keys(kinds).join(', ')}`)
  for (const [name, kind] of Object.entries(kinds)) {
    const complaint = complaintOf(kind, (options as Readonly<Record<string, unknown>>)[name])
    if (complaint !== null) throw invalid(factory, name, complaint)
  }
  return options
}

function invalid(factory: string, option: string | null, complaint: string): MisuseError {
  const what = option === null ? factory : `Option "${option}" of ${factory}`
  return new MisuseError('COATCHECK_INVALID_ARGUMENT', `${what} ${complaint}.`)
}

function complaintOf(kind: OptionKind, value: unknown): string | null {
  if (typeof kind === 'function') return kind(value)
  const isRequired = kind === 'required text' || kind === 'required function'
  if (value === undefined && !isRequired) return null
  const got = `it got ${describeValue(value)}`
  if (kind === 'function' || kind === 'required function')
    return typeof value === 'function' ? null : `must be a function; ${got}`
  if (kind === 'text' || kind === 'required text') return typeof value === 'string' ? null : `must be a text; ${got}`
  const isListed = typeof value === 'string' && kind.includes(value)
  return isListed ? null : `must be ${kind.map((text) => `'${text}'`).join(' or ')}; ${got}`
}

function storeComplaint(store: unknown): string | null {
  const factory = store as Partial<StoreFactory> | null | undefined
  return factory === undefined || typeof factory?.open === 'function'
    ? null
    : `must be the result of redisStore() or memoryStore(); it got ${describeValue(store)}`
}
