/** Routes to the provider and back: login, callback, logout. docs/http-routes.md describes their parameters and responses. */
import type { ResolvedProvider } from '../config/types.ts'
import { isCoatcheckError, OidcError } from '../core/errors.ts'
import type { ProviderReason } from '../core/provider-reason.ts'
import { type CompletedSignIn, completeSignIn, stateOf } from '../oidc/callback.ts'
import { bareDescription } from '../oidc/entra-reason.ts'
import { admit } from '../oidc/identity.ts'
import { startSignIn } from '../oidc/sign-in.ts'
import { readSignInParams, type SignedParams } from '../oidc/sign-in-params.ts'
import { isApplicationDenial, providerReasonOf } from '../oidc/oidc-errors.ts'
import { type EndSessionForm, endSessionOf } from '../oidc/sign-out.ts'
import { putSetCookie } from './cookie.ts'
import { acceptsHtml, HOME, plainErrorResponse } from './error-response.ts'
import { assertSameOrigin, navigationKind } from './origin-check.ts'
import { pageResponse } from './page.ts'
import { safeReturnTo } from './return-to.ts'
import type { RouteDeps } from './route-deps.ts'
import { changed, type RouteRequest, seeOther } from './route-request.ts'
import { addPending, pendingSignIn } from './pending-sign-ins.ts'

/** Provider response parameters that the relay page forwards. */
const ANSWER_PARAMETERS = ['state', 'code', 'iss', 'error', 'error_subcode'] as const
const RELAYED = 'coatcheck_relayed'

export async function login<D extends object>(deps: RouteDeps<D>, request: RouteRequest<D>): Promise<Response> {
  const { config, cookies } = deps
  const kind = navigationKind(request.headers)
  if (kind === 'background') throw new OidcError('COATCHECK_REQUEST_INVALID', { details: { reason: 'background' } })
  if (kind === 'unasked') return confirmLogin(deps, request.query)
  const provider = request.query.get('provider')
  const remembersSignOut = config.signIn.askAfterSignOut !== false && cookies.hasSignedOut(request.cookieHeader)
  const { url, transaction } = await startSignIn(deps.signIn, {
    ...(provider !== null && { provider }),
    returnTo: safeReturnTo(request.query.get('returnTo'), config.baseUrl.origin, config.basePath),
    loginHint: request.query.get('login_hint'),
    asksAccount: remembersSignOut || request.query.get('account') === 'choose',
    maxAgeSeconds: maxAgeIn(request.query),
    params: await signedParams(deps, request, provider ?? ''),
  })
  addPending(deps, request, transaction)
  return seeOther(url.href)
}

/**
 * Reads the session of the browser only if the request has signed parameters. If the store does not answer, the sign-in goes on without it.
 */
async function signedParams<D extends object>(
  { signIn: { keyring }, clock }: RouteDeps<D>,
  request: RouteRequest<D>,
  provider: string,
): Promise<SignedParams | null> {
  const params = readSignInParams(keyring, provider, request.query.get('params'), clock)
  const visit = params && (await request.requestSession.getVisit().catch(() => null))
  const user = visit?.session.user
  return params && user ? params.openFor(keyring.userKey(user.id)) : null
}

/** A visitor who changes `max_age` gains nothing: the route checks `auth_time` again. Anything but whole seconds is ignored. */
function maxAgeIn(query: URLSearchParams): number | null {
  const text = query.get('max_age') ?? ''
  return /^\d{1,9}$/.test(text) ? Number(text) : null
}

/** Another site sent the browser here without a click, so the user decides. */
function confirmLogin<D extends object>({ config }: RouteDeps<D>, query: URLSearchParams): Response {
  const kept = new URLSearchParams(
    [...query].filter(([name]) =>
      ['provider', 'returnTo', 'login_hint', 'account', 'max_age', 'params'].includes(name),
    ),
  )
  const href = `${config.basePath}/login${kept.size > 0 ? `?${kept.toString()}` : ''}`
  return pageResponse(
    {
      title: 'Continue to sign-in?',
      text: 'Another website sent you here to sign in. Continue only if you expected that.',
      icon: 'person',
      action: { href, text: 'Continue' },
      other: HOME,
    },
    config.pages,
  )
}

export async function callback<D extends object>(deps: RouteDeps<D>, request: RouteRequest<D>): Promise<Response> {
  const { config, clients, events, cookies } = deps
  const redirectUri = new URL(config.basePath + request.path, config.baseUrl.origin).href
  const providerName = clients.providers.find((provider) => deps.signIn.redirectUri(provider) === redirectUri)?.name
  if (providerName === undefined) return plainErrorResponse(404, request.headers, config.pages)
  try {
    const parameters = request.method === 'POST' ? await request.form() : request.query
    const transactionId = deps.signIn.transactions.idOf(stateOf(parameters))
    if (needsRelay(deps, request, parameters, transactionId)) return relay(deps, request, redirectUri, parameters)
    const completed = await completeSignIn(
      { clients, transactions: deps.signIn.transactions, redemptions: deps.redemptions, clock: deps.clock },
      { parameters: relayed(parameters), redirectUri, sealed: (id) => pendingSignIn(deps, request, id) },
    )
    const sessionId = await openSession(deps, request, completed)
    putSetCookie(request.sink, cookies.clearTransaction(transactionId))
    if (cookies.hasSignedOut(request.cookieHeader)) putSetCookie(request.sink, cookies.clearSignedOut())
    events.emit('signin.completed', { provider: providerName, sessionId })
    return seeOther(completed.returnTo ?? '/')
  } catch (error) {
    events.emit('signin.failed', { provider: providerName, ...reasonOf(error) })
    throw error
  }
}

/**
 * Stores the session first, then its tokens: so ending the user's other sessions cannot delete the tokens of this one. The previous session
 * of the browser ends last, so a sign-in that fails halfway leaves the visitor signed in.
 */
async function openSession<D extends object>(
  { config, tokens, clients, providerLogout, clock }: RouteDeps<D>,
  request: RouteRequest<D>,
  { identity, tokens: received }: CompletedSignIn,
): Promise<string> {
  const preset = clients.find(identity.provider)?.preset ?? 'oidc'
  const { userId, profile, authentication } = await admit(identity, config.signIn, clock.now(), preset)
  const visit = await request.requestSession.getVisit()
  const carry = (config.signIn.carry ?? []) as readonly (keyof D & string)[]
  const beforeComplete = async (sessionId: string): Promise<void> => {
    await providerLogout.register(identity, sessionId)
    await tokens.setUserTokens(userId, received, { provider: identity.provider })
  }
  return (await visit.signIn({ userId, profile, authentication, carry, beforeComplete })).id ?? ''
}

/**
 * A cross-site POST arrives without Lax cookies, and a cross-site redirect arrives without a Strict cookie. So a Coatcheck page sends the
 * same response again, this time with its cookies.
 */
function needsRelay<D extends object>(
  { config, cookies }: RouteDeps<D>,
  { method, cookieHeader, headers }: RouteRequest<D>,
  parameters: URLSearchParams,
  transactionId: string,
): boolean {
  if (parameters.has(RELAYED)) return false
  if (method === 'POST') return cookies.readTransaction(cookieHeader, transactionId).status === 'none'
  return config.cookie.sameSite === 'strict' && headers.get('sec-fetch-site') !== 'same-origin'
}

function relay<D extends object>(
  { config }: RouteDeps<D>,
  request: RouteRequest<D>,
  action: string,
  parameters: URLSearchParams,
): Response {
  const fields = new URLSearchParams([[RELAYED, '1']])
  for (const name of ANSWER_PARAMETERS) {
    const value = parameters.get(name)
    if (value !== null) fields.set(name, value)
  }
  // Never forwarded unchanged: the description may name a person, and the page can put it into an address.
  const description = bareDescription(parameters.get('error_description') ?? '')
  if (description !== null) fields.set('error_description', description)
  const method = request.method === 'POST' ? 'post' : 'get'
  return pageResponse(
    {
      title: 'Signing you in',
      text: 'If nothing happens, please press the button.',
      icon: 'person',
      form: { method, action, fields, button: 'Continue', sendsItself: true },
    },
    config.pages,
  )
}

function relayed(parameters: URLSearchParams): URLSearchParams {
  const copy = new URLSearchParams(parameters)
  copy.delete(RELAYED)
  return copy
}

/** A GET never signs out, because any page could trigger one. This page has the button. */
export function confirmLogout<D extends object>({ config }: RouteDeps<D>, { query }: RouteRequest<D>): Response {
  const returnTo = safeReturnTo(query.get('returnTo'), config.baseUrl.origin, config.basePath)
  return pageResponse(
    {
      title: 'Sign out?',
      text: 'This ends your session in this browser. Other devices stay signed in.',
      icon: 'exit',
      other: HOME,
      form: {
        method: 'post',
        action: `${config.basePath}/logout`,
        fields: new URLSearchParams(returnTo === null ? {} : { returnTo }),
        button: 'Sign out',
        sendsItself: false,
        checksOrigin: true,
        targets: endSessionSources(config.providers),
      },
    },
    config.pages,
  )
}

/** The logout form is redirected to the provider, whose end-session endpoint may be on another host than its issuer. */
function endSessionSources(providers: readonly ResolvedProvider[]): readonly string[] {
  const insecure = providers.filter((provider) => provider.allowInsecureHttp)
  return [...new Set(['https:', ...insecure.map(({ issuer }) => new URL(issuer).origin)])]
}

export async function logout<D extends object>(deps: RouteDeps<D>, request: RouteRequest<D>): Promise<Response> {
  const { config, clients, tokens, events } = deps
  assertSameOrigin(request.headers, config.baseUrl.origin)
  const sent = await request.form()
  const visit = await request.requestSession.getVisit()
  const { id, user, authentication } = visit.session
  const provider = authentication && clients.find(authentication.provider) ? authentication.provider : null
  // Read before the session ends, because its end deletes the tokens. Without the hint, the provider asks the user first.
  const stored = user && provider !== null ? await tokens.getUserTokens(user.id, { provider }).catch(() => null) : null
  await visit.signOut('signed-out')
  if (id !== null) events.emit('signout', { sessionId: id, ...(provider !== null && { provider }) })
  const postLogoutRedirectUri = new URL('/', config.baseUrl.origin).href
  const atProvider =
    provider === null || !authentication
      ? null
      : await endSessionOf(clients, {
          ...{ provider, idToken: stored?.idToken ?? null, signIn: authentication },
          postLogoutRedirectUri,
        })
  const returnTo = safeReturnTo(sent.get('returnTo'), config.baseUrl.origin, config.basePath) ?? '/'
  const redirectTo = atProvider?.url.href ?? returnTo
  const form = atProvider?.form ?? null
  if (form && acceptsHtml(request.headers)) return endSessionPage(deps, form)
  return changed(request.headers, redirectTo, { redirectTo, ...(form && { form: formOnTheWire(form) }) })
}

/** Sends the ID token to the provider in the request body, so that it appears in no URL, history or access log. */
function endSessionPage<D extends object>({ config }: RouteDeps<D>, { action, fields }: EndSessionForm): Response {
  const targets = endSessionSources(config.providers)
  return pageResponse(
    {
      title: 'Signing you out',
      text: 'You are signed out here. If nothing happens, please press the button to sign out at your provider, too.',
      icon: 'exit',
      form: { method: 'post', action, fields, button: 'Continue', sendsItself: true, targets },
    },
    config.pages,
  )
}

/** For a client that gets JSON and builds the form itself. */
function formOnTheWire({ action, fields }: EndSessionForm): Readonly<Record<string, unknown>> {
  return { method: 'post', action, fields: Object.fromEntries(fields) }
}

function reasonOf(error: unknown): ProviderReason & { readonly code: string; readonly why?: string } {
  if (!isCoatcheckError(error)) return { code: 'UNKNOWN' }
  const { code, message } = error
  // The application's message is meant for its log. The provider's description may name a person.
  return { code, ...providerReasonOf(error), ...(isApplicationDenial(error) && { why: message }) }
}
