/**
 * The base URL decides which unsafe settings are allowed. On a loopback address, the memory store, generated keys and a cookie without
 * Secure are allowed. On any other address none of them is, whatever `NODE_ENV` says. The base URL is never taken from a request. If it is
 * missing, a loopback address is assumed only where the environment shows that this is development.
 */
import { ConfigError } from '../core/errors.ts'
import { isLoopbackHost } from '../core/loopback-host.ts'
import { safeUrl } from '../core/redact.ts'
import { checkedVariable, type Environment, variable } from './environment.ts'
import { missing } from './refusal.ts'
import { settingOf } from './settings.ts'

export const DEFAULT_PORT = '3000'

export interface BaseUrl {
  readonly url: URL
  readonly loopback: boolean
}

/** Signs of a deployment: settings that a first try does not have. */
export interface DeploymentSigns {
  readonly hasRedis: boolean
  readonly hasKeys: boolean
}

const DEVELOPMENT_MODES = new Set(['development', 'test'])

/**
 * @throws {ConfigError} `COATCHECK_CONFIG_MISSING` without a base URL where development is not certain, `COATCHECK_CONFIG_INSECURE` for
 *   plain http on an address that is not loopback, `COATCHECK_CONFIG_INVALID`
 */
export function resolveBaseUrl(option: string | undefined, env: Environment, signs: DeploymentSigns): BaseUrl {
  const given = option ?? checkedVariable(env, 'COATCHECK_BASE_URL')
  const url = new URL(given ?? derived(env, signs))
  const loopback = isLoopbackHost(url.hostname)
  if (url.protocol === 'http:' && !loopback) {
    throw new ConfigError('COATCHECK_CONFIG_INSECURE', {
      message: `Option baseUrl (or COATCHECK_BASE_URL) is ${safeUrl(url.href)}: plain http is for loopback addresses only.`,
      fix: `Set COATCHECK_BASE_URL to https://${url.host} (the address that browsers see, also behind a proxy that ends TLS).`,
      details: { option: 'baseUrl', variable: 'COATCHECK_BASE_URL' },
    })
  }
  return { url, loopback }
}

/** Adds a base URL if none is configured, for a program that reads stored data and answers no request. */
export function withBaseUrl<O extends { readonly baseUrl?: string | undefined }>(options: O, env: Environment): O {
  const isGiven = options.baseUrl !== undefined || variable(env, 'COATCHECK_BASE_URL') !== undefined
  return isGiven ? options : { ...options, baseUrl: 'http://localhost' }
}

/** A missing base URL must not mean development: the browser would send the session cookie without Secure to a public host. */
function derived(env: Environment, signs: DeploymentSigns): string {
  const mode = variable(env, 'NODE_ENV')
  if (mode === 'production') {
    throw missing(settingOf('', 'baseUrl'), {
      why: 'NODE_ENV is production, where the base URL is never derived from PORT or from a request.',
      fix: 'Set COATCHECK_BASE_URL to the origin that browsers see, such as https://app.example.com.',
    })
  }
  const isDeployed = signs.hasRedis || signs.hasKeys
  if (isDeployed && !(mode !== undefined && DEVELOPMENT_MODES.has(mode))) {
    throw missing(settingOf('', 'baseUrl'), {
      why: `${configured(signs)} configured and NODE_ENV is ${mode === undefined ? 'not set' : 'neither development nor test'}, so this may be a public host. On an assumed http://localhost the session cookie would be without Secure.`,
      fix: 'Set COATCHECK_BASE_URL to the origin that browsers see, such as https://app.example.com. On your own machine set NODE_ENV=development, or COATCHECK_BASE_URL=http://localhost:3000.',
    })
  }
  return `http://localhost:${checkedVariable(env, 'PORT') ?? DEFAULT_PORT}`
}

function configured({ hasRedis, hasKeys }: DeploymentSigns): string {
  if (hasRedis && hasKeys) return 'Redis and keys are'
  return hasRedis ? 'Redis is' : 'Keys are'
}
