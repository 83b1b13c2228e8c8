/**
 * Creates an origin of sessions from a format, a mode and a store of old records. `sessions-in-read-mode.ts` and `sessions-in-move-mode.ts`
 * implement the modes.
 */
import { MisuseError } from '../../core/errors.ts'
import { describeValue } from '../../core/redact.ts'
import type { StoreFactory } from '../../stores/store.ts'
import { cookieEndOf, type OldSession, recordSessions } from '../bridges/old-sessions.ts'
import { createLateRemovals } from '../late-removals.ts'
import { keysMadeBy } from '../old-keys.ts'
import type { MigrationMode } from '../migration-mode.ts'
import { readJson } from '../read-json.ts'
import type { SessionFormat, SessionOrigin } from '../session-origin.ts'
import { createSessionsInReadMode } from './sessions-in-read-mode.ts'
import { createSessionsInMoveMode } from './sessions-in-move-mode.ts'
import { createOldSessionRecords } from './old-session-records.ts'

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

/**
 * Checks the options of an origin and creates it.
 * @param factory name of the function that the application called, such as `connectRedis()`
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
 */
export function createOrigin(
  factory: string,
  format: SessionFormat,
  { mode = 'read', store }: OriginOptions,
): SessionOrigin {
  // JavaScript callers.
  if ((mode as string) !== 'read' && (mode as string) !== 'move')
    throw invalid(factory, 'mode', `must be 'read' or 'move'; it got ${describeValue(mode)}`)
  if (store !== undefined && typeof (store as Partial<StoreFactory> | null)?.open !== 'function')
    throw invalid(
      factory,
      'store',
      `must be the result of redisStore() or memoryStore(); it got ${describeValue(store)}`,
    )
  const made = keysMadeBy(format.keyOf, (text) => format.decode(text) !== null)
  // With any JSON under any key, nothing distinguishes a session from the records of another application.
  const keys = made?.prefix === '' && !format.isRecognizable ? null : made
  return {
    name: format.name,
    libraries: format.libraries,
    mode,
    openSessions(context) {
      const decode = (text: string): OldSession | null => {
        const json = format.decode(text)
        const data = json === null ? null : readJson(json)
        return data && { data, endsAtMs: cookieEndOf(data) }
      }
      return recordSessions({ keyOf: format.keyOf, decode }, store, context)
    },
    ...(store && { store }),
    ...(keys && { keys }),
    async attach({ store: ours, clock, events, loopback, defaultTtlMs }) {
      const opened = store?.open({ prefix: '', clock, events, loopback }) ?? null
      const records = await (opened ?? ours).oldRecords()
      const ends: (() => Promise<void>)[] = []
      const late = createLateRemovals((end) => ends.push(end))
      const old = createOldSessionRecords({ format, records, clock, events, defaultTtlMs, late })
      return {
        links: old,
        over(inner) {
          const pair = { inner, old, clock }
          return mode === 'move' ? createSessionsInMoveMode(pair) : createSessionsInReadMode(pair)
        },
        async close() {
          for (const end of ends) await end()
          await opened?.close()
        },
      }
    },
  }
}

/**
 * Refuses options that an origin does not have.
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT`
 */
export function checkedOptions<T extends object>(factory: string, options: T, known: readonly string[]): T {
  // JavaScript callers.
  if (typeof (options as unknown) !== 'object' || (options as unknown) === null)
    throw invalid(factory, null, `wants an object of options; it got ${describeValue(options)}`)
  for (const name of Object.keys(options))
    if (!known.includes(name)) throw invalid(factory, name, `is no option. Its options are ${known.join(', ')}`)
  return options
}

export function invalid(factory: string, option: string | null, complaint: string): MisuseError {
  const what = option === null ? factory : `Option "${option}" of ${factory}`
  return new MisuseError('COATCHECK_INVALID_ARGUMENT', `${what} ${complaint}.`)
}

/** @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` */
export function checkedPrefix(factory: string, prefix: unknown): string {
  if (typeof prefix === 'string') return prefix
  throw invalid(factory, 'prefix', `must be a text; it got ${describeValue(prefix)}`)
}
