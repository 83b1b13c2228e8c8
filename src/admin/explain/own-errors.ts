/**
 * Coatcheck's own error codes as explanations. `core/error-catalogue.ts` defines meaning and fix. This file adds the usual cause and how to
 * check it. It is separate because only the command line and the page need it, while applications load the error catalogue.
 */
import { type ErrorCode, errorCatalogue } from '../../core/error-catalogue.ts'
import type { CatalogueEntry } from '../../core/error-families/catalogue-entry.ts'
import type { Catalogue } from './explanation.ts'

interface Background {
  readonly cause: string
  readonly check?: string
}

const background: Readonly<Record<ErrorCode, Background>> = {
  COATCHECK_CONFIG_INVALID: {
    cause:
      'A typing mistake, a number where a duration is wanted, a URL without its scheme, an idle timeout longer than the absolute one. The message names the option or variable and shows what it got; a secret is never shown.',
  },
  COATCHECK_CONFIG_UNKNOWN_OPTION: {
    cause:
      'A misspelt option, one that belongs a level higher or lower, or one of another library. The message names the nearest option that exists.',
  },
  COATCHECK_CONFIG_MISSING: {
    cause:
      'An environment variable that is not set in this deployment, or set in a file that the process does not read. For Entra ID: one of the three variables of a group is missing, and Coatcheck never mixes the groups.',
  },
  COATCHECK_CONFIG_INSECURE: {
    cause:
      'The base URL or an issuer begins with `http://` on a host that is not a loopback address, or `redis://` would send a password to another machine without TLS. Behind a proxy that ends TLS, the base URL is still the `https://` address that browsers see.',
  },
  COATCHECK_STORE_REQUIRED: {
    cause:
      'The application was deployed without `REDIS_URL`. `NODE_ENV` makes no difference: what counts is the base URL.',
    check: 'npx coatcheck ping --count 1',
  },
  COATCHECK_REDIS_PACKAGE_MISSING: {
    cause:
      '`redis` is a peer dependency, so that you choose its version; it was not installed, or only as a development dependency.',
    check: 'npm ls redis',
  },
  COATCHECK_REDIS_UNREACHABLE: {
    cause:
      'The server is not running, the port is wrong (ECONNREFUSED), the name does not resolve (ENOTFOUND), or a firewall drops the packets. Sessions and cookies are kept; requests are answered with 503 meanwhile.',
    check: 'npx coatcheck ping --count 3',
  },
  COATCHECK_REDIS_TIMEOUT: {
    cause:
      'A slow command of another client on the same server, a server that swaps or saves, a blocked network path. Or this process read the reply too late: its event loop was blocked, or it had no CPU (a development server that compiles). The outcome of a write is unknown; Coatcheck never repeats it blindly.',
    check: 'redis-cli -u "$REDIS_URL" SLOWLOG GET 10',
  },
  COATCHECK_REDIS_CIRCUIT_OPEN: {
    cause:
      'Three timeouts in a row. While the circuit is open every operation fails within milliseconds, so that a slow Redis does not slow down every request.',
    check: 'npx coatcheck ping --count 20',
  },
  COATCHECK_REDIS_OVERLOADED: {
    cause:
      'Requests arrive faster than Redis answers, usually because it has become slow, not because there are many requests.',
    check: 'redis-cli -u "$REDIS_URL" INFO commandstats',
  },
  COATCHECK_REDIS_LOADING: {
    cause: 'A restart of a server with a large data set.',
    check: 'redis-cli -u "$REDIS_URL" INFO persistence',
  },
  COATCHECK_REDIS_BUSY: {
    cause:
      'A Lua script of another application runs for longer than `busy-reply-threshold`. The scripts of Coatcheck do bounded work.',
    check: 'redis-cli -u "$REDIS_URL" SLOWLOG GET 10',
  },
  COATCHECK_REDIS_READONLY: {
    cause: 'A failover: the address in REDIS_URL still points to the former primary, which is a replica now.',
    check: 'redis-cli -u "$REDIS_URL" ROLE',
  },
  COATCHECK_REDIS_MISALIGNED_REPLIES: {
    cause:
      'A proxy, a load balancer or a pool between the application and Redis that gives a reply to the wrong caller; a user-supplied client that the application also uses in another way at the same time.',
    check: 'redis-cli -u "$REDIS_URL" ECHO aligned',
  },
  COATCHECK_REDIS_CLUSTERDOWN: {
    cause: 'A primary of the cluster has failed and none of its replicas has taken over yet, or slots have no owner.',
    check: 'redis-cli -u "$REDIS_URL" CLUSTER INFO',
  },
  COATCHECK_REDIS_OOM: {
    cause:
      'Too little memory for the number of sessions, or another application that shares the server. With the memory store: `memoryStore({ maxBytes })` is reached. Signing out works on a full store.',
    check: 'redis-cli -u "$REDIS_URL" INFO memory',
  },
  COATCHECK_REDIS_MISCONF: {
    cause: 'The disk of the Redis server is full or not writable, and `stop-writes-on-bgsave-error` is on.',
    check: 'redis-cli -u "$REDIS_URL" INFO persistence',
  },
  COATCHECK_REDIS_NOREPLICAS: {
    cause: 'A replica is down, restarts, or is cut off from the primary, and `min-replicas-to-write` is set.',
    check: 'redis-cli -u "$REDIS_URL" INFO replication',
  },
  COATCHECK_REDIS_NOT_DURABLE: {
    cause:
      'A logout that the provider sent while replicas were away or slow. The sessions have ended; the provider is told to repeat its call.',
    check: 'redis-cli -u "$REDIS_URL" INFO replication',
  },
  COATCHECK_REDIS_AUTH: {
    cause: 'A wrong or rotated password, or an ACL user that was disabled (WRONGPASS).',
    check: 'npx coatcheck ping --count 1',
  },
  COATCHECK_REDIS_NOAUTH: {
    cause:
      'The server has `requirepass` or ACL users, and neither REDIS_URL nor REDIS_PASSWORD holds a password (NOAUTH).',
    check: 'npx coatcheck ping --count 1',
  },
  COATCHECK_REDIS_NOPERM: {
    cause: 'An ACL rule that allows too few commands, or a key pattern that does not match REDIS_PREFIX.',
    check: 'redis-cli -u "$REDIS_URL" ACL LOG 5',
  },
  COATCHECK_REDIS_DATABASE: {
    cause:
      'A path such as `/16` at the end of REDIS_URL, on a server with the usual 16 databases (0 to 15). A cluster has database 0 only.',
    check: 'redis-cli -u "$REDIS_URL" CONFIG GET databases',
  },
  COATCHECK_REDIS_TLS: {
    cause:
      '`redis://` to a TLS port or `rediss://` to a plain one, a private CA that is not in REDIS_TLS_CA, an expired certificate, or a host name that the certificate does not hold.',
    check: 'openssl s_client -connect HOST:PORT -servername HOST </dev/null',
  },
  COATCHECK_REDIS_PROTOCOL: {
    cause:
      'The port belongs to a web server, a database or a proxy that speaks something else, or a proxy blocks commands.',
    check: 'timeout 3 redis-cli -h HOST -p PORT PING',
  },
  COATCHECK_REDIS_CROSSSLOT: {
    cause:
      'A cluster reached as if it were a single server, or a proxy in front of one. All keys of one user lie in one slot by themselves.',
    check: 'redis-cli -u "$REDIS_URL" INFO cluster',
  },
  COATCHECK_REDIS_ERROR: { cause: 'An answer of Redis that is none of the known ones: its text is in the `cause`.' },
  COATCHECK_SESSION_CONFLICT: {
    cause:
      'Many parallel requests that all change one session, over several instances. Within one process changes queue up and do not conflict.',
  },
  COATCHECK_SESSION_ENDED: {
    cause:
      'While a request of this session was running, the user signed out in another tab, an operator ended the session, or the idle timeout passed.',
  },
  COATCHECK_SESSION_LIMIT: {
    cause: 'The user is signed in on as many devices as allowed, and `session.maxPerUser.action` is `refuse`.',
  },
  COATCHECK_SESSION_TOO_LARGE: {
    cause: 'A list that grows with every request, a file, or a whole API response was put into the session.',
  },
  COATCHECK_SESSION_SCHEMA: {
    cause:
      'A field of the wrong type, or a required field that was deleted. After a deployment: the shape changed, and `session.schemaVersion` did not.',
  },
  COATCHECK_HEADERS_SENT: {
    cause:
      'The first `session.set()` of a visitor, a sign-in or a rotation after the first byte of the body has been sent: a new ticket travels in a header. A session that exists can be changed at any time.',
  },
  COATCHECK_COOKIES_READ_ONLY: {
    cause:
      'The first `session.set()` of a visitor, or a sign-in, while a page is rendered, where the framework cannot set cookies any more. A session that exists can be changed there.',
  },
  COATCHECK_SESSION_CROSS_SITE: {
    cause:
      'The first `session.set()` of a visitor, or a `signOut()`, in a request that another site sent: a form with POST, a frame, or, with `SameSite=Strict`, any link. A hostile page could otherwise sign users out of this browser.',
  },
  COATCHECK_EMAIL_TAKEN: {
    cause: 'Two first sign-ins with the same address at the same moment, or a change of address to one that is in use.',
  },
  COATCHECK_ACCOUNT_LINKED: {
    cause: 'One person with two users of the application, or two sign-ins at the same moment.',
  },
  COATCHECK_USER_UNKNOWN: { cause: 'The user was deleted while a request of theirs was under way.' },
  COATCHECK_RECENT_SIGNIN_REQUIRED: {
    cause:
      'The route has requireUser({ maxAge }), and the user entered the credentials longer ago. If the error follows every sign-in, the provider sends no auth_time.',
  },
  COATCHECK_UNAUTHENTICATED: {
    cause: 'A visitor who never signed in, or whose session has ended, asks for a page or an API that needs a user.',
  },
  COATCHECK_TOKEN_NONE: {
    cause:
      'The user signed in before tokens were kept, the tokens have expired, or all sessions of the user were revoked, which deletes them.',
  },
  COATCHECK_REAUTH_REQUIRED: {
    cause:
      'The grant has expired or was revoked, the password has changed, consent or a second factor is wanted, or a claims challenge (CAE) was raised.',
  },
  COATCHECK_TOKEN_REFRESH_REJECTED: {
    cause: 'An expired client secret, a resource that the application has no permission for, or a misspelt scope.',
  },
  COATCHECK_TOKEN_REFRESH_UNAVAILABLE: {
    cause: 'An outage or a rate limit (429) of the provider, that lasted beyond the life of the current access token.',
  },
  COATCHECK_TOKEN_ANSWER_INVALID: {
    cause:
      'An ID token that has expired on arrival because a clock is minutes off; a key set without the signing key; a token_type other than Bearer; a proxy that changes answers.',
    check: 'curl -sS -D - -o /dev/null https://login.microsoftonline.com/TENANT/v2.0/.well-known/openid-configuration',
  },
  COATCHECK_TOKEN_CONFLICT: { cause: 'The user signed in again, or tokens were set by hand, at the same moment.' },
  COATCHECK_KEY_UNKNOWN: {
    cause: 'A key was replaced instead of added, or instances run with different values of COATCHECK_KEYS.',
  },
  COATCHECK_KEY_INVALID: {
    cause:
      'A passphrase in place of a key, a key in hex, a value cut off while copying, or the same key twice. The message gives the position of the entry, never its text.',
    check: 'npx coatcheck secret',
  },
  COATCHECK_OIDC_DISCOVERY: {
    cause:
      'A tenant id or issuer that is not spelt exactly as the provider spells it (trailing slash included), no way to the provider from here, or a proxy that answers in its place.',
    check: 'curl -sS https://login.microsoftonline.com/TENANT/v2.0/.well-known/openid-configuration',
  },
  COATCHECK_OIDC_UNAVAILABLE: {
    cause: 'An outage of the provider, or an outgoing connection that is blocked.',
    check:
      "curl -sS -o /dev/null -w '%{http_code}\\n' https://login.microsoftonline.com/TENANT/v2.0/.well-known/openid-configuration",
  },
  COATCHECK_OIDC_CLIENT_REJECTED: {
    cause:
      'The client secret has expired or belongs to another application; the value of the secret was confused with its id.',
  },
  COATCHECK_SIGNIN_EXPIRED: {
    cause:
      'The sign-in page stayed open over lunch, the back button led to an old callback, or the cookie of the sign-in was blocked.',
  },
  COATCHECK_SIGNIN_REJECTED: {
    cause:
      'A forged or damaged callback; or a client id, issuer or redirect URI that does not match what the provider has registered; or a clock that is minutes off.',
  },
  COATCHECK_SIGNIN_DENIED: {
    cause:
      'The user cancelled, is not assigned to the application, comes from a tenant that is not allowed, or `signIn.authorize` said no.',
  },
  COATCHECK_REQUEST_CROSS_SITE: {
    cause: 'A forged request from another site; or a base URL that differs from the address that browsers use.',
  },
  COATCHECK_REQUEST_NOT_LOCAL: {
    cause:
      'COATCHECK_BASE_URL was forgotten on a server and NODE_ENV is `development`, a phone or a colleague opens your development server, or the application runs in a container: the peer of a published port is the gateway of the container network, such as 172.18.0.1.',
    check: 'npx coatcheck doctor',
  },
  COATCHECK_REQUEST_INVALID: {
    cause: 'A wrong method or content type, a missing parameter, or a body that another parser has changed.',
  },
  COATCHECK_INVALID_ARGUMENT: {
    cause: 'An argument that is undefined because something was not awaited or not found, or of the wrong type.',
  },
  COATCHECK_CLOSED: {
    cause: 'A request that was still running while the process shut down, or a timer that outlived it.',
  },
  COATCHECK_RUNTIME_UNSUPPORTED: {
    cause:
      "A `middleware.ts` of Next 15 without a runtime, a route with `export const runtime = 'edge'`, or a client component that imports the file in which `coatcheck()` is called.",
  },
  COATCHECK_SESSION_VALUE: {
    cause: 'A Date, Map, bigint, class instance or function was stored. The message names the path.',
  },
  COATCHECK_SESSION_UPDATE: {
    cause:
      'The callback of `session.update()` is `async`, or returns a changed copy as a reducer does. Both would lose what they meant to store.',
  },
  COATCHECK_SESSION_READ_ONLY: {
    cause:
      '`session.cart = …`, `session.data.cart = …` or `session.data.items.push(…)`: the habit of express-session, where the session is saved at the end of the response.',
  },
  COATCHECK_TOKEN_SECONDS: {
    cause: '`expires_at` of Auth.js or `exp` of a JWT, both in seconds, was given as `expiresAt`.',
  },
}

/** @param foreign catalogue to search for texts that lead to a code */
export function ownErrors(foreign: Catalogue): Catalogue {
  return (Object.keys(errorCatalogue) as ErrorCode[]).map((code) => {
    const { why, fix, family, status, retryable } = errorCatalogue[code]
    const { cause, check = null } = background[code]
    return {
      name: code,
      kind: 'error',
      match: new RegExp(`\\b${code}\\b`),
      seen: [],
      why,
      cause,
      check: check === null ? null : `\`${check}\``,
      fix,
      prevent: null,
      related: foreign.filter(({ related }) => related.includes(code)).map(({ name }) => name),
      thrown: { family: classOf(family), status, retryable },
      source: null,
    }
  })
}

function classOf(family: CatalogueEntry['family']): string {
  return family === 'misuse' ? 'TypeError' : `${family.slice(0, 1).toUpperCase()}${family.slice(1)}Error`
}
