/** Errors of the store: Redis is down for a time, or an operator must change its setup. */
import type { CatalogueEntry } from './catalogue-entry.ts'

const redisDown = { family: 'redis', retryable: true, status: 503 } as const
const redisSetup = { family: 'redis', retryable: false, status: 503 } as const

export const redisErrors = {
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
} as const satisfies Record<string, CatalogueEntry>
