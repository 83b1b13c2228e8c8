/** Findings from options and environment alone. If you add one, add its row in docs/doctor.md (a test compares both). */
import { type CatalogueFinding, error, warning } from './entry.ts'

export const configurationFindings = {
  DOCTOR_URL_UNESCAPED: {
    ...error,
    cause: 'configuration',
    title: 'The user name or password in the Redis URL is not percent-encoded',
    why: 'A URL ends its host at the first of # / ? and its credentials at @. Unescaped, they make a client connect to a host that is a piece of the password.',
    fix: 'Put the password into REDIS_PASSWORD, where it stands as it is, or encode it: node -p "encodeURIComponent(process.env.REDIS_PASSWORD)".',
  },
  DOCTOR_REDIS_VARIABLE_IGNORED: {
    ...warning,
    title: 'A variable for Redis is set and has no effect',
    why: 'Only REDIS_URL says where Redis is. What the URL holds wins over REDIS_USERNAME and REDIS_PASSWORD, and there is no REDIS_HOST, REDIS_PORT, REDIS_DB or REDIS_TLS.',
    fix: 'Write it into REDIS_URL (rediss:// for TLS, /<number> for a database), and remove the variable.',
  },
  DOCTOR_MEMORY_STORE: {
    ...warning,
    title: 'Sessions lie in the memory of the process',
    why: 'A restart signs all users out, and a second instance does not know the users of the first. This is for development only.',
    fix: 'Set REDIS_URL.',
  },
  DOCTOR_MEMORY_STORE_INSTANCES: {
    ...error,
    title: 'Several instances, each with sessions in its own memory',
    why: 'The environment says that the application runs in more than one process or on a platform that starts more of them. A user who is signed in at one process is unknown to the next: random sign-outs.',
    fix: 'Set REDIS_URL, the same for all instances.',
  },
  DOCTOR_NODE_ENV: {
    ...warning,
    title: 'NODE_ENV is not "production" behind a public base URL',
    why: 'Frameworks then run in development mode: slow, with stack traces in their answers, and some with caches switched off.',
    fix: 'Set NODE_ENV=production where the application runs. Coatcheck itself follows the base URL and never NODE_ENV.',
  },
  DOCTOR_BASE_URL_LOOPBACK: {
    ...warning,
    title: 'A loopback base URL in production',
    why: 'On a loopback base URL the cookie has neither Secure nor the __Host- prefix when it is plain http, and providers send users back to their own machine.',
    fix: 'Set COATCHECK_BASE_URL to the https origin that browsers see.',
  },
  DOCTOR_KEYS_MISSING: {
    ...warning,
    title: 'No keys: each process draws its own',
    why: 'Records in Redis that one process has sealed open in no other one, and not after a restart.',
    fix: 'Put a key into COATCHECK_KEYS: coatcheck secret.',
  },
  DOCTOR_KEY_WEAK: {
    ...error,
    title: 'A key of the ring is not random',
    why: 'A key that was typed, repeated or counted can be guessed, and with it every record in a copy of the database opens.',
    fix: 'Replace it: coatcheck keys add draws a new key, which goes behind first and in front later; coatcheck keys rotate does the rest.',
  },
  DOCTOR_OFFLINE_ACCESS: {
    ...error,
    title: 'API scopes are requested without offline_access',
    why: 'Without it the provider gives no refresh token: the access token dies after about an hour, and the user has to sign in again.',
    fix: 'Add "offline_access" to the scopes of the provider.',
  },
  DOCTOR_OFFLINE_ACCESS_OPTIONAL: {
    ...warning,
    title: 'No offline_access',
    why: 'The provider gives no refresh token, so no access token can be had after sign-in. That is fine for an application that only signs users in.',
    fix: 'Add "offline_access" to the scopes of the provider if the application calls APIs.',
  },
  DOCTOR_SCOPES_SEVERAL_RESOURCES: {
    ...error,
    title: 'Scopes of several resources in one request',
    why: 'An access token of Entra ID is for one resource. A request for scopes of two is refused (AADSTS28000) or loses all but the first.',
    fix: 'Keep the scopes of one API at sign-in; ask for the others by getAccessToken(userId, { scopes }) when they are needed.',
  },
  DOCTOR_REDIRECT_LOOPBACK_ADDRESS: {
    ...warning,
    title: 'A redirect URI on 127.0.0.1',
    why: 'Entra ID takes plain http for localhost only, and ignores the port there; 127.0.0.1 cannot be entered in the form of its portal.',
    fix: 'Use http://localhost:<port> as COATCHECK_BASE_URL.',
  },
  DOCTOR_CLIENT_OPTION_UNKNOWN: {
    ...warning,
    title: 'An option of the Redis client that does nothing',
    why: 'The client library takes any option and ignores those it does not know, so what was meant by it does not happen.',
    fix: 'Remove it or correct its name. To see what Coatcheck does with Redis, listen to its events.',
  },
  DOCTOR_CLIENT_SOCKET_TIMEOUT: {
    ...error,
    title: 'socketTimeout without pingInterval',
    why: 'A quiet moment longer than socketTimeout ends the connection, and the client does not connect again.',
    fix: 'Remove socketTimeout (Coatcheck has deadlines of its own), or set pingInterval to less than half of it.',
  },
  DOCTOR_CLIENT_NO_RECONNECT: {
    ...error,
    title: 'The Redis client does not reconnect',
    why: 'With reconnectStrategy: false the first lost connection is the last one, until the process is restarted.',
    fix: 'Remove reconnectStrategy, or return milliseconds from it.',
  },
  DOCTOR_CLIENT_KEY_PREFIX: {
    ...warning,
    title: 'keyPrefix of the Redis client is not applied',
    why: 'Coatcheck sends raw commands, so that all majors of the library do the same. Its keys are without that prefix.',
    fix: 'Use the option prefix of Coatcheck (REDIS_PREFIX).',
  },
  DOCTOR_CLIENT_READONLY: {
    ...error,
    title: 'The Redis client only reads',
    why: 'With readonly: true commands may go to replicas, which take no write and do not know yet who was signed out.',
    fix: 'Remove readonly, or hand in a client of its own to Coatcheck.',
  },
  DOCTOR_CLIENT_PING_INTERVAL: {
    ...warning,
    title: 'No pingInterval on a platform that drops quiet connections',
    why: 'Load balancers of Azure and AWS forget a connection that nothing was sent on for some minutes, without a word to either side. The next command then waits for its deadline.',
    fix: 'Set pingInterval: 60_000 on the client, or give Coatcheck the URL instead of a client.',
  },
} as const satisfies Record<string, CatalogueFinding>
