/**
 * Provider-initiated logout. These routes read and set no cookie and check no origin: the requests come from the provider, or from a frame
 * on its pages, where no Coatcheck cookie arrives. They can only end sessions.
 */
import { isCoatcheckError, OidcError } from '../core/errors.ts'
import { isIssuerOf } from '../oidc/identity.ts'
import { providerReasonOf } from '../oidc/oidc-errors.ts'
import { providerOfLogout } from '../oidc/provider-logout.ts'
import type { RouteDeps } from './route-deps.ts'
import type { RouteRequest } from './route-request.ts'

const MAX_SID_CHARACTERS = 512

/** OpenID Connect Back-Channel Logout 1.0 sections 2.5 to 2.8. */
export async function backChannelLogout<D extends object>(
  deps: RouteDeps<D>,
  request: RouteRequest<D>,
): Promise<Response> {
  try {
    const tokens = (await request.form()).getAll('logout_token')
    const [token = ''] = tokens
    if (tokens.length !== 1 || token === '') throw invalid('logout-token')
    const provider = providerOfLogout(deps.clients.providers, isIssuerOf, nameIn(request.path), null)
    await deps.providerLogout.backChannel(provider, token)
    return new Response(null, { status: 200 })
  } catch (error) {
    if (!isCoatcheckError(error) || error.code !== 'COATCHECK_REQUEST_INVALID') throw error
    const reason = providerReasonOf(error)
    deps.events.emit('request.refused', { code: error.code, route: 'POST /backchannel-logout', ...reason })
    const description = reason.check ?? reason.reason ?? 'logout-token'
    return Response.json({ error: 'invalid_request', error_description: description }, { status: 400 })
  }
}

/** OpenID Connect Front-Channel Logout 1.0 section 3, with Entra ID's `sid` alone. */
export async function frontChannelLogout<D extends object>(
  deps: RouteDeps<D>,
  request: RouteRequest<D>,
): Promise<Response> {
  const [sid = '', ...more] = request.query.getAll('sid')
  if (sid === '' || sid.length > MAX_SID_CHARACTERS || more.length > 0) throw invalid('sid')
  const provider = providerOfLogout(deps.clients.providers, isIssuerOf, nameIn(request.path), request.query.get('iss'))
  await deps.providerLogout.frontChannel(provider, sid)
  // No frame-ancestors, because the provider loads this page in a frame.
  return new Response('<!doctype html><html lang="en"><title>Signed out</title><p>Signed out.</p></html>', {
    headers: { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': "default-src 'none'" },
  })
}

/** While only one provider is configured, its path contains no name. */
function nameIn(path: string): string | null {
  return path.split('/')[2] ?? null
}

function invalid(reason: string): OidcError {
  return new OidcError('COATCHECK_REQUEST_INVALID', { details: { reason } })
}
