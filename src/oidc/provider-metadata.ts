/**
 * The metadata of a provider: the address that openid-client gets, one request for both configurations of `provider-client.ts`, and
 * the endpoints that sign-in needs.
 */
import type { CustomFetch, ServerMetadata } from 'openid-client'
import type { ResolvedProvider } from '../config/types.ts'
import { OidcError } from '../core/errors.ts'
import { isLoopbackHost } from '../core/loopback-host.ts'
import { copyOf } from './bounded-fetch.ts'
import { shown } from './failed-checks.ts'

const TENANT_TEMPLATE = '{tenantid}'

/**
 * The issuer of a multi-tenant Entra application is a template. openid-client fills it in from the token, but only for
 * metadata discovered at this address; for national clouds and a local provider `withOneMetadataRequest` answers at this address.
 */
const TEMPLATED_SERVER = new URL('https://login.microsoftonline.com/common/v2.0')
const TEMPLATED_METADATA = `${TEMPLATED_SERVER.href}/.well-known/openid-configuration`

/** True for a multi-tenant Entra application, whose users come from many issuers. */
function isMultiTenant(provider: ResolvedProvider): boolean {
  return provider.issuer.includes(TENANT_TEMPLATE)
}

export function serverOf(provider: ResolvedProvider): URL {
  return isMultiTenant(provider) ? TEMPLATED_SERVER : new URL(provider.discoveryUrl)
}

/** Without these endpoints no user can sign in (OIDC Discovery section 3). Discovery reports a wrong one before a visitor meets it. */
const ENDPOINTS = ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const

/** @throws {OidcError} `COATCHECK_OIDC_DISCOVERY` that names the first missing or unusable endpoint */
export function assertEndpoints(provider: ResolvedProvider, metadata: Readonly<ServerMetadata>): void {
  const isUsable = (url: unknown): boolean => {
    if (typeof url !== 'string' || !URL.canParse(url)) return false
    const { protocol, hostname } = new URL(url)
    return protocol === 'https:' || (protocol === 'http:' && provider.allowInsecureHttp && isLoopbackHost(hostname))
  }
  const wrong = ENDPOINTS.find((name) => !isUsable(metadata[name]))
  if (wrong === undefined) return
  const value: unknown = metadata[wrong]
  const problem = value === undefined ? 'name no' : 'have an unusable'
  throw new OidcError('COATCHECK_OIDC_DISCOVERY', {
    message: `The metadata of provider "${provider.name}" ${problem} ${wrong}.`,
    details: { provider: provider.name, reason: 'metadata', check: wrong, got: shown(value) },
  })
}

/** Both configurations come from one document, so that they cannot disagree. */
export function withOneMetadataRequest(provider: ResolvedProvider, send: CustomFetch): CustomFetch {
  const asked = isMultiTenant(provider) ? TEMPLATED_METADATA : new URL(provider.discoveryUrl).href
  let document: Promise<Response> | null = null
  return async (url, options) => {
    if (url !== asked) return labelledJson(await send(url, options), options.body)
    document ??= send(provider.discoveryUrl, options)
    return copyOf(await document)
  }
}

/**
 * A token answer must have the content type `application/json` (RFC 6749 section 5.1). The library also accepts JSON of another type,
 * so it gets such an answer without its body.
 */
function labelledJson(answer: Response, body: unknown): Response {
  const isTokenAnswer = body instanceof URLSearchParams && body.has('grant_type')
  const [type = ''] = (answer.headers.get('content-type') ?? '').split(';')
  if (!isTokenAnswer || answer.status !== 200 || type.trim().toLowerCase() === 'application/json') return answer
  return new Response(null, { status: answer.status, headers: answer.headers })
}
