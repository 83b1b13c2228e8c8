/**
 * A sign-in that needs a recent authentication (OpenID Connect Core section 3.1.2.1). With `max_age` a provider must ask for the
 * credentials and send `auth_time`. Entra ID reads `prompt=login`, and sends `auth_time` when the request names the claim.
 */
import type { ResolvedProvider } from '../config/types.ts'
import { parseJson } from '../core/json.ts'

export interface FreshSignIn {
  /** The parameter `max_age`, in seconds. */
  readonly maxAge: string
  /** `null`: `max_age` alone decides whether the provider asks. */
  readonly prompt: 'login' | null
  /** The parameter `claims`. `null`: the `claims` of the request stay unchanged. */
  readonly claims: string | null
}

const AUTH_TIME = { auth_time: { essential: true } }

/**
 * Returns the parameters that request a recent authentication.
 * @param claims the `claims` parameter of the request, as JSON
 */
export function freshSignIn({ preset }: ResolvedProvider, maxAgeSeconds: number, claims: string | null): FreshSignIn {
  const maxAge = String(maxAgeSeconds)
  if (preset !== 'entra') return { maxAge, prompt: null, claims: null }
  return { maxAge, prompt: 'login', claims: withAuthTime(claims) }
}

function withAuthTime(claims: string | null): string {
  const asked = claims === null ? {} : (parseJson(claims) as { readonly id_token?: object | null })
  return JSON.stringify({ ...asked, id_token: { ...asked.id_token, ...AUTH_TIME } })
}
