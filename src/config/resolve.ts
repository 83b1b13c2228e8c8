/**
 * Turns options and environment into the one configuration that all other code reads. It has two steps, because a build evaluates
 * modules without secrets. `checkOptions` checks shapes when `coatcheck()` is called. `resolveConfig` reads the environment at
 * first use or in `ready()`. Options win over the environment.
 */
import { DEFAULT_CACHE_BYTES } from '../core/cache-budget.ts'
import { parseDurationMs } from '../core/duration.ts'
import { ConfigError } from '../core/errors.ts'
import { own } from '../core/json.ts'
import { type BaseUrl, type DeploymentSigns, resolveBaseUrl } from './base-url.ts'
import { checkedVariable, type Environment, variable } from './environment.ts'
import { missing } from './refusal.ts'
import { resolvePages } from './resolve-pages.ts'
import { checkProviders, resolveProviders } from './resolve-providers.ts'
import { resolveSession } from './resolve-session.ts'
import { settingOf } from './settings.ts'
import { ownOptions } from './shape.ts'
import { unreadFileTexts } from './unread-env-file.ts'
import type { StoreFactory } from '../stores/store.ts'
import type { CookieOptions } from './session-settings.ts'
import type { Options, ResolvedConfig } from './types.ts'

const DEFAULT_COOKIE_NAME = 'coatcheck'
const DEFAULT_BASE_PATH = '/auth'
const DEFAULT_GRANT_LIFETIME_MS = 90 * 86_400_000
const DEFAULT_MIN_VALIDITY_MS = 30_000
const DEFAULT_LOG_LEVEL = 'warn'

/**
 * Makes all checks of options that need no environment.
 * @throws {ConfigError} `COATCHECK_CONFIG_UNKNOWN_OPTION`, `COATCHECK_CONFIG_INVALID`
 */
export function checkOptions<D extends object>(options: Options<D>): void {
  const { providers, session } = ownOptions('', options)
  checkProviders(providers ?? [])
  resolveSession(session)
}

/**
 * @param env never written to; `process.env` in an application.
 * @throws {ConfigError} of every code except `…_PACKAGE_MISSING`
 */
export function resolveConfig<D extends object>(given: Options<D>, env: Environment): ResolvedConfig<D> {
  checkOptions(given)
  const options = ownOptions('', given)
  const { url, loopback } = resolveBaseUrl(options.baseUrl, env, signsOf(options, env))
  // Secure and the name prefix follow the base URL, never the request: a proxy must not be able to remove them.
  const secure = url.protocol === 'https:'
  const cookie = options.session?.cookie ?? own<CookieOptions>({})
  return {
    baseUrl: url,
    loopback,
    localPeers: options.localPeers ?? listed(checkedVariable(env, 'COATCHECK_LOCAL_PEERS')),
    basePath: options.basePath ?? DEFAULT_BASE_PATH,
    cookie: {
      name: `${secure ? '__Host-' : ''}${cookie.name ?? DEFAULT_COOKIE_NAME}`,
      secure,
      sameSite: cookie.sameSite ?? 'lax',
    },
    keys: resolveKeys(options.keys, env, { url, loopback }),
    prefix: options.prefix ?? checkedVariable(env, 'REDIS_PREFIX') ?? '',
    store: checkedStore(options, env, { url, loopback }),
    providers: resolveProviders(options.providers ?? [], env),
    signIn: options.signIn ?? own({}),
    session: resolveSession(options.session),
    tokens: {
      grantLifetimeMs: parseDurationMs(options.tokens?.grantLifetime) ?? DEFAULT_GRANT_LIFETIME_MS,
      minValidityMs: parseDurationMs(options.tokens?.minValidity) ?? DEFAULT_MIN_VALIDITY_MS,
      revokeAtProvider: options.tokens?.revokeAtProvider ?? true,
    },
    cache: { maxBytes: options.cache?.maxBytes ?? DEFAULT_CACHE_BYTES },
    pages: resolvePages(options.pages),
    log: {
      logger: options.logger ?? null,
      level: (checkedVariable(env, 'COATCHECK_LOG') ?? DEFAULT_LOG_LEVEL) as ResolvedConfig<D>['log']['level'],
      debug: variable(env, 'DEBUG') ?? null,
    },
  }
}

function signsOf({ store, keys }: Options<object>, env: Environment): DeploymentSigns {
  return {
    hasRedis: store ? !store.isLocal : variable(env, 'REDIS_URL') !== undefined,
    hasKeys: keys !== undefined || variable(env, 'COATCHECK_KEYS') !== undefined,
  }
}

function listed(text: string | undefined): readonly string[] {
  return text?.split(',').map((one) => one.trim()) ?? []
}

/** Empty on loopback only: the process then generates a key, and every restart signs all users out. */
function resolveKeys(option: Options['keys'], env: Environment, { url, loopback }: BaseUrl): readonly string[] {
  const given = option ?? checkedVariable(env, 'COATCHECK_KEYS')
  if (given !== undefined) return (typeof given === 'string' ? [given] : given).flatMap((keys) => keys.split(','))
  if (loopback) return []
  throw missing(settingOf('', 'keys'), {
    why: `Coatcheck generates keys at start on a loopback base URL only, and the base URL is ${url.origin}.`,
    fix: 'Make a key with `npx coatcheck secret`, and set it as COATCHECK_KEYS on every instance.',
  })
}

/** `null`: REDIS_URL decides. Without it, the memory store is used, on loopback only. */
function checkedStore(options: Options<object>, env: Environment, { url, loopback }: BaseUrl): StoreFactory | null {
  const isMemory = options.store ? options.store.isLocal : variable(env, 'REDIS_URL') === undefined
  if (isMemory && !loopback) {
    throw new ConfigError('COATCHECK_STORE_REQUIRED', {
      message: options.store
        ? `Option store is memoryStore(), and the base URL ${url.origin} is not a loopback address.`
        : `Neither option store nor environment variable REDIS_URL is set, and the base URL ${url.origin} is not a loopback address.`,
      ...(options.store ? {} : unreadFileTexts(['REDIS_URL'])),
      details: { option: 'store', variable: 'REDIS_URL' },
    })
  }
  return options.store ?? null
}
