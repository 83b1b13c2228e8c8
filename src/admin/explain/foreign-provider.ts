/** Explains log lines about a provider: an unreachable address, and failed token checks. */
import { foreignCatalogue } from './explanation.ts'

const RULES = 'https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation'

/** Matches a line about a provider. `ECONNREFUSED` in such a line has nothing to do with Redis. */
const ABOUT_PROVIDER = String.raw`openid-configuration|COATCHECK_OIDC_|COATCHECK_TOKEN_REFRESH_|\b(?:provider\.discovery|signin|token\.refresh|token\.revocation)-?\.?failed`

/** Matches words in one line that is, or is not, about a provider. */
export function inLine(words: string, about: 'provider' | 'something else'): RegExp {
  return new RegExp(`^(?${about === 'provider' ? '=' : '!'}.*(?:${ABOUT_PROVIDER})).*(?:${words})`, 'm')
}

/** Matches the field `check` of a log line, as JSON, as logfmt and as Node prints an object. */
const check = (...names: readonly string[]): RegExp =>
  new RegExp(`\\bcheck\\b["']?\\s*[:=]\\s*["']?(?:${names.join('|')})\\b(?!-)`)

const rejected = { codes: ['COATCHECK_SIGNIN_REJECTED'], source: RULES } as const
const DOCTOR = '`npx coatcheck doctor`'

export const providerTexts = foreignCatalogue({
  'Provider cannot be reached': {
    match: inLine(
      String.raw`\b(?:ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|OAUTH_TIMEOUT|UND_ERR_[A-Z_]+)\b`,
      'provider',
    ),
    seen: ['{"event":"provider.discovery-failed","code":"COATCHECK_OIDC_DISCOVERY","reason":"ECONNREFUSED"}'],
    why: 'The identity provider did not answer: its address has no server, the name does not resolve, or a firewall drops the packets. `url` is the address of the request.',
    check: '`curl -sS -o /dev/null -w "%{http_code}" URL`',
    fix: 'Allow outgoing HTTPS to that address. With the local provider: run the application under `npx coatcheck dev`, whose issuer is on the port that it prints.',
    prevent: '`await auth.ready({ provider: true })` before the application listens.',
    codes: ['COATCHECK_OIDC_DISCOVERY', 'COATCHECK_OIDC_UNAVAILABLE', 'COATCHECK_TOKEN_REFRESH_UNAVAILABLE'],
  },
  'HTTP 404 at discovery': {
    match: inLine(String.raw`\bstatus\b["']?\s*[:=]\s*["']?(?:404|400|403|410)\b`, 'provider'),
    seen: ['{"event":"provider.discovery-failed","code":"COATCHECK_OIDC_DISCOVERY","status":404}'],
    why: 'A server answered, and has no metadata at this address: a wrong issuer, realm or tenant. Entra ID answers 400 with AADSTS90002 or AADSTS900023 instead.',
    check: '`curl -sS ISSUER/.well-known/openid-configuration`',
    fix: 'Correct the issuer: the address in `url` of the line, without `/.well-known/openid-configuration`. Keycloak: `https://HOST/realms/REALM`. Auth0: with the slash at its end.',
    prevent: 'Copy `issuer` out of the metadata of the provider.',
    codes: ['COATCHECK_OIDC_DISCOVERY'],
  },
  'Check of a token: issuer': {
    match: check('issuer', 'response-issuer'),
    seen: ['"check":"issuer"', 'check=response-issuer'],
    why: 'The issuer of the token or of the metadata differs from the configured one. `expected` and `got` show both. A slash at the end counts.',
    check: '`curl -sS ISSUER/.well-known/openid-configuration`',
    fix: 'Set the issuer exactly as `got` shows it, if that is your provider. With Entra ID set AZURE_AD_TENANT_ID, and use `common` only for a multitenant registration.',
    prevent: 'Copy `issuer` out of the metadata of the provider.',
    ...rejected,
  },
  'Check of a token: audience': {
    match: check('audience', 'authorized-party'),
    seen: ['"check":"audience"', '"check":"authorized-party"'],
    why: 'The token was issued for another application: its audience or authorized party is not the configured client id.',
    check: DOCTOR,
    fix: 'Compare the client id with the registration: `got` is the one of the token.',
    prevent: 'Set client id, tenant and secret from one place.',
    ...rejected,
  },
  'Check of a token: nonce': {
    match: check('nonce'),
    seen: ['"check":"nonce"'],
    why: 'The ID token answers another sign-in than the one that this browser began: an answer that was mixed up or replayed, or a provider that does not return the nonce.',
    check: '`npx coatcheck explain - < app.log`',
    fix: 'Start the sign-in again. If each sign-in fails, something between the application and the provider changes or caches token answers.',
    prevent: 'No proxy that caches POST requests between the application and the provider.',
    ...rejected,
  },
  'Check of a token: time': {
    match: check('expiry', 'expired', 'not-before', 'issued-at', 'authentication-time'),
    seen: ['"check":"expiry"', '"check":"not-before"'],
    why: 'The token is too old or not valid yet by the clock of this machine. Usually the clock of this machine is wrong by minutes.',
    check: '`date -u; curl -sSI ISSUER/.well-known/openid-configuration`',
    fix: 'Correct the clock (NTP). A container uses the clock of its host. Coatcheck tolerates a difference of 30 seconds.',
    prevent: '`coatcheck doctor` compares the clock with that of the provider.',
    ...rejected,
  },
  'Check of a token: signature': {
    match: check('signature', 'signing-key', 'key-issuer', 'algorithm', 'critical-header', 'format', 'malformed'),
    seen: ['"check":"signature"', '"check":"signing-key"', '"check":"algorithm"'],
    why: 'The token is not signed by a key that the provider publishes, or not in a way that it announces, or the key is one of another tenant (`key-issuer`). For an unknown key Coatcheck fetches the key set once more, at most twice a minute. A forged token gives the same error.',
    check: '`curl -sS JWKS_URI`',
    fix: 'Wait a minute after a change of keys. If it stays: the issuer must be the provider that signs, and no proxy may rewrite its answers. Encrypted ID tokens are not supported.',
    prevent: 'Providers publish a new key before they sign with it.',
    ...rejected,
  },
  'Check of a token: subject': {
    match: check('subject'),
    seen: ['"check":"subject"'],
    why: 'The ID token names no subject, or the answer to a refresh names another user than the sign-in did. Coatcheck discards such an answer and ends the grant (`token.subject-mismatch`). The sessions of the user stay.',
    check: '`npx coatcheck explain - < app.log`',
    fix: 'Look for a proxy or cache that mixes up token answers. If there is none, tell the operators of the provider.',
    prevent: 'No proxy that caches POST requests between the application and the provider.',
    ...rejected,
  },
  'Check of a token answer': {
    match: check('token-answer', 'token-type', 'expires-in'),
    seen: ['"check":"token-answer"', '"check":"token-type"', '"check":"expires-in"'],
    why: 'The answer of the token endpoint does not follow RFC 6749 section 5.1: a field is missing or has another type, `token_type` is not `Bearer`, or `expires_in` is no usable number of seconds.',
    check: DOCTOR,
    fix: 'Compare an answer of the token endpoint with RFC 6749 section 5.1, and look for a proxy that changes it. DPoP is not supported: register the client for bearer tokens.',
    prevent: 'Register the client for the authorization code flow with bearer tokens.',
    codes: ['COATCHECK_SIGNIN_REJECTED', 'COATCHECK_TOKEN_ANSWER_INVALID'],
  },
  'Check of the metadata': {
    match: check('metadata', 'authorization_endpoint', 'token_endpoint', 'jwks_uri'),
    seen: ['"check":"jwks_uri"', '"check":"token_endpoint"'],
    why: 'The metadata of the provider lack an endpoint, or name one that is no `https` address. `check` names the endpoint.',
    check: '`curl -sS ISSUER/.well-known/openid-configuration`',
    fix: 'Set the issuer of an OpenID provider. A provider of OAuth alone has no `jwks_uri` and signs no ID token.',
    prevent: 'Copy `issuer` out of the metadata of the provider.',
    codes: ['COATCHECK_OIDC_DISCOVERY'],
  },
  'Check of a token: tenant': {
    match: check('tenant'),
    seen: ['"check":"tenant"'],
    why: 'The user comes from a tenant that is not in `allowedTenants`. `got` is the id of that tenant.',
    check: '`npx coatcheck explain - < app.log`',
    fix: 'Add the id to `allowedTenants` of `entra()`, if its users may sign in.',
    prevent: 'No action needed: the list works as intended.',
    codes: ['COATCHECK_SIGNIN_DENIED'],
  },
})
