/** Errors of identity providers: tokens, sign-in, and the requests of browsers to the routes. */
import type { CatalogueEntry } from './catalogue-entry.ts'

const token = { family: 'token', retryable: false, status: 502 } as const
const oidc = { family: 'oidc', retryable: false, status: 400 } as const

export const tokenErrors = {
  COATCHECK_TOKEN_NONE: {
    ...token,
    status: 401,
    why: 'No tokens are stored for this user and provider.',
    fix: 'The user has to sign in; tokens are stored at sign-in or by setUserTokens.',
  },
  COATCHECK_REAUTH_REQUIRED: {
    ...token,
    status: 401,
    why: 'The provider requires the user to sign in again before it issues this token.',
    fix: 'Redirect the user to details.signInUrl of this error.',
  },
  COATCHECK_TOKEN_REFRESH_REJECTED: {
    ...token,
    why: 'The provider refused the refresh request as such (scope, resource or client), not the user.',
    fix: 'Check scopes, resource and client credentials at the provider. No user was signed out.',
  },
  COATCHECK_TOKEN_REFRESH_UNAVAILABLE: {
    ...token,
    retryable: true,
    status: 503,
    why: 'The provider could not be reached or is overloaded, and no valid token is left.',
    fix: 'Repeat the request later. No user was signed out.',
  },
  COATCHECK_TOKEN_ANSWER_INVALID: {
    ...token,
    retryable: true,
    why: 'The provider answered a token request, but its answer does not pass a check. No token of it was handed out.',
    fix: 'Read details.check and details.reason. Compare the clock of this machine with that of the provider. Then check the registration of the client.',
  },
  COATCHECK_TOKEN_CONFLICT: {
    ...token,
    retryable: true,
    status: 503,
    why: 'The tokens were changed by others while this change was being applied.',
    fix: 'Repeat the call.',
  },
} as const satisfies Record<string, CatalogueEntry>

export const oidcErrors = {
  COATCHECK_OIDC_DISCOVERY: {
    ...oidc,
    retryable: true,
    status: 503,
    why: 'The metadata of the identity provider could not be read, or does not belong to the configured issuer.',
    fix: 'Check the issuer or tenant id, and that the provider can be reached from here.',
  },
  COATCHECK_OIDC_UNAVAILABLE: {
    ...oidc,
    retryable: true,
    status: 503,
    why: 'The identity provider did not answer, or answered with a server error.',
    fix: 'Repeat the sign-in later.',
  },
  COATCHECK_OIDC_CLIENT_REJECTED: {
    ...oidc,
    status: 502,
    why: 'The identity provider refused this application: wrong client id, secret or certificate.',
    fix: 'Check the client credentials and whether the secret has expired.',
  },
  COATCHECK_SIGNIN_EXPIRED: {
    ...oidc,
    why: 'The sign-in was started more than ten minutes ago, has been used already, or was started in another browser.',
    fix: 'Start the sign-in again.',
  },
  COATCHECK_SIGNIN_REJECTED: {
    ...oidc,
    why: 'The answer of the identity provider does not pass the checks (state, nonce, issuer, signature, audience).',
    fix: 'Start the sign-in again. If it happens always, compare redirect URI, issuer and client id with the provider.',
  },
  COATCHECK_SIGNIN_DENIED: {
    ...oidc,
    status: 403,
    why: 'The identity provider or the application did not let this user in.',
    fix: 'The user can try another account; see the reason in the log.',
  },
  COATCHECK_REQUEST_CROSS_SITE: {
    ...oidc,
    status: 403,
    why: 'A request that changes something came from another site.',
    fix: 'Send it from a page of the same origin; check COATCHECK_BASE_URL if it is.',
  },
  COATCHECK_REQUEST_NOT_LOCAL: {
    ...oidc,
    status: 403,
    why: 'The base URL is a loopback address, which is for development on one machine, and the request came from another machine.',
    fix: 'Set COATCHECK_BASE_URL to the https origin that browsers see. In a container for development, set COATCHECK_LOCAL_PEERS to the address that the message names.',
  },
  COATCHECK_REQUEST_INVALID: {
    ...oidc,
    why: 'The request does not have the form that this route expects.',
    fix: 'See docs/http-routes.md for method and body of each route.',
  },
} as const satisfies Record<string, CatalogueEntry>
