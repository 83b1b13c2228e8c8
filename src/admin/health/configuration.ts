/**
 * Checks options and environment without a network request: whether they are usable, the location of the store, keys, scopes, cookie and
 * base URL. An unusable option only stops the checks that depend on it.
 */
import { withBaseUrl } from '../../config/base-url.ts'
import { type Environment, variable } from '../../config/environment.ts'
import { resolveConfig } from '../../config/resolve.ts'
import type { Options, ResolvedConfig, ResolvedProvider } from '../../config/types.ts'
import { counted } from '../../core/counted.ts'
import { type ConfigError, isCoatcheckError } from '../../core/errors.ts'
import { safeUrl } from '../../core/redact.ts'
import { createKeyring, type Keyring } from '../../keyring/keyring.ts'
import { weakKeysOf } from '../../keyring/key-strength.ts'
import { UNESCAPED } from '../../redis/redis-url.ts'
import type { FoundRecords } from './data.ts'
import type { HealthNotes } from './health-report.ts'

/** Set by platforms that start any number of instances, or that mark this process as one of several. */
const INSTANCE_VARIABLES = [
  'NODE_APP_INSTANCE',
  'KUBERNETES_SERVICE_HOST',
  'ECS_CONTAINER_METADATA_URI_V4',
  'CONTAINER_APP_REPLICA_NAME',
  'WEBSITE_INSTANCE_ID',
  'AWS_LAMBDA_FUNCTION_NAME',
  'K_SERVICE',
  'DYNO',
  'FLY_ALLOC_ID',
  'VERCEL',
] as const
const OPENID_SCOPES = new Set(['openid', 'profile', 'email', 'address', 'phone', 'offline_access'])
const GRAPH = 'https://graph.microsoft.com'
/** Google refuses `offline_access`, and issues a refresh token for `access_type=offline`. */
const GOOGLE = 'https://accounts.google.com'

export interface CheckedConfiguration {
  /** `null`: the options are unusable. */
  readonly config: ResolvedConfig<object> | null
  /**
   * Why the base URL is missing, if nothing else is and there is no provider. Only middlewares need it. An application that uses a store for another
   * session library has none, so the data decides: `checkMissingBaseUrl()`.
   */
  readonly missingBaseUrl: unknown
}

export function checkOptionsAndEnvironment(
  notes: HealthNotes,
  options: Options,
  env: Environment,
): CheckedConfiguration {
  let config: ResolvedConfig<object>
  try {
    config = resolveConfig(options, env)
  } catch (error) {
    const other = withoutBaseUrl(options, env)
    if (other) return { config: other, missingBaseUrl: error }
    notes.failed('Options', error)
    return { config: null, missingBaseUrl: null }
  }
  checkBaseUrl(notes, config, env)
  checkCookie(notes, config)
  for (const provider of config.providers) checkScopes(notes, provider)
  return { config, missingBaseUrl: null }
}

/** @returns `null` if the options are unusable also with a base URL, or have a provider, whose answers need one */
function withoutBaseUrl(options: Options, env: Environment): ResolvedConfig<object> | null {
  try {
    const added = withBaseUrl(options, env)
    const config = added === options ? null : resolveConfig(added, env)
    return config?.providers.length === 0 ? config : null
  } catch {
    return null
  }
}

/** @param found records in the sample; `null`: Redis was not examined */
export function checkMissingBaseUrl(notes: HealthNotes, error: unknown, found: FoundRecords | null): void {
  const isStoreOnly = found !== null && found.sessions === 0 && found.ofLibraries > 0
  if (isStoreOnly) notes.ok('Base URL', 'not set: stores for other session libraries need none, the middlewares do')
  else notes.failed('Options', error)
}

/** Notes an unusable configuration. One common mistake has its own finding. */
export function noteRefusal(notes: HealthNotes, name: string, error: unknown): void {
  if (isCoatcheckError(error) && error.name === 'ConfigError' && (error as ConfigError).details.reason === UNESCAPED) {
    notes.found('DOCTOR_URL_UNESCAPED', name, error.message.replace(/;.*$/s, '.'))
  } else notes.failed(name, error)
}

export function checkMemoryStore(notes: HealthNotes, env: Environment): void {
  const concurrency = Number(variable(env, 'WEB_CONCURRENCY') ?? 1)
  const named = INSTANCE_VARIABLES.find((name) => variable(env, name) !== undefined)
  if (concurrency > 1) {
    notes.found('DOCTOR_MEMORY_STORE_INSTANCES', 'Store', `memory, and WEB_CONCURRENCY is ${concurrency}`)
  } else if (named !== undefined) notes.found('DOCTOR_MEMORY_STORE_INSTANCES', 'Store', `memory, and ${named} is set`)
  else notes.found('DOCTOR_MEMORY_STORE', 'Store', 'REDIS_URL is not set')
}

/** @returns `null` without keys, or if they are unusable */
export function checkKeys(notes: HealthNotes, { keys }: ResolvedConfig<object>): Keyring | null {
  if (keys.length === 0) {
    notes.found('DOCTOR_KEYS_MISSING', 'Key ring', 'COATCHECK_KEYS is not set')
    return null
  }
  try {
    const keyring = createKeyring(keys)
    const weak = weakKeysOf(keys)
    for (const { id, is } of weak) notes.found('DOCTOR_KEY_WEAK', 'Key ring', `key "${id}" is ${is}`)
    const [first, ...others] = keyring.keys
    const more = others.length === 0 ? '' : `, ${others.length} more that open`
    if (weak.length === 0) notes.ok('Key ring', `"${first?.id ?? ''}" seals${more}`)
    return keyring
  } catch (error) {
    notes.failed('Key ring', error)
    return null
  }
}

function checkBaseUrl(notes: HealthNotes, { baseUrl, loopback }: ResolvedConfig<object>, env: Environment): void {
  const mode = variable(env, 'NODE_ENV')
  const says = `${baseUrl.origin}, NODE_ENV ${mode === undefined ? 'not set' : `is "${mode}"`}`
  if (loopback && mode === 'production') notes.found('DOCTOR_BASE_URL_LOOPBACK', 'Base URL', says)
  else if (!loopback && mode !== 'production') notes.found('DOCTOR_NODE_ENV', 'Base URL', says)
  else notes.ok('Base URL', says)
}

/** If the cookie flags do not suit the return from the provider, a Coatcheck page compensates. The report says so. */
function checkCookie(notes: HealthNotes, { cookie, providers }: ResolvedConfig<object>): void {
  const flags = `HttpOnly, SameSite=${cookie.sameSite}${cookie.secure ? ', Secure' : ', without Secure on plain http'}`
  const modes = new Set(providers.map(({ responseMode }) => responseMode))
  const relay =
    modes.has('form_post') || (cookie.sameSite === 'strict' && modes.size > 0)
      ? '; the answer of the provider comes without it, so a page of our own sends it once more'
      : ''
  notes.ok('Cookie', `${cookie.name}: ${flags}${relay}`)
}

function checkScopes(notes: HealthNotes, { name, preset, issuer, scopes }: ResolvedProvider): void {
  const label = `Scopes of ${name}`
  const ofApis = scopes.filter((scope) => !OPENID_SCOPES.has(scope))
  const resources = preset === 'entra' ? [...new Set(ofApis.map(resourceOf))] : []
  let isGood = true
  if (resources.length > 1) {
    notes.found('DOCTOR_SCOPES_SEVERAL_RESOURCES', label, resources.map(shownResource).join(', '))
    isGood = false
  }
  if (!scopes.includes('offline_access') && !issuer.startsWith(GOOGLE)) {
    if (ofApis.length > 0) notes.found('DOCTOR_OFFLINE_ACCESS', label, counted(ofApis.length, 'API scope'))
    else notes.found('DOCTOR_OFFLINE_ACCESS_OPTIONAL', label, 'asks for who the user is, and nothing more')
    isGood = false
  }
  if (isGood) notes.ok(label, scopes.join(' '))
}

/** Returns the resource of an Entra ID scope: `api://orders/Orders.Read` belongs to `api://orders`, a bare scope to Microsoft Graph. */
function resourceOf(scope: string): string {
  const slash = scope.lastIndexOf('/')
  return slash < 0 ? GRAPH : scope.slice(0, slash).replace(/\/$/, '')
}

function shownResource(resource: string): string {
  return resource.startsWith('http') ? safeUrl(resource).replace(/\/$/, '') : resource
}
