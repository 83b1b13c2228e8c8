/**
 * The base URL decides what may be unsafe: on a loopback address the memory store, drawn keys and a cookie without Secure are
 * allowed, anywhere else none of them, whatever `NODE_ENV` says. It is never taken from a request. A base URL that is missing is
 * assumed to be a loopback address only where the environment shows that this is development.
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

/** What a deployment has and a first try does not. */
export interface DeploymentSigns {
  readonly hasRedis: boolean
  readonly hasKeys: boolean
}

const DEVELOPMENT_MODES = new Set(['development', 'test'])

/**
 * @throws {ConfigError} `COATCHECK_CONFIG_MISSING` without one where development is not certain, `COATCHECK_CONFIG_INSECURE` for
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

/** A forgotten base URL must not mean development: the session cookie would travel without Secure on a public host. */
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
