/**
 * The configuration that makes `oidc-provider` behave like Entra ID: endpoints, cookies, lifetimes, rotation, accounts and pages.
 * `grant-rules.ts` defines what a grant allows.
 */
import { randomBytes } from 'node:crypto'
import type { AdapterFactory, ClientMetadata, Configuration, interactionPolicy } from 'oidc-provider'
import { grantRules } from './grant-rules.ts'
import { ON_BEHALF_OF } from './on-behalf-of.ts'
import type { OidcProviderModule } from './load-oidc-provider.ts'
import type { ResolvedDevOptions } from './options.ts'
import { errorPage, logoutPage, type Page, pageHeaders, signedOutPage } from './pages.ts'
import { claimsOf, type DevUser, findUserByHint, findUserBySubject, subjectOf } from './people.ts'

const identityClaims = ['sub', 'oid', 'tid', 'ver', 'roles', 'groups', 'hasgroups', 'idp', 'acct'] as const
const NINETY_DAYS_S = 90 * 24 * 60 * 60
const DAY_S = 24 * 60 * 60

export interface ConfigurationInput {
  readonly options: ResolvedDevOptions
  readonly port: number
  readonly adapter: AdapterFactory
  readonly module: OidcProviderModule
  /** False while the account is disabled. */
  readonly isEnabled: (user: DevUser) => boolean
}

/** Everything except the signing keys, which may change while the rest stays. */
export function buildConfiguration(input: ConfigurationInput): Configuration {
  const { options, adapter, module } = input
  const rules = grantRules(options, module)
  return {
    adapter,
    clients: [clientMetadata(options)],
    cookies: cookies(input.port, options.acceptPost),
    enableHttpPostMethods: options.acceptPost,
    routes: {
      authorization: '/authorize',
      token: '/token',
      jwks: '/keys',
      end_session: '/logout',
      userinfo: '/userinfo',
      revocation: '/revoke',
      introspection: '/introspect',
      pushed_authorization_request: '/par',
    },
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    claims: { openid: [...identityClaims], profile: ['name', 'preferred_username'], email: ['email'] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    ttl: lifetimes(options.accessTokenTtlSeconds),
    rotateRefreshToken: options.rotation !== 'none',
    expiresWithSession: () => false,
    ...rules.configuration,
    findAccount(_ctx, subject) {
      const user = findUserBySubject(subject)
      if (!user || !input.isEnabled(user)) return undefined
      return { accountId: subject, claims: () => claimsOf(user, options.tenantId) }
    },
    interactions: {
      url: (_ctx, interaction) => `/${options.tenantId}/signin/${interaction.uid}`,
      policy: signInPolicy(module),
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      introspection: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => answer(ctx, logoutPage(form)),
        postLogoutSuccessSource: (ctx) => answer(ctx, signedOutPage()),
      },
      resourceIndicators: rules.resourceIndicators,
    },
    clientBasedCORS: () => false,
    renderError: (ctx, out) => answer(ctx, errorPage(out.error, out.error_description)),
    // The package blocks requests to loopback addresses, but the back-channel logout endpoint of a local application is there.
    fetch: (url, init) => globalThis.fetch(url, withoutDispatcher(init)),
  }
}

function clientMetadata(options: ResolvedDevOptions): ClientMetadata {
  return {
    client_id: options.clientId,
    ...clientAuthentication(options),
    client_name: 'Local application',
    redirect_uris: [...options.redirectUris],
    post_logout_redirect_uris: [...options.postLogoutRedirectUris],
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials', ON_BEHALF_OF],
    ...(options.backchannelLogoutUri && {
      backchannel_logout_uri: options.backchannelLogoutUri,
      backchannel_logout_session_required: true,
    }),
  }
}

function clientAuthentication({ clientKeys, clientSecret }: ResolvedDevOptions): Partial<ClientMetadata> {
  if (!clientKeys) return { client_secret: clientSecret, token_endpoint_auth_method: 'client_secret_post' }
  return { jwks: { keys: [...clientKeys] }, token_endpoint_auth_method: 'private_key_jwt' }
}

/** Browsers do not separate cookies by port, so two providers on one host must use different names. */
function cookies(port: number, acceptPost: boolean): NonNullable<Configuration['cookies']> {
  const suffix = String(port)
  return {
    keys: [randomBytes(32).toString('hex')],
    names: { session: `idp_session_${suffix}`, interaction: `idp_signin_${suffix}`, resume: `idp_resume_${suffix}` },
    // Without it, the provider does not recognize the session in a POST from another site.
    ...(acceptPost && { long: { sameSite: 'none', secure: true } }),
  }
}

function lifetimes(accessTokenTtlSeconds: number): NonNullable<Configuration['ttl']> {
  return {
    AccessToken: accessTokenTtlSeconds,
    ClientCredentials: accessTokenTtlSeconds,
    IdToken: accessTokenTtlSeconds,
    AuthorizationCode: 60,
    Interaction: 3600,
    RefreshToken: NINETY_DAYS_S,
    Grant: NINETY_DAYS_S,
    Session: DAY_S,
  }
}

/** `prompt=select_account`, and a `login_hint` that names another user than the signed-in one, show the page again. */
function signInPolicy({ interactionPolicy: { base, Check, Prompt } }: OidcProviderModule): interactionPolicy.Prompt[] {
  const policy = base()
  policy.add(new Prompt({ name: 'select_account', requestable: true }), 0)
  policy.get('login')?.checks.add(
    new Check('login_hint', 'another account is signed in', ({ oidc }) => {
      const hinted = findUserByHint(oidc.params?.login_hint)
      return hinted !== undefined && oidc.session?.accountId !== subjectOf(hinted) && !oidc.result?.login
    }),
  )
  return policy
}

interface AnswerContext {
  body?: unknown
  set(headers: Record<string, string>): void
}

function answer(context: AnswerContext, page: Page): void {
  context.set(pageHeaders(page))
  context.body = page.body.text
}

function withoutDispatcher(init: RequestInit = {}): RequestInit {
  const { dispatcher: _, ...rest } = init as RequestInit & { dispatcher?: unknown }
  return rest
}
