/**
 * RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0): where to send the browser after the session here has ended.
 * Ending comes first and does not depend on the provider; a provider without the endpoint, or one that is away, only means
 * that the visitor stays signed in there.
 */
import { parseJson } from '../core/json.ts'
import { buildEndSessionUrl } from 'openid-client'
import type { ProviderClient, ProviderClients } from './provider-client.ts'

/** The visitor is signed out here already and waits for nothing but an address. */
const ADDRESS_DEADLINE_MS = 2_000

export interface EndSessionRequest {
  readonly provider: string
  /** The ID token of the sign-in, when it is still stored. */
  readonly idToken: string | null
  /** From configuration; has to be registered at the provider. */
  readonly postLogoutRedirectUri: string
}

/** The way to the end-session endpoint. */
export interface EndSession {
  readonly url: URL
  /** With `endSessionMethod: 'post'` and an ID token: the form that hands it over. `url` has no hint then. */
  readonly form: EndSessionForm | null
}

export interface EndSessionForm {
  readonly action: string
  readonly fields: URLSearchParams
}

/** `null` when the provider has no such endpoint or cannot be reached within 2 s. Never throws. */
export async function endSessionOf(clients: ProviderClients, request: EndSessionRequest): Promise<EndSession | null> {
  if (!clients.find(request.provider)) return null
  try {
    const client = await withinDeadline(clients.get(request.provider))
    if (client === null || client.endSessionEndpoint === null) return null
    const hint = hintOf(client, request.idToken)
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
 * Entra ID takes the `login_hint` claim instead of the token, so the token stays on the server. Other providers rely on the
 * specification's `id_token_hint` to skip their question. See docs/decisions/0025.
 */
function hintOf({ provider }: ProviderClient, idToken: string | null): Record<string, string> {
  if (idToken === null) return {}
  if (provider.preset !== 'entra') return { id_token_hint: idToken }
  const hint = loginHintOf(idToken)
  return hint === null ? {} : { logout_hint: hint }
}

/** From a token that was validated at sign-in and has lain sealed since. */
function loginHintOf(idToken: string): string | null {
  try {
    const payload = Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString('utf8')
    const { login_hint: hint } = parseJson(payload) as Record<string, unknown>
    return typeof hint === 'string' ? hint : null
  } catch {
    return null
  }
}
