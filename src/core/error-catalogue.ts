/**
 * All stable error codes, with cause and fix: one catalogue for errors, docs and the command line.
 * Adding a code is a minor release; renaming or removing one is a major release. Texts contain no value of a caller.
 * The file is longer than others on purpose, so that all codes are in one table.
 * To add a code: describe its causes in admin/explain/own-errors.ts, regenerate docs/errors.md, and add a test that provokes it.
 */
export interface CatalogueEntry {
  readonly family: 'config' | 'redis' | 'session' | 'token' | 'keyring' | 'oidc' | 'misuse'
  /** The same call may succeed later without any change by the caller. */
  readonly retryable: boolean
  /** HTTP status of the response if no handler catches the error. */
  readonly status: number
  readonly why: string
  readonly fix: string
  /** Its `fix` only refers to the specific message, so it is not printed after one. */
  readonly isGeneral?: true
}

const config = { family: 'config', retryable: false, status: 500 } as const
const redisDown = { family: 'redis', retryable: true, status: 503 } as const
const redisSetup = { family: 'redis', retryable: false, status: 503 } as const
const session = { family: 'session', retryable: false, status: 500 } as const
const token = { family: 'token', retryable: false, status: 502 } as const
const keyring = { family: 'keyring', retryable: false, status: 500 } as const
const oidc = { family: 'oidc', retryable: false, status: 400 } as const
const misuse = { family: 'misuse', retryable: false, status: 500 } as const

const entries = {
  COATCHECK_CONFIG_INVALID: {
    ...config,
    why: 'An option or environment variable has a value that cannot be used.',
    fix: 'Give the option or variable that the message names a value of the kind that it asks for.',
    isGeneral: true,
  },
  COATCHECK_CONFIG_UNKNOWN_OPTION: {
    ...config,
    why: 'An option of this name does not exist, so it would have no effect.',
    fix: 'Correct the spelling or remove it; docs/configuration.md lists all options.',
  },
  COATCHECK_CONFIG_MISSING: {
    ...config,
    why: 'A setting that is needed here has no value in the options or the environment.',
    fix: 'Set the option or the environment variable that the message names.',
    isGeneral: true,
  },
  COATCHECK_CONFIG_INSECURE: {
    ...config,
    why: 'The setting would be unsafe outside of local development.',
    fix: 'Use https, or a loopback address for development.',
  },
  COATCHECK_STORE_REQUIRED: {
    ...config,
    why: 'Sessions in the memory of one process are lost on restart and not shared between instances.',
    fix: 'Set REDIS_URL. The memory store is for development on a loopback base URL only.',
  },
  COATCHECK_REDIS_PACKAGE_MISSING: {
    ...config,
    why: 'The package "redis" is not installed.',
    fix: 'Install it in the application: npm install redis',
  },
  COATCHECK_REDIS_UNREACHABLE: {
    ...redisDown,
    why: 'No connection to Redis: nothing listens there, the host is unknown, or the connection broke.',
    fix: 'Check host and port of REDIS_URL and that the server runs; then the firewall between them.',
  },
  COATCHECK_REDIS_TIMEOUT: {
    ...redisDown,
    why: 'Redis did not answer within the deadline. A read changed nothing. A write may or may not have happened.',
    fix: 'Look for slow commands (SLOWLOG GET), a blocked server, a slow network, or work that keeps this process from reading the reply.',
  },
  COATCHECK_REDIS_CIRCUIT_OPEN: {
    ...redisDown,
    why: 'Several operations in a row timed out, so Redis is given a moment before the next try.',
    fix: 'Wait: it closes by itself within a second of the return of Redis. Why Redis did not answer, the errors before this one say.',
  },
  COATCHECK_REDIS_OVERLOADED: {
    ...redisDown,
    why: 'More operations are waiting for Redis than the limit allows.',
    fix: 'Look for a slow server; add instances or raise redisStore({ maxInFlight }) if this is your normal load.',
  },
  COATCHECK_REDIS_LOADING: {
    ...redisDown,
    why: 'Redis has just started and is reading its data from disk.',
    fix: 'Wait until it has finished; the operation can then be repeated.',
  },
  COATCHECK_REDIS_BUSY: {
    ...redisDown,
    why: 'Redis is occupied by a long-running script.',
    fix: 'Find the script (SLOWLOG GET) and end it with SCRIPT KILL.',
  },
  COATCHECK_REDIS_MISALIGNED_REPLIES: {
    ...redisDown,
    why: 'Redis replies are misaligned: a reply was lost or repeated on the way, so no reply on this connection can be trusted.',
    fix: 'Repeat the operation: Coatcheck replaces the connection. Replace a user-supplied client yourself. Check the proxy or the connection pool between the application and Redis.',
  },
  COATCHECK_REDIS_READONLY: {
    ...redisDown,
    why: 'The server is a replica and takes no writes.',
    fix: 'Point REDIS_URL at the primary, or use Sentinel or Cluster so that it is found.',
  },
  COATCHECK_REDIS_CLUSTERDOWN: {
    ...redisDown,
    why: 'The cluster does not serve all slots at the moment.',
    fix: 'Check CLUSTER INFO; it recovers when a replica has been promoted.',
  },
  COATCHECK_REDIS_OOM: {
    ...redisDown,
    why: 'The store has reached its memory limit (maxmemory of Redis) and refuses writes.',
    fix: 'Raise maxmemory or remove other data. Keep maxmemory-policy noeviction: other policies delete live sessions.',
  },
  COATCHECK_REDIS_MISCONF: {
    ...redisDown,
    why: 'Redis cannot write its snapshot or append-only file and therefore refuses writes.',
    fix: 'Free disk space or repair permissions on the Redis server; see its log.',
  },
  COATCHECK_REDIS_NOREPLICAS: {
    ...redisDown,
    why: 'The primary refuses writes, because fewer replicas are in sync than min-replicas-to-write requires.',
    fix: 'Bring the replicas back, or lower min-replicas-to-write for as long as that takes.',
  },
  COATCHECK_REDIS_NOT_DURABLE: {
    ...redisDown,
    why: 'The change is made, but fewer replicas have acknowledged it than redisStore({ durability }) asks for.',
    fix: 'Bring the replicas back or find out why they lag (INFO replication); then repeat the operation.',
  },
  COATCHECK_REDIS_AUTH: {
    ...redisSetup,
    why: 'Redis refused the user name or password.',
    fix: 'Check REDIS_USERNAME and REDIS_PASSWORD, and that the user is enabled (ACL GETUSER).',
  },
  COATCHECK_REDIS_NOAUTH: {
    ...redisSetup,
    why: 'Redis wants a password and none was given.',
    fix: 'Set REDIS_PASSWORD, or put user and password into REDIS_URL.',
  },
  COATCHECK_REDIS_NOPERM: {
    ...redisSetup,
    why: 'The Redis user may not run this command or touch this key.',
    fix: 'Extend the ACL rules of the user; docs/redis.md lists the commands and keys.',
  },
  COATCHECK_REDIS_DATABASE: {
    ...redisSetup,
    why: 'The database number in the URL does not exist on this server.',
    fix: 'Use a database below the "databases" setting of the server; 0 always exists.',
  },
  COATCHECK_REDIS_TLS: {
    ...redisSetup,
    why: 'The TLS connection could not be made, or the certificate is not trusted for this host.',
    fix: 'Use rediss:// for a TLS port and redis:// for a plain one; give the CA in REDIS_TLS_CA; use the host name of the certificate.',
  },
  COATCHECK_REDIS_PROTOCOL: {
    ...redisSetup,
    why: 'What answered there does not speak the Redis protocol as needed.',
    fix: 'Check the port: it may belong to another server. A proxy must let HELLO or AUTH, EVALSHA and MGET through.',
  },
  COATCHECK_REDIS_CROSSSLOT: {
    ...redisSetup,
    why: 'The server is a cluster and the keys of one operation lie in different slots.',
    fix: 'Use a prefix without braces; connect to a cluster with REDIS_CLUSTER=true.',
  },
  COATCHECK_REDIS_ERROR: {
    ...redisSetup,
    why: 'Redis answered with an error that has no code of its own here.',
    fix: 'Its text stands in this message and in the cause; `npx coatcheck explain "<text>"` knows many of them.',
  },
  COATCHECK_SESSION_CONFLICT: {
    ...session,
    retryable: true,
    status: 503,
    why: 'The session was changed by others 16 times in a row while this change was being applied.',
    fix: 'Repeat the request; find the requests that write this session so often.',
  },
  COATCHECK_SESSION_ENDED: {
    ...session,
    status: 401,
    why: 'The session has expired or was revoked, so it cannot be changed any more.',
    fix: 'Send the user to sign-in. A revoked session is never brought back.',
  },
  COATCHECK_SESSION_LIMIT: {
    ...session,
    status: 403,
    why: 'The user has as many sessions as session.maxPerUser allows and its action is "refuse".',
    fix: 'Let the user end one of the other sessions, or use the action "end-oldest".',
  },
  COATCHECK_SESSION_TOO_LARGE: {
    ...session,
    status: 500,
    why: 'The data of the session would be larger than session.maxBytes. Nothing was changed.',
    fix: 'Keep large values in your database and their ids in the session.',
  },
  COATCHECK_SESSION_SCHEMA: {
    ...session,
    why: 'The data does not fit session.schema. Nothing was changed.',
    fix: 'Change the value at the path that the message names, or add an upcast for records of older versions.',
  },
  COATCHECK_HEADERS_SENT: {
    ...session,
    why: 'A new ticket has to be sent as a cookie, but the headers of the response have already left.',
    fix: 'Store the first value of a visitor, sign in or rotate before the first byte of the response. Changing a session that exists needs no header.',
  },
  COATCHECK_COOKIES_READ_ONLY: {
    ...session,
    why: 'A new ticket has to be sent as a cookie, but cookies cannot be written here.',
    fix: 'Store the first value of a visitor, sign in or rotate in a route handler or a server action. Changing a session that exists works here too.',
  },
  COATCHECK_SESSION_CROSS_SITE: {
    ...session,
    status: 403,
    why: 'Another site sent this request, and the browser left the session cookie out. A new session, or a sign-out, would take away the cookie of a session that the visitor may have.',
    fix: 'Store the value, or sign out, in a request from a page of your own. Redirect the visitor (303) when another site posts an answer, and do it in the request that follows.',
  },
  COATCHECK_EMAIL_TAKEN: {
    ...session,
    status: 409,
    why: 'Auth.js wanted to give a user an e-mail address, or an id, that another user has.',
    fix: 'Let the user sign in the way they did first, and link the new account while they are signed in.',
  },
  COATCHECK_ACCOUNT_LINKED: {
    ...session,
    status: 409,
    why: 'Auth.js wanted to link an account or a passkey that another user has.',
    fix: 'Sign in with that account, or unlink it there first.',
  },
  COATCHECK_USER_UNKNOWN: {
    ...session,
    status: 404,
    why: 'Auth.js wanted to change a user or a passkey that does not exist (any more).',
    fix: 'None, if the user was deleted meanwhile: the next request has no signed-in user.',
  },
  COATCHECK_UNAUTHENTICATED: {
    ...session,
    status: 401,
    why: 'The request has no signed-in user.',
    fix: 'Send the user to the login route.',
  },
  COATCHECK_RECENT_SIGNIN_REQUIRED: {
    ...session,
    status: 401,
    why: 'The user authenticated longer ago than the maxAge of this route, or the provider sent no auth_time.',
    fix: 'Send the user to the login route with max_age. If this error follows every sign-in, configure the provider to send auth_time; docs/sign-in.md says how.',
  },
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
  COATCHECK_KEY_UNKNOWN: {
    ...keyring,
    why: 'A record is sealed with a key that is not in COATCHECK_KEYS.',
    fix: 'Put the retired key back behind the first one until its records have expired.',
  },
  COATCHECK_KEY_INVALID: {
    ...keyring,
    why: 'An entry of COATCHECK_KEYS is not 32 bytes of base64, or appears twice.',
    fix: 'Make a key with: npx coatcheck secret',
  },
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
  COATCHECK_INVALID_ARGUMENT: {
    ...misuse,
    why: 'A method was called with an argument it cannot take.',
    fix: 'Pass what the message asks for; TypeScript finds most of these before they run.',
    isGeneral: true,
  },
  COATCHECK_CLOSED: {
    ...misuse,
    status: 503,
    why: 'close() was called, and something was used afterwards.',
    fix: 'Stop taking requests first, then call close(). To start again, call coatcheck() again.',
  },
  COATCHECK_RUNTIME_UNSUPPORTED: {
    ...misuse,
    why: 'Coatcheck was loaded in an edge runtime or a browser, where neither node:crypto nor a connection to Redis exists.',
    fix: "Next 16: use proxy.ts, which runs on Node. Next 15: `export const config = { runtime: 'nodejs' }` in middleware.ts. Routes and pages: no `export const runtime = 'edge'`. Client components: pass them data, not Coatcheck.",
  },
  COATCHECK_SESSION_VALUE: {
    ...misuse,
    why: 'A session stores JSON values. This value would be lost or changed.',
    fix: 'Store a string, number, boolean, null, array or plain object: a Date as date.toISOString(), a Map as an array.',
  },
  COATCHECK_SESSION_UPDATE: {
    ...misuse,
    why: 'update(fn) stores what fn does to the draft before it returns, and applies fn again after a conflict. Nothing was changed.',
    fix: 'Await everything else first; then change the draft synchronously: await session.update((draft) => { draft.count = count }).',
  },
  COATCHECK_SESSION_READ_ONLY: {
    ...misuse,
    why: 'A session is a read-only snapshot: an assignment to it would never be stored. Nothing was changed.',
    fix: "To store a value, use session.set(): await session.set('theme', 'dark'). To change a part of one, use session.update().",
  },
  COATCHECK_TOKEN_SECONDS: {
    ...misuse,
    why: 'expiresAt is in milliseconds; this value can only be seconds.',
    fix: 'Multiply by 1000, or use tokens.fromOAuth(account) for values of Auth.js.',
  },
} as const satisfies Record<string, CatalogueEntry>

/** Every code that an error of this package can have. docs/errors.md describes each. */
export type ErrorCode = keyof typeof entries
export const errorCatalogue: Readonly<Record<ErrorCode, CatalogueEntry>> = entries

type CodeOf<Family extends CatalogueEntry['family']> = {
  [Code in ErrorCode]: (typeof entries)[Code]['family'] extends Family ? Code : never
}[ErrorCode]

export type ConfigErrorCode = CodeOf<'config'>
export type RedisErrorCode = CodeOf<'redis'>
export type SessionErrorCode = CodeOf<'session'>
export type TokenErrorCode = CodeOf<'token'>
export type KeyringErrorCode = CodeOf<'keyring'>
export type OidcErrorCode = CodeOf<'oidc'>
export type MisuseErrorCode = CodeOf<'misuse'>
