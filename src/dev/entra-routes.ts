/**
 * Maps Entra ID's addresses to the provider behind them. Applications use the same paths as at
 * `https://login.microsoftonline.com/<tenant>`; the issuer keeps its `/v2.0`.
 */
export interface MatchedRoute {
  /** `authorize`, `token`, `keys`, `logout`, `userinfo`, `revoke`, `introspect`, `par`, `discovery`, or `other`. */
  readonly name: string
  /** The path below the issuer. */
  readonly path: string
}

const endpoints = ['authorize', 'token', 'logout', 'revoke', 'introspect', 'par'] as const
const discoveryPath = '/.well-known/openid-configuration'

/** `null` for an address that does not belong to the provider. */
export function matchRoute(pathname: string, tenantId: string): MatchedRoute | null {
  const issuerPath = `/${tenantId}/v2.0`
  if (pathname === `${issuerPath}${discoveryPath}`) return { name: 'discovery', path: discoveryPath }
  if (pathname === `/${tenantId}/discovery/v2.0/keys`) return { name: 'keys', path: '/keys' }
  if (pathname === '/oidc/userinfo') return { name: 'userinfo', path: '/userinfo' }
  for (const base of [`/${tenantId}/oauth2/v2.0`, '/common/oauth2/v2.0', '/organizations/oauth2/v2.0', issuerPath]) {
    if (!pathname.startsWith(`${base}/`)) continue
    const path = pathname.slice(base.length)
    return { name: endpoints.find((name) => path === `/${name}`) ?? 'other', path }
  }
  return null
}

/** `/common` and `/organizations`: one document for every tenant, with a template as issuer. */
export function isTenantlessDiscovery(pathname: string): boolean {
  return pathname === `/common/v2.0${discoveryPath}` || pathname === `/organizations/v2.0${discoveryPath}`
}

/** The tenant of a well-formed address that is not this provider's tenant. */
export function foreignTenantIn(pathname: string): { readonly tenant: string; readonly isPage: boolean } | null {
  const [, tenant = '', rest = ''] = /^\/([^/]{1,200})\/((?:oauth2\/|discovery\/)?v2\.0\/.*)$/.exec(pathname) ?? []
  return tenant === '' ? null : { tenant: decoded(tenant), isPage: /\/(?:authorize|logout)$/.test(rest) }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/** The addresses in the discovery document. */
export function entraEndpoints(origin: string, tenantId: string): Readonly<Record<string, string>> {
  const base = `${origin}/${tenantId}/oauth2/v2.0`
  return {
    authorization_endpoint: `${base}/authorize`,
    token_endpoint: `${base}/token`,
    end_session_endpoint: `${base}/logout`,
    revocation_endpoint: `${base}/revoke`,
    introspection_endpoint: `${base}/introspect`,
    jwks_uri: `${origin}/${tenantId}/discovery/v2.0/keys`,
    userinfo_endpoint: `${origin}/oidc/userinfo`,
  }
}

/**
 * The provider drops `offline_access` unless the request asks for consent; Entra does not. So this adds the prompt, and the consent is
 * answered without a page.
 */
export function withConsentPrompt(search: string): string {
  const query = new URLSearchParams(search)
  const prompts = new Set((query.get('prompt') ?? '').split(' ').filter(Boolean))
  if (prompts.has('none')) return search
  query.set('prompt', [...prompts.add('consent')].join(' '))
  return `?${query.toString()}`
}
