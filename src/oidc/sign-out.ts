/**
 * RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0): returns where to send the browser after the session here has ended.
 * The session ends first and does not depend on the provider. If the provider has no such endpoint or does not answer, the visitor only
 * stays signed in there.
 */
import { parseJson } from '../core/json.ts'
import { buildEndSessionUrl } from 'openid-client'
import type { Authentication } from '../session/sign-in-input.ts'
import type { ProviderClient, ProviderClients } from './provider-client.ts'

/** The visitor is already signed out here and waits only for a URL. */
const ADDRESS_DEADLINE_MS = 2_000

export interface EndSessionRequest {
  readonly provider: string
  /** The user's stored ID token, which may belong to a sign-in on another device; `null` without one. */
  readonly idToken: string | null
  /** The sign-in of the session that has ended. */
  readonly signIn: Pick<Authentication, 'issuer' | 'subject' | 'sid'>
  /** From configuration; the provider must have it registered. */
  readonly postLogoutRedirectUri: string
}

/** The URL or form that leads to the end-session endpoint. */
export interface EndSession {
  readonly url: URL
  /** With `endSessionMethod: 'post'` and an ID token: the form that sends it. `url` then has no hint. */
  readonly form: EndSessionForm | null
}

export interface EndSessionForm {
  readonly action: string
  readonly fields: URLSearchParams
}

/** Returns `null` when the provider has no such endpoint or does not answer within 2 s. Never throws. */
export async function endSessionOf(clients: ProviderClients, request: EndSessionRequest): Promise<EndSession | null> {
  if (!clients.find(request.provider)) return null
  try {
    const client = await withinDeadline(clients.get(request.provider))
    if (client === null || client.endSessionEndpoint === null) return null
    const hint = hintOf(client, request)
    const parameters = { post_logout_redirect_uri: request.postLogoutRedirectUri }
    if (client.provider.endSessionMethod !== 'post' || !hint['id_token_hint']) {
      return { url: buildEndSessionUrl(client.signIn, { ...hint, ...parameters }), form: null }
    }
    const fields = new URLSearchParams({ ...hint, ...parameters, client_id: client.provider.clientId })
    return {
      url: buildEndSessionUrl(client.signIn, parameters),
      form: { action: client.endSessionEndpoint, fields },
    }
  } catch {
    return null
  }
}

async function withinDeadline<T>(value: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<null>((resolve) => {
    timer = setTimeout(resolve, ADDRESS_DEADLINE_MS, null)
  })
  try {
    return await Promise.race([value, deadline])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Entra ID accepts the `login_hint` claim instead of the token, so the token stays on the server. Other providers rely on the
 * specification's `id_token_hint` to skip their question. See docs/decisions/0025.
 * Tokens are stored per user, so the ID token may belong to a later sign-in on another device. As a hint it would name the provider
 * session of that device (`sid`). The provider may then end that session, or decline (RP-Initiated Logout 1.0 sections 2 and 4). So no hint
 * is sent in this case.
 */
function hintOf({ provider }: ProviderClient, { idToken, signIn }: EndSessionRequest): Record<string, string> {
  const claims = idToken === null ? null : claimsOf(idToken)
  if (idToken === null || claims === null) return {}
  if (claims['iss'] !== signIn.issuer || claims['sub'] !== signIn.subject) return {}
  if (provider.preset === 'entra') {
    const hint = claims['login_hint']
    return typeof hint === 'string' ? { logout_hint: hint } : {}
  }
  return claims['sid'] === undefined || claims['sid'] === signIn.sid ? { id_token_hint: idToken } : {}
}

/** Reads the claims of a token that was validated at sign-in and has been sealed since. `null`: the text is no token. */
function claimsOf(idToken: string): Readonly<Record<string, unknown>> | null {
  try {
    const payload = Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString('utf8')
    return parseJson(payload) as Record<string, unknown>
  } catch {
    return null
  }
}
