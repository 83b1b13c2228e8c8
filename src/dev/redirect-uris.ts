/**
 * Whether a redirect URI is registered. Entra ID compares as text, with one exception: it ignores the port of `http://localhost`
 * (RFC 8252 section 7.3). `127.0.0.1` and https have no exception here.
 */
import type Provider from 'oidc-provider'
import type { ResolvedDevOptions } from './options.ts'

type Registered = Pick<ResolvedDevOptions, 'redirectUris' | 'postLogoutRedirectUris'>

const LOCALHOST = /^(http:\/\/localhost)(?::\d+)?(?=[/?#]|$)/

export function isRegistered(uri: string, registered: readonly string[]): boolean {
  return registered.some((one) => comparable(one) === comparable(uri))
}

export function ignoresPort(uri: string): boolean {
  return LOCALHOST.test(uri)
}

function comparable(uri: string): string {
  return uri.replace(LOCALHOST, '$1')
}

/** The package ignores the port only for native applications at an IP address. This application is a web application. */
export function compareAsEntra({ Client }: Provider, { redirectUris, postLogoutRedirectUris }: Registered): void {
  Object.assign(Client.prototype as object, {
    redirectUriAllowed: (uri: string) => isRegistered(uri, redirectUris),
    postLogoutRedirectUriAllowed: (uri: string) => isRegistered(uri, postLogoutRedirectUris),
  })
}
