/**
 * The runtime of a drop-in store: its options, and the shared runtime that it opens at first use. A drop-in has no base URL. So its
 * configuration decides whether the relaxed rules of development apply.
 */
import { type Environment, processEnvironment, variable } from '../config/environment.ts'
import { resolveConfig } from '../config/resolve.ts'
import type { Options } from '../config/types.ts'
import { MisuseError } from '../core/errors.ts'
import type { EventBus } from '../core/events.ts'
import type { Logger } from '../core/logger.ts'
import type { Keyring } from '../keyring/keyring.ts'
import type { DocumentDeps } from '../documents/documents.ts'
import { type SharedRuntime, type SharedRuntimeUse, useSharedRuntime } from './shared-runtime.ts'
import type { ResolvedConfig } from '../config/types.ts'
import type { Store, StoreFactory } from '../stores/store.ts'

/** Options of the stores for other libraries. */
export interface DropInOptions {
  /** The store. Default: Redis at `REDIS_URL`; without that variable, the memory of the process outside of production. */
  readonly store?: StoreFactory
  /** Encryption keys, 32 bytes of base64 each, the current one first: an array, or a text with commas. Variable `COATCHECK_KEYS`. */
  readonly keys?: string | readonly string[] | undefined
  /** Prefix of all key names, at most 64 characters. Variable `REDIS_PREFIX`. Default: none. */
  readonly prefix?: string
  /** Receives the log lines, such as a pino instance. Default: JSON lines on stderr, as for `coatcheck()`. */
  readonly logger?: Logger | undefined
}

export interface DropInParts {
  readonly store: Store
  /** Prefix of all key names. */
  readonly prefix: string
  readonly loopback: boolean
  /** Whether encryption keys are configured. False: those of this process. */
  readonly hasKeys: boolean
  readonly keyring: Keyring
  /** Whether the store is in the memory of this process. */
  readonly isLocal: boolean
}

interface Opened<T> {
  readonly made: T
  readonly parts: DropInParts
  close(): Promise<void>
}

export interface DropInRuntime<T> {
  /** Opens the shared runtime at the first call, and returns the result of `make`. @throws the errors of the configuration and the store */
  open(): Promise<T>
  /** Returns the store and the settings of the drop-in, and opens them as `open` does. For operators: it announces no development defaults. */
  parts(): Promise<DropInParts>
  /** Closes its connection. Later calls reject with `COATCHECK_CLOSED`. */
  close(): Promise<void>
}

/** Registers a function that runs before the shared runtime closes. */
export type Closing = (end: () => Promise<void>) => void

export function createDropInRuntime<T>(
  options: DropInOptions & Pick<Options<object>, 'tokens'>,
  events: EventBus,
  make: (runtime: SharedRuntime, config: ResolvedConfig<object>, closing: Closing) => T | Promise<T>,
): DropInRuntime<T> {
  let opening: Promise<Opened<T>> | null = null
  let closing: Promise<void> | null = null
  const start = async (isApplication: boolean): Promise<Opened<T>> => {
    const env = processEnvironment()
    const config = configOf(options, env)
    const use: SharedRuntimeUse = await useSharedRuntime(config, events, env, { isApplication })
    const closing: (() => Promise<void>)[] = [use.release]
    const close = async (): Promise<void> => {
      for (const end of closing.reverse()) await end()
    }
    try {
      const made = await make(use.runtime, config, (end) => void closing.push(end))
      const { prefix, loopback, keys } = config
      const { store, keyring, isLocal } = use.runtime
      return { made, parts: { store, keyring, isLocal, prefix, loopback, hasKeys: keys.length > 0 }, close }
    } catch (error) {
      await close()
      throw error
    }
  }
  const opened = (isApplication = true): Promise<Opened<T>> => {
    if (closing) throw new MisuseError('COATCHECK_CLOSED', '')
    // A failure is not cached, so the next call opens again.
    opening ??= start(isApplication).catch((error: unknown) => {
      opening = null
      throw error
    })
    return opening
  }
  return {
    open: async () => (await opened()).made,
    parts: async () => (await opened(false)).parts,
    close() {
      closing ??= (async () => {
        const { close } = (await opening?.catch(() => null)) ?? {}
        await close?.()
      })()
      return closing
    },
  }
}

/** Returns the parts from which `createDocuments` creates documents. */
export function documentDeps(
  { store, keyring, seal }: SharedRuntime,
  { prefix }: ResolvedConfig<object>,
  events: EventBus,
): DocumentDeps {
  return { driver: store.documents, keyring, seal, namespace: prefix, events }
}

function configOf(
  { store, keys, prefix, tokens, logger }: DropInOptions & Pick<Options<object>, 'tokens'>,
  env: Environment,
): ResolvedConfig<object> {
  const hasKeys = keys !== undefined || variable(env, 'COATCHECK_KEYS') !== undefined
  const hasRedis = store ? !store.isLocal : variable(env, 'REDIS_URL') !== undefined
  const isProduction = variable(env, 'NODE_ENV') === 'production'
  return resolveConfig(
    {
      ...(store && { store }),
      ...(keys !== undefined && { keys }),
      ...(prefix !== undefined && { prefix }),
      ...(tokens && { tokens }),
      ...(logger && { logger }),
      baseUrl: isProduction || (hasKeys && hasRedis) ? 'https://application.invalid' : 'http://localhost',
    },
    env,
  )
}
