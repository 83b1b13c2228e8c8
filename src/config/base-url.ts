/**
 * The base URL decides what may be unsafe: on a loopback address the memory store, drawn keys and a cookie without Secure are
 * allowed, anywhere else none of them, whatever `NODE_ENV` says. It is never taken from a request.
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

/**
 * @throws {ConfigError} `COATCHECK_CONFIG_MISSING` in production without one, `COATCHECK_CONFIG_INSECURE` for plain http
 *   on an address that is not loopback, `COATCHECK_CONFIG_INVALID`
 */
export function resolveBaseUrl(option: string | undefined, env: Environment): BaseUrl {
  const given = option ?? checkedVariable(env, 'COATCHECK_BASE_URL')
  const url = new URL(given ?? derived(env))
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

function derived(env: Environment): string {
  if (variable(env, 'NODE_ENV') === 'production') {
    throw missing(settingOf('', 'baseUrl'), {
      why: 'NODE_ENV is production, where the base URL is never derived from PORT or from a request.',
      fix: 'Set COATCHECK_BASE_URL to the origin that browsers see, such as https://app.example.com.',
    })
  }
  return `http://localhost:${checkedVariable(env, 'PORT') ?? DEFAULT_PORT}`
}
