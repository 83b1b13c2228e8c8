/** What OAuth, MSAL, browsers and Next say around sign-in, and the one symptom that comes without any text. */
import { foreignCatalogue } from './explanation.ts'

const RFC_6749 = 'https://www.rfc-editor.org/rfc/rfc6749#section-5.2'
const OIDC_CORE = 'https://openid.net/specs/openid-connect-core-1_0.html#AuthError'

export const webTexts = foreignCatalogue({
  'Users are logged out at random': {
    match: /\blogged out at random\b|\bsigned out at random\b|\brandom logouts?\b/i,
    seen: [],
    why: 'Sessions disappear without any error. By far the most common reason is eviction: with a policy as `allkeys-lru` a full server deletes live keys and says OK to every write. Other reasons: FLUSHALL, a restart without persistence, a failover that lost the last writes, instances with different COATCHECK_KEYS.',
    check: '`redis-cli -u "$REDIS_URL" INFO stats`',
    fix: 'If `evicted_keys` is above 0: `CONFIG SET maxmemory-policy noeviction`, in the configuration of the server too, and more memory. To see what became of one session: `coatcheck explain <session id>`; "lost" is this case, and "ended" or "expired" are not.',
    prevent: '`coatcheck doctor` refuses policies that delete live sessions and says whether it has begun.',
    codes: [],
  },
  invalid_grant: {
    match: /\binvalid_grant\b/,
    seen: [],
    why: 'The provider does not take the code or the refresh token: expired, revoked, used before (with rotation), or issued to another client or redirect URI. With Entra ID the AADSTS number beside it says which.',
    check: '`npx coatcheck explain - < app.log`',
    fix: 'At a refresh: the user signs in again; Coatcheck has read the store once more before it says so, because another process may have refreshed. At a sign-in: compare redirect URI and client with the registration, and the clock with the time.',
    prevent:
      'One place that refreshes: two processes that use one refresh token end the sign-in at every strict provider. `auth.tokens` holds a lease for that.',
    codes: ['COATCHECK_REAUTH_REQUIRED', 'COATCHECK_SIGNIN_REJECTED'],
    source: RFC_6749,
  },
  interaction_required: {
    match: /\b(?:interaction|login|consent)_required\b/,
    seen: ['interaction_required', 'login_required', 'consent_required'],
    why: 'The provider cannot decide without the user: a second factor, consent, new terms, or a sign-in that has to be renewed. Nothing is broken, and no repetition helps.',
    check: '`npx coatcheck explain - < app.log`',
    fix: 'Send the browser to `error.details.signInUrl` of COATCHECK_REAUTH_REQUIRED: it asks for exactly what is missing. The session stays.',
    prevent:
      'Handle COATCHECK_REAUTH_REQUIRED wherever a token is asked for; background work has to wait for the user.',
    codes: ['COATCHECK_REAUTH_REQUIRED', 'COATCHECK_SIGNIN_DENIED'],
    source: OIDC_CORE,
  },
  invalid_client: {
    match: /\binvalid_client\b|\bunauthorized_client\b/,
    seen: ['invalid_client', 'unauthorized_client'],
    why: 'The provider does not accept this application: wrong client id, wrong or expired secret or certificate, or a grant that it may not use. It concerns everybody at once, and no user.',
    check: '`az ad app credential list --id CLIENT_ID`',
    fix: 'Renew the credential and deploy it. With Entra ID the AADSTS number beside it says what is wrong.',
    prevent: '`coatcheck doctor` checks the credential against the provider. Nobody is signed out meanwhile.',
    codes: ['COATCHECK_OIDC_CLIENT_REJECTED', 'COATCHECK_TOKEN_REFRESH_REJECTED'],
    source: RFC_6749,
  },
  no_tokens_found: {
    match: /\bno_tokens_found\b/,
    seen: ['InteractionRequiredAuthError: no_tokens_found'],
    why: 'MSAL looked for a refresh token of this account and its cache has none: another instance stored it in memory of its own, the partition is another one, the entry has expired, or `offline_access` was never granted.',
    check: '`grep -rn "cachePlugin" src`',
    fix: 'Give every instance the same cache: `msalCachePlugin()` of `coatcheck/msal`, with the home account id as partition. Otherwise the user signs in again.',
    prevent: 'Ask for `offline_access`: `coatcheck doctor` notices when it is missing.',
    codes: ['COATCHECK_TOKEN_NONE'],
  },
  'HTTP 431': {
    match:
      /\bHTTP(?:\/\d(?:\.\d)?)? 431\b|\bRequest Header Fields Too Large\b|\bHPE_HEADER_OVERFLOW\b|\bstatus(?:Code)?\W{1,4}431\b/i,
    seen: ['HTTP 431 Request Header Fields Too Large', 'HPE_HEADER_OVERFLOW'],
    why: 'The headers of the request are longer than the server takes (16 KiB in Node), nearly always because of cookies: sessions or tokens that are kept in them, in pieces, and never removed.',
    check: '`node -p "http.maxHeaderSize"`',
    fix: 'Delete the cookies of this host in the browser; then keep sessions on the server. The ticket of Coatcheck has 98 characters, whatever the session holds. Old cookies of what ran before have to be expired by the application once.',
    prevent: 'No token in a cookie. Applications that share a domain share its cookies: one host for each.',
    codes: [],
  },
  'Cookie over 4,096 bytes': {
    match: /\bcookie\b.{0,40}\b(?:4,?096|4093|too large|exceeds?)\b/i,
    seen: ['Session cookie exceeds allowed 4096 bytes, chunking.'],
    why: 'Browsers drop a cookie of more than 4,096 bytes without a word. Libraries that keep tokens in cookies cut them into pieces, which ends in HTTP 431 or in a sign-in that does not stick.',
    check: '`curl -sSI "$COATCHECK_BASE_URL/auth/login"`',
    fix: 'Move session and tokens to the server. With Coatcheck the cookie is a ticket, and its data lies in Redis.',
    prevent: 'Group claims and profile photos are what makes them grow: `signIn.profile` says what is kept.',
    codes: [],
  },
  'Redirect loop at sign-in': {
    match: /\bERR_TOO_MANY_REDIRECTS\b|\bredirect loop\b|\bredirected you too many times\b/i,
    seen: ['ERR_TOO_MANY_REDIRECTS'],
    why: 'The sign-in succeeds and its cookie does not come back, so the application starts another one: a `Secure` cookie over http, a base URL that differs from the address in the browser, a proxy that drops Set-Cookie, or a cookie over 4,096 bytes.',
    check: '`curl -sSI "$COATCHECK_BASE_URL/auth/login"`',
    fix: 'Set COATCHECK_BASE_URL to exactly what the browser shows, https included. If the host is reached under two names, send one to the other before sign-in.',
    prevent: '`coatcheck doctor` compares cookie flags, base URL and the way the provider sends its answer.',
    codes: [],
  },
  "edge runtime does not support Node.js 'net'": {
    match: /\bedge runtime does not support Node\.js '(?:net|tls|crypto|dns|stream)'/i,
    seen: ["The edge runtime does not support Node.js 'net' module."],
    why: 'A client of Redis was loaded where there are no sockets: in a `middleware.ts` of Next 15 or earlier, or in a route with `runtime = "edge"`. It is enough that a file imports it; nothing has to be called.',
    check: '`grep -rnE "runtime *(=|:) *[\'\\"]edge" --include=*.ts --include=*.tsx .`',
    fix: "Next 16: `proxy.ts`, which runs on Node. Next 15: `export const config = { runtime: 'nodejs' }` in `middleware.ts`. Otherwise look there at the ticket only (`hasTicket`), and at the session in the page.",
    prevent: 'Entries of Coatcheck say this themselves, as COATCHECK_RUNTIME_UNSUPPORTED.',
    codes: ['COATCHECK_RUNTIME_UNSUPPORTED'],
    source: 'https://nextjs.org/docs/messages/node-module-in-edge-runtime',
  },
})
