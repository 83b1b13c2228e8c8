/** Findings about the Redis servers themselves. If you add one, add its row in docs/doctor.md (a test compares both). */
import { type CatalogueFinding, error, warning } from './entry.ts'

const tls = { severity: 'error', cause: 'redis-unreachable' } as const

export const redisFindings = {
  DOCTOR_TLS_EXPIRED: {
    ...tls,
    title: 'The certificate of Redis has expired',
    why: 'No client that verifies certificates connects any more.',
    fix: 'Renew the certificate on the server. If it was renewed already, the server has to load it: CONFIG SET tls-cert-file, or a restart.',
  },
  DOCTOR_TLS_HOST_NAME: {
    ...tls,
    title: 'The certificate of Redis is for another host name',
    why: 'The certificate does not contain the host name in the URL, so another server may be answering.',
    fix: 'Use the name of the certificate in REDIS_URL, or name it by redisStore({ tls: { servername } }).',
  },
  DOCTOR_TLS_AUTHORITY: {
    ...tls,
    title: 'The certificate of Redis is of an authority that is not trusted here',
    why: 'It is self-signed, of an authority of your own, or an intermediate certificate is missing on the server.',
    fix: 'Give the certificate of the authority by REDIS_TLS_CA (a path, or PEM text).',
  },
  DOCTOR_TLS_EXPIRES: {
    ...warning,
    title: 'The certificate of Redis expires soon',
    why: 'From that moment on no process can connect, and no user can use a session.',
    fix: 'Renew it, and see why that did not happen by itself.',
  },
  DOCTOR_TLS_MISSING: {
    ...warning,
    title: 'The connection to Redis is not encrypted',
    why: 'Records are sealed, but the password, the names of keys and the times at which users come and go cross the network in the clear.',
    fix: 'Use rediss:// and a server with TLS.',
  },
  DOCTOR_NODE_AWAY: {
    ...warning,
    title: 'One of the configured nodes does not answer',
    why: 'The other nodes answer, so everything works. But fewer nodes are left that may fail.',
    fix: 'Start it, or take it out of REDIS_CLUSTER or REDIS_SENTINELS.',
  },
  DOCTOR_REDIS_VERSION: {
    ...error,
    title: 'The server is too old',
    why: 'Commands that Coatcheck needs came with Redis 6.2 (GETDEL, options of SET and ZADD).',
    fix: 'Upgrade to Redis 7 or later, or Valkey 7.2 or later.',
  },
  DOCTOR_REDIS_PRERELEASE: {
    ...warning,
    title: 'The server is a release candidate or an unstable build',
    why: 'Its format on disk and its behaviour may change, and fixes of security holes are not made for it.',
    fix: 'Use a stable version; with images a tag without -rc or -m.',
  },
  DOCTOR_CLUSTER_AS_SINGLE: {
    ...error,
    title: 'A node of a cluster is addressed as one server',
    why: 'It holds some of the keys only and answers MOVED for the others: some users work, others do not.',
    fix: 'Set REDIS_CLUSTER=true, or hand in a client of createCluster().',
  },
  DOCTOR_TTL_IGNORED: {
    ...error,
    title: 'Keys do not end when they should',
    why: 'A key with a lifetime of a moment was still there seconds later. Something in between (a proxy, a compatible server) does not keep lifetimes.',
    fix: 'Connect to Redis or Valkey itself.',
  },
  DOCTOR_TRACKING_REFUSED: {
    ...warning,
    title: 'The near cache cannot work',
    why: 'The server does not allow CLIENT TRACKING, so the cache would not learn of changed sessions. The cache stays off; everything else works.',
    fix: 'Allow it (+client|tracking), or remove nearCache.',
  },
  DOCTOR_EVICTION_POLICY: {
    ...error,
    title: 'Redis may delete live sessions',
    why: 'With an allkeys policy, a full server deletes keys that were not used lately, and reports success for every write. Users are signed out at random, and refresh tokens are lost without an error.',
    fix: 'CONFIG SET maxmemory-policy noeviction (or the setting of your provider), an alert at 75 % of maxmemory, and another server for caches.',
  },
  DOCTOR_EVICTION_VOLATILE: {
    ...warning,
    title: 'Redis may delete what has a lifetime',
    why: 'Every key of Coatcheck has one. volatile-lru, -lfu and -random remove sessions as allkeys policies do; volatile-ttl begins with the memory of used sign-ins and of who was signed out.',
    fix: 'CONFIG SET maxmemory-policy noeviction, and another server for caches.',
  },
  DOCTOR_EVICTION_BEGUN: {
    ...error,
    title: 'Redis is deleting keys',
    why: 'Its memory is full and its policy lets it remove keys that have not ended. Sessions and tokens are among them.',
    fix: 'Raise maxmemory at once, then set maxmemory-policy noeviction.',
  },
  DOCTOR_EVICTION_PAST: {
    ...warning,
    title: 'Redis has deleted keys since it was started',
    why: 'The policy is noeviction now and was another one: what was removed then is lost.',
    fix: 'Nothing more, if you changed it; CONFIG RESETSTAT sets the counter back.',
  },
  DOCTOR_CANARY_LOST: {
    ...error,
    title: 'A canary key is gone before its time',
    why: 'The missing key was never read, and Redis evicts such keys first. Sessions follow or have been evicted already. A FLUSHALL, a restart without persistence and a failover that lost writes look the same.',
    fix: 'Look at maxmemory-policy, evicted_keys and the uptime of the server; then plant new ones with coatcheck doctor --canaries.',
  },
  DOCTOR_MEMORY_UNLIMITED: {
    ...warning,
    title: 'Redis has no memory limit',
    why: 'It grows until the kernel ends it, and takes what was not written to disk with it.',
    fix: 'Set maxmemory to about 70 % of what the machine has, with maxmemory-policy noeviction.',
  },
  DOCTOR_MEMORY_LOW: {
    ...warning,
    title: 'The memory of Redis will be full soon',
    why: 'A full server refuses every write, so no user can sign in.',
    fix: 'Raise maxmemory, shorten the life of sessions, or move other data elsewhere.',
  },
  DOCTOR_MEMORY_FULL: {
    ...error,
    title: 'The memory of Redis is full, or about to be',
    why: 'A full server refuses every write, so no user can sign in and no token can be refreshed.',
    fix: 'Raise maxmemory now.',
  },
  DOCTOR_WRITES_REFUSED: {
    ...warning,
    title: 'Redis has refused writes since it was started',
    why: 'It counts its refusals: OOM (memory full), MISCONF (snapshots fail), NOREPLICAS (too few replicas), BUSY (a long script). For users each was a failed sign-in or an error page.',
    fix: 'Look at the other findings for the cause. When it is gone, CONFIG RESETSTAT sets the counter back.',
  },
  DOCTOR_REPLICAS_MISSING: {
    ...error,
    title: 'Fewer replicas than durability asks for',
    why: 'Sign-outs wait for that many replicas in vain and are never reported as durable.',
    fix: 'Start the replicas, or lower durability.replicas.',
  },
  DOCTOR_NO_PERSISTENCE: {
    ...warning,
    title: 'Nothing survives a restart of Redis',
    why: 'There is neither an append-only file nor a replica: a restart signs all users out and loses every revocation.',
    fix: 'Set appendonly yes, or add a replica.',
  },
  DOCTOR_SAVE_FAILED: {
    ...error,
    title: 'Redis cannot write to its disk',
    why: 'Its last snapshot or append failed. By default it then refuses all writes (MISCONF), and after a restart the newest sessions are missing.',
    fix: 'Free disk space or repair permissions on the server; its log says which.',
  },
  DOCTOR_CLOCK_SKEW: {
    ...warning,
    title: 'The clocks of Redis and this machine differ',
    why: 'Coatcheck measures the difference and allows for it, but lifetimes of tokens are judged by this clock.',
    fix: 'Let both follow the same time servers (chrony, systemd-timesyncd).',
  },
  DOCTOR_CLOCK_WRONG: {
    ...error,
    title: 'The clocks of Redis and this machine are far apart',
    why: 'Sessions and tokens then end much earlier or later than they say, and ID tokens are refused.',
    fix: 'Correct the clock that is wrong, and let both follow the same time servers.',
  },
  DOCTOR_ACL_WIDE: {
    ...warning,
    title: 'The Redis user may do more than it needs',
    why: 'An attacker with these credentials can empty the server, stop it with KEYS, or read what other applications keep there.',
    fix: 'Give Coatcheck a user of its own with the rules of docs/redis-acl.md.',
  },
  DOCTOR_ACL_NARROW: {
    ...error,
    cause: 'redis-refused',
    title: 'The Redis user may do less than it needs',
    why: 'Redis will refuse a command of Coatcheck (NOPERM), perhaps only at the first sign-out.',
    fix: 'Extend its rules: ACL SETUSER with what is named here. docs/redis-acl.md has all of it.',
  },
} as const satisfies Record<string, CatalogueFinding>
