/** Reads the encryption keys of a configuration for tools of operators, which need no base URL. */
import { withBaseUrl } from '../config/base-url.ts'
import { processEnvironment } from '../config/environment.ts'
import { resolveConfig } from '../config/resolve.ts'
import type { Options } from '../config/types.ts'

/**
 * Returns the encryption keys of the configuration as a list. They are secrets, and `addKey()` takes them. Empty: no key is configured, with a
 * loopback base URL.
 * @throws {ConfigError} `COATCHECK_CONFIG_INVALID`, `COATCHECK_CONFIG_UNKNOWN_OPTION`, `COATCHECK_CONFIG_MISSING`,
 *   `COATCHECK_CONFIG_INSECURE`, `COATCHECK_STORE_REQUIRED`
 */
export function configuredKeys(options: Options): readonly string[] {
  const env = processEnvironment()
  return resolveConfig(withBaseUrl(options, env), env).keys
}
