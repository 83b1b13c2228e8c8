/**
 * Defines what a grant allows. At Entra ID one consent covers every API of the application: a refresh token from a sign-in for one API also
 * serves the others, with one audience per access token. `oidc-provider` itself is stricter.
 */
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider'
import type { OidcProviderModule } from './load-oidc-provider.ts'
import type { DevApi, ResolvedDevOptions } from './options.ts'
import { findUserBySubject, objectIdOf } from './people.ts'

/** An access token is valid for one resource. */
const SEVERAL_RESOURCES =
  'AADSTS28000: Provided value for the input parameter scope is not valid because it contains more than one resource.'

type ResourceIndicators = NonNullable<NonNullable<Configuration['features']>['resourceIndicators']>

export interface GrantRules {
  readonly configuration: Pick<Configuration, 'loadExistingGrant' | 'issueRefreshToken' | 'extraTokenClaims'>
  readonly resourceIndicators: ResourceIndicators
}

/** Scope and resource of the sign-in. A refresh without scope and resource requests them again. */
interface FirstRequest {
  readonly scope: string
  readonly resource: string | readonly string[] | undefined
}

export function grantRules(options: ResolvedDevOptions, module: OidcProviderModule): GrantRules {
  const { apis } = options
  const firstRequests = new Map<string, FirstRequest>()
  return {
    configuration: {
      loadExistingGrant: (ctx) => createFullGrant(ctx, apis),
      issueRefreshToken(_ctx, client, source) {
        if (!client.grantTypeAllowed('refresh_token') || !source.scopes.has('offline_access')) return false
        // The refresh token inherits scope and resources from its source, so the source is widened.
        const widened = source as { scope?: string | undefined; resource?: string | string[] | undefined }
        firstRequests.set(source.grantId ?? '', { scope: widened.scope ?? '', resource: widened.resource })
        widened.scope = [...new Set([...source.scopes, ...apis.flatMap(scopesOf)])].join(' ')
        widened.resource = apis.map((api) => api.audience)
        return true
      },
      extraTokenClaims: (_ctx, token) => tokenClaims(token, options),
    },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      defaultResource: (ctx, _client, oneOf) =>
        oneOf ? chooseAtToken(ctx, apis, firstRequests, module) : chooseAtStart(ctx, apis),
      getResourceServerInfo(_ctx, resource) {
        const api = apis.find(({ audience }) => audience === resource)
        if (!api) throw new module.errors.InvalidTarget()
        return resourceServerOf(api, options)
      },
    },
  }
}

export function resourceServerOf(api: DevApi, { accessTokenTtlSeconds }: ResolvedDevOptions) {
  return {
    audience: api.audience,
    scope: scopesOf(api).join(' '),
    accessTokenTTL: accessTokenTtlSeconds,
    accessTokenFormat: 'jwt' as const,
    jwt: { sign: { alg: 'RS256' as const } },
  }
}

/** Grants consent to all APIs, at once and without a page. */
async function createFullGrant({ oidc }: KoaContextWithOIDC, apis: readonly DevApi[]) {
  const { provider, session, client } = oidc
  if (!session?.accountId || !client) return undefined
  const grant = new provider.Grant({ accountId: session.accountId, clientId: client.clientId })
  grant.addOIDCScope('openid profile email offline_access')
  for (const api of apis) grant.addResourceScope(api.audience, scopesOf(api).join(' '))
  await grant.save()
  return grant
}

/** `api://orders/Orders.Read` and `api://orders/.default` as at Entra; the bare name for `resource` of RFC 8707. */
function scopesOf(api: DevApi): string[] {
  return [...api.scopes.map((scope) => `${api.audience}/${scope}`), `${api.audience}/.default`, ...api.scopes]
}

/** At sign-in, a grant covers all APIs. An application token (client credentials) covers the API in its scope. */
function chooseAtStart({ oidc }: KoaContextWithOIDC, apis: readonly DevApi[]): string | string[] | undefined {
  if (oidc.route === 'token') return audienceIn(oidc.params?.scope, apis)
  return apis.map((api) => api.audience)
}

/** The API that the request names by scope, otherwise the one of the sign-in. Without any, the token is for userinfo. */
function chooseAtToken(
  { oidc }: KoaContextWithOIDC,
  apis: readonly DevApi[],
  firstRequests: ReadonlyMap<string, FirstRequest>,
  { errors }: OidcProviderModule,
): string | undefined {
  const asked = oidc.params?.scope
  if (apisIn(asked, apis).length > 1) throw new errors.InvalidScope(SEVERAL_RESOURCES, String(asked))
  if (asked !== undefined) return audienceIn(asked, apis)
  const { AuthorizationCode: code, RefreshToken: refreshToken } = oidc.entities
  const first = firstRequests.get((code ?? refreshToken)?.grantId ?? '')
  if (typeof first?.resource === 'string') return first.resource
  return audienceIn(first?.scope ?? code?.scope, apis)
}

function audienceIn(scope: unknown, apis: readonly DevApi[]): string | undefined {
  return apiIn(scope, apis)?.audience
}

/** The API whose name begins one of the scopes. */
export function apiIn(scope: unknown, apis: readonly DevApi[]): DevApi | undefined {
  return apisIn(scope, apis)[0]
}

function apisIn(scope: unknown, apis: readonly DevApi[]): readonly DevApi[] {
  const scopes = typeof scope === 'string' ? scope.split(' ') : []
  return apis.filter(({ audience }) => scopes.some((name) => name.startsWith(`${audience}/`)))
}

/** Claims that Entra adds to an access token (version 2.0) besides the standard ones. */
function tokenClaims(
  token: Parameters<NonNullable<Configuration['extraTokenClaims']>>[1],
  { apis, tenantId }: ResolvedDevOptions,
): Record<string, unknown> {
  const app = { tid: tenantId, ver: '2.0', azp: token.clientId }
  const user = 'accountId' in token ? findUserBySubject(token.accountId) : undefined
  if (!user) return app
  const api = apis.find(({ audience }) => audience === token.aud)
  const scp = api ? shortScopes(token.scope ?? '', api).join(' ') : (token.scope ?? '')
  return { ...app, scp, oid: objectIdOf(user), name: user.name, preferred_username: user.email, roles: [...user.roles] }
}

function shortScopes(scope: string, api: DevApi): string[] {
  const granted = new Set(scope.split(' ').map((name) => name.replace(`${api.audience}/`, '')))
  return granted.has('.default') ? [...api.scopes] : [...granted]
}
