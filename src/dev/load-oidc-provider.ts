/**
 * Loads the optional peer `oidc-provider` at first use, so that this entry can be imported without it. On an older Node release the package
 * prints a console warning during its evaluation. Only that one line is suppressed.
 */
import { ConfigError } from '../core/errors.ts'

export type OidcProviderModule = typeof import('oidc-provider')

let loading: Promise<OidcProviderModule> | undefined

/** @throws `COATCHECK_CONFIG_MISSING` when the package is not installed */
export function loadOidcProvider(): Promise<OidcProviderModule> {
  loading ??= importQuietly().catch((cause: unknown) => {
    loading = undefined
    if ((cause as { code?: unknown } | null)?.code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new ConfigError('COATCHECK_CONFIG_MISSING', {
      message:
        'The development identity provider needs the package "oidc-provider": npm install --save-dev oidc-provider.',
      cause,
    })
  })
  return loading
}

/* eslint-disable no-console -- the only way to keep that line from the user's terminal; undone at once */
async function importQuietly(): Promise<OidcProviderModule> {
  const { warn } = console
  console.warn = (...parts: unknown[]) => {
    if (!/oidc-provider WARNING: Unsupported runtime/.test(String(parts[0]))) warn.apply(console, parts)
  }
  try {
    return await import('oidc-provider')
  } finally {
    console.warn = warn
  }
}
