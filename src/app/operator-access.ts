/**
 * Opens the store that a configuration names for operators: without encryption keys (`openServer`), or with them (`openAdmin`).
 */
import type { AdminContext, ServerContext } from '../admin/context.ts'
import { examine } from '../admin/health/examine.ts'
import type { ExaminationOptions } from '../admin/health/health-context.ts'
import type { HealthReport } from '../admin/health/health-report.ts'
import { withBaseUrl } from '../config/base-url.ts'
import { checkedVariable, processEnvironment, variable } from '../config/environment.ts'
import { resolveConfig } from '../config/resolve.ts'
import { missing } from '../config/refusal.ts'
import { settingOf } from '../config/settings.ts'
import type { Options } from '../config/types.ts'
import { type Clock, systemClock } from '../core/clock.ts'
import { ConfigError } from '../core/errors.ts'
import { EventBus } from '../core/events.ts'
import { systemRandom } from '../core/random.ts'
import { chooseStore, useSharedRuntime } from './shared-runtime.ts'
import { markingSessions, markingTokens, revocationMarks } from './operator-marks.ts'
import { cutSuppliedClient, type SuppliedClient } from '../redis/supplied-client.ts'
import { createSessionStore } from '../session/session-store.ts'
import { isOnRedis, type RedisStoreFactory, serverOf } from '../stores/redis/operator-view.ts'
import type { StoreFactory } from '../stores/store.ts'

type AnyOptions = Options

const NONCE_BYTES = 8

/**
 * Opens an admin context without encryption keys. Needs neither keys nor a provider in the configuration. Connects in the
 * background: `store.ready()` waits for the connection. Call `close()` when you are done.
 * @param options the options of the application, which the environment completes
 * @param events receives the events of the connection
 * @throws {ConfigError} `COATCHECK_STORE_REQUIRED` without `REDIS_URL` or `redisStore()`, `COATCHECK_CONFIG_INVALID`,
 *   `COATCHECK_CONFIG_MISSING`, `COATCHECK_REDIS_PACKAGE_MISSING`
 */
export async function openServer(options: AnyOptions = {}, events = new EventBus()): Promise<ServerContext> {
  const env = processEnvironment()
  const prefix = options.prefix ?? checkedVariable(env, 'REDIS_PREFIX') ?? ''
  const factory = await redisOf(options)
  const store = factory.open({ prefix, clock: systemClock, events, loopback: true })
  return { server: store.server, store, prefix, clock: systemClock, close: () => store.close() }
}

/** The address of the Redis of another library. */
export interface OldTarget {
  /** `redis://…`, `rediss://…` or `unix://…`. */
  readonly url: string
  /** Empty: no password, or the one in the URL. */
  readonly password: string
}

/**
 * Returns the store on the Redis with the keys of another library. Of the settings of Coatcheck's own Redis, it uses only certificates and
 * timeouts.
 * @throws {ConfigError} `COATCHECK_CONFIG_INVALID`, also if it would get the password of Coatcheck's own Redis
 */
export async function oldStoreAt({ url, password: given }: OldTarget): Promise<StoreFactory> {
  const { redisStore } = await import('../stores/redis/redis-store.ts')
  const own = URL.canParse(url) ? new URL(url) : { username: '', password: '' }
  const password = own.password === '' ? given : decodeURIComponent(own.password)
  if (password === '') {
    // Without a password, the store would take the password of Coatcheck's own Redis and send it to another server.
    const env = processEnvironment()
    const leaking = ['REDIS_PASSWORD', 'REDIS_USERNAME'].find((name) => variable(env, name) !== undefined)
    if (leaking !== undefined) {
      throw new ConfigError('COATCHECK_CONFIG_INVALID', {
        message: `${leaking} is set, and the Redis of the old keys has no password, so it would get the one of Coatcheck's Redis.`,
        fix: 'Write user and password of the other Redis into REDIS_URL, and remove REDIS_USERNAME and REDIS_PASSWORD.',
      })
    }
    return redisStore({ url, cluster: false })
  }
  const username = own.username === '' ? 'default' : decodeURIComponent(own.username)
  return redisStore({ url, username, password, cluster: false })
}

/**
 * Opens the Redis with the keys of another library, if it is not the Redis of Coatcheck.
 * @throws {ConfigError} as `openServer`
 */
export async function openOldServer(target: OldTarget, events = new EventBus()): Promise<ServerContext> {
  return openServer({ store: await oldStoreAt(target), prefix: '' }, events)
}

/**
 * Opens an admin context with encryption keys: it finds users by their id, and opens records. Connects in the background. Call
 * `close()` when you are done.
 * @param options the options of the application, which the environment completes
 * @param events receives the events of this context
 * @throws {ConfigError} as `openServer`, and `COATCHECK_CONFIG_MISSING` without keys: the random key of a development process opens
 *   no other process's records
 * @throws {KeyringError} `COATCHECK_KEY_INVALID`
 */
export async function openAdmin(options: AnyOptions = {}, events = new EventBus()): Promise<AdminContext> {
  const env = processEnvironment()
  await redisOf(options)
  const config = resolveConfig(withBaseUrl(options, env), env)
  if (config.keys.length === 0) {
    throw missing(settingOf('', 'keys'), {
      why: 'Only with the keys of the application can its users and their records be found.',
      fix: 'Set COATCHECK_KEYS to the value that the application has.',
    })
  }
  const { runtime, release } = await useSharedRuntime(config, events, env, { isApplication: false })
  const { keyring, seal, store, tokens, revocations } = runtime
  const server = serverOf(store)
  if (server === null) throw localStoreError()
  const marks = await revocationMarks(runtime, config, events)
  const userKeyOf = (userId: string): string => keyring.userKey(userId)
  const sessions = createSessionStore<Record<string, unknown>>({
    keyring,
    seal,
    clock: systemClock,
    random: systemRandom,
    events,
    driver: store.sessions,
    config: config.session,
    namespace: config.prefix,
    memory: runtime.memory,
    revoking: marks.sessions,
  })
  return {
    server,
    store,
    prefix: config.prefix,
    clock: systemClock,
    config,
    keyring,
    seal,
    sessions: markingSessions(sessions, marks, userKeyOf),
    tokens: markingTokens(tokens, marks, userKeyOf),
    revocationMarks: marks,
    revocations,
    events,
    close: release,
  }
}

/**
 * Examines configuration, Redis, providers and data, as `coatcheck doctor` does. A problem is a finding in the report, not a
 * rejection. It writes one short-lived key to Redis, and canary keys if `canaries` is set.
 * @param load returns the options of the application, or throws a `ConfigError`, which becomes a finding
 * @param options which checks run
 * @param outside clock and `fetch` for tests. Default: those of the process
 */
export async function examineHealth(
  load: () => AnyOptions | Promise<AnyOptions>,
  options: ExaminationOptions = {},
  outside: { readonly clock?: Clock; readonly fetch?: typeof fetch } = {},
): Promise<HealthReport> {
  const env = processEnvironment()
  const opened: SuppliedClient[] = []
  try {
    return await examine(
      {
        load: async () => load(),
        env,
        clock: outside.clock ?? systemClock,
        fetch: outside.fetch ?? globalThis.fetch,
        nonce: () => systemRandom.bytes(NONCE_BYTES).toString('hex'),
        async inspect(options) {
          const factory = await chooseStore(options.store ?? null, env)
          const setup = isOnRedis(factory) ? factory.inspect() : null
          if (setup !== null && !('kind' in setup.destination) && !setup.destination.isOpen)
            opened.push(setup.destination)
          return setup
        },
        open: (options) => openServer(options),
      },
      options,
    )
  } finally {
    // These clients of the configuration file were connected for this examination only, so it closes them.
    for (const client of opened) cutSuppliedClient(client)
  }
}

/** @throws {ConfigError} `COATCHECK_STORE_REQUIRED`: no other process can read the memory of the application */
async function redisOf(options: AnyOptions): Promise<RedisStoreFactory> {
  const factory = await chooseStore(options.store ?? null, processEnvironment())
  if (isOnRedis(factory)) return factory
  throw localStoreError()
}

function localStoreError(): ConfigError {
  return new ConfigError('COATCHECK_STORE_REQUIRED', {
    message: 'REDIS_URL is not set, so the application keeps its sessions in memory, which no other process can read.',
    details: { variable: 'REDIS_URL' },
  })
}
