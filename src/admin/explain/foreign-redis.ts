/**
 * Error replies of Redis. The wordings are those of Redis 7 and Valkey 7.2. `redis/diagnose.ts` maps them to codes; a test feeds it each
 * text of this file and compares.
 */
import { foreignCatalogue } from './explanation.ts'

export const redisReplies = foreignCatalogue({
  NOAUTH: {
    match: /\bNOAUTH\b/,
    seen: [
      'NOAUTH Authentication required.',
      'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
    ],
    why: 'The server wants a password and the client sent none. Both texts mean the same: the long one comes from clients that speak RESP3 and greet with HELLO, the short one from all others.',
    check: '`redis-cli -u "$REDIS_URL" PING`',
    fix: 'Set REDIS_PASSWORD (and REDIS_USERNAME for a user other than `default`), or put both into REDIS_URL. If they are set, look whether the process sees them: a `.env.local` is read by frameworks, not by Node.',
    prevent: '`coatcheck doctor` shows host, port, user and whether a password is set, as the application gets them.',
    codes: ['COATCHECK_REDIS_NOAUTH'],
  },
  WRONGPASS: {
    match: /\bWRONGPASS\b|\bERR invalid password\b/,
    seen: ['WRONGPASS invalid username-password pair or user is disabled.', 'ERR invalid password'],
    why: 'The server knows no enabled user with this name and password. The client library tries again for ever with the same password, so it looks like an outage.',
    check: '`redis-cli -u "$REDIS_URL" ACL WHOAMI`',
    fix: 'Correct REDIS_USERNAME and REDIS_PASSWORD. In a URL `@`, `#`, `/`, `:` and `%` of a password have to be percent-encoded; in REDIS_PASSWORD they stay as they are. Then look at the user on the server: `ACL GETUSER <name>` says `on` or `off`.',
    prevent:
      'Rotate with two passwords at once (`ACL SETUSER coatcheck >new`, later `<old`), so that no moment has only the wrong one. `coatcheck doctor` finds characters in a URL password that are not encoded.',
    codes: ['COATCHECK_REDIS_AUTH'],
  },
  NOPERM: {
    match: /\bNOPERM\b/,
    seen: [
      "NOPERM this user has no permissions to run the 'evalsha' command",
      'NOPERM this user has no permissions to access one of the keys used as arguments',
      'NOPERM this user has no permissions to access one of the channels used as arguments',
    ],
    why: 'The ACL of the user is narrower than what was asked: the first form names a command, the second a key that no pattern of the user matches, the third a channel.',
    check: '`redis-cli -u "$REDIS_URL" ACL LOG 5`',
    fix: 'For a command: add it (`+evalsha`). For a key: the patterns have to begin with REDIS_PREFIX (`~myapp:user:*`). For a channel: `&myapp:user:*`. docs/redis-acl.md has the whole line, and a test runs everything under it.',
    prevent:
      'Take the line of docs/redis-acl.md as it is. `coatcheck doctor` compares the rights of the user with what is needed.',
    codes: ['COATCHECK_REDIS_NOPERM'],
  },
  OOM: {
    match: /\bOOM (?:command not allowed|allow-oom flag)/,
    seen: [
      "OOM command not allowed when used memory > 'maxmemory'.",
      "OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'",
    ],
    why: 'The server has reached maxmemory and its policy deletes nothing, so it refuses what would need more. Reading goes on, and so does signing out.',
    check: '`redis-cli -u "$REDIS_URL" INFO memory`',
    fix: 'Raise maxmemory, or remove what is not ours: `redis-cli --bigkeys` finds it. Do not switch to an allkeys policy: it ends this message by deleting live sessions.',
    prevent:
      'Alert at 80 % of maxmemory. `coatcheck doctor` says how much room is left; keys without an expiry are what usually fills it.',
    codes: ['COATCHECK_REDIS_OOM'],
  },
  MISCONF: {
    match: /\bMISCONF\b/,
    seen: [
      'MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist on disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.',
    ],
    why: 'The last snapshot or write to the append-only file failed, and the server refuses writes rather than promise what it cannot keep. Usually the disk is full, or it may not write into its folder, or it could not fork.',
    check: '`redis-cli -u "$REDIS_URL" INFO persistence`',
    fix: 'Free space on the disk of the server (`df -h`), give it its folder back, or allow it to fork (`vm.overcommit_memory = 1`). Its log names the reason. Then `BGSAVE`: when that succeeds, writes go on.',
    prevent:
      'Alert on the disk of the server and on `rdb_last_bgsave_status`. `coatcheck doctor` looks at persistence.',
    codes: ['COATCHECK_REDIS_MISCONF'],
  },
  CLUSTERDOWN: {
    match: /\bCLUSTERDOWN\b/,
    seen: ['CLUSTERDOWN Hash slot not served', 'CLUSTERDOWN The cluster is down'],
    why: 'Some slots have no primary at the moment: a node is gone and its replica has not taken over yet, or the cluster was never fully set up.',
    check: '`redis-cli -u "$REDIS_URL" CLUSTER INFO`',
    fix: 'Wait for the failover: Coatcheck tries again within its deadline. If it stays, start the missing node, or give its slots to others (`redis-cli --cluster fix`).',
    prevent: 'One replica for each primary, on other machines.',
    codes: ['COATCHECK_REDIS_CLUSTERDOWN'],
  },
  MOVED: {
    match: /\b(?:MOVED|ASK) \d+ \S*:\d+/,
    seen: ['MOVED 6017 10.0.0.7:6379'],
    why: 'The server is one node of a cluster, and the client treats it as a single server: it works for the keys of this node and fails for all others.',
    check: '`redis-cli -u "$REDIS_URL" INFO cluster`',
    fix: 'Set REDIS_CLUSTER=true. A client that you hand in has to be made with createCluster().',
    prevent: '`coatcheck doctor` sees that the server belongs to a cluster.',
    codes: ['COATCHECK_REDIS_CROSSSLOT'],
  },
  CROSSSLOT: {
    match: /\bCROSSSLOT\b/,
    seen: ["CROSSSLOT Keys in request don't hash to the same slot"],
    why: 'One command names keys of different slots, which a cluster cannot do. All keys of one user carry the same hash tag, so with Coatcheck this means a prefix with braces of its own, or a proxy.',
    check: '`redis-cli -u "$REDIS_URL" CLUSTER KEYSLOT "user:{AAAAAAAAAAAAAAAA}:gen"`',
    fix: 'Take braces out of REDIS_PREFIX, and connect with REDIS_CLUSTER=true.',
    prevent: 'A prefix of letters and a colon, as `myapp:`.',
    codes: ['COATCHECK_REDIS_CROSSSLOT'],
  },
  READONLY: {
    match: /\bREADONLY You can't write\b|\bMASTERDOWN\b/,
    seen: [
      "READONLY You can't write against a read only replica.",
      "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    ],
    why: 'The connection leads to a replica: REDIS_URL points to one, or the roles have changed in a failover and an old connection stayed.',
    check: '`redis-cli -u "$REDIS_URL" ROLE`',
    fix: 'Point REDIS_URL to the primary, or let it be found: REDIS_SENTINELS, REDIS_CLUSTER=true, or the address of a managed service that always means the primary. After a failover Coatcheck connects anew by itself; a client of your own may not.',
    prevent: '`coatcheck doctor` shows the role of the server.',
    codes: ['COATCHECK_REDIS_READONLY'],
  },
  LOADING: {
    match: /\bLOADING \w+ is loading\b/,
    seen: ['LOADING Redis is loading the dataset in memory'],
    why: 'The server has just started and still reads its data from disk. It answers, but no command about keys.',
    check: '`redis-cli -u "$REDIS_URL" INFO persistence`',
    fix: 'Wait: `loading_eta_seconds` says how long. Coatcheck tries again within its deadline, then answers 503 and leaves cookies alone.',
    prevent:
      'A replica that takes over makes a restart invisible. If it happens by itself, look why the server restarts: its log, or the memory limit of its container.',
    codes: ['COATCHECK_REDIS_LOADING'],
  },
  BUSY: {
    match: /\bBUSY \w+ is busy running\b/,
    seen: ['BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.'],
    why: 'A script has been running for longer than five seconds, and no other client gets an answer meanwhile. The scripts of Coatcheck are bounded and take well below a millisecond; look for another one on the same server.',
    check: '`redis-cli -u "$REDIS_URL" SLOWLOG GET 10`',
    fix: '`SCRIPT KILL` ends it if it has not written yet. Then mend the script, or give it a server of its own.',
    prevent: 'Keep sessions on their own server: a slow script of another application blocks all clients.',
    codes: ['COATCHECK_REDIS_BUSY'],
  },
  NOREPLICAS: {
    match: /\bNOREPLICAS\b/,
    seen: ['NOREPLICAS Not enough good replicas to write.'],
    why: 'The server is told to take writes only with enough replicas in touch (min-replicas-to-write), and there are fewer, or they lag too far behind.',
    check: '`redis-cli -u "$REDIS_URL" INFO replication`',
    fix: 'Bring the replicas back: `connected_slaves` and their `lag` show which. Lower min-replicas-to-write only if losing the last writes in a failover is acceptable. Sessions can be read meanwhile, and this process refuses the sessions that it has ended.',
    prevent:
      'One more replica than min-replicas-to-write asks for. `coatcheck doctor` compares replicas with the durability that you want.',
    codes: ['COATCHECK_REDIS_NOREPLICAS'],
  },
  'max number of clients reached': {
    match: /\bmax number of clients reached\b/,
    seen: ['ERR max number of clients reached'],
    why: 'The server takes no further connection (maxclients). Coatcheck needs one connection for each process and server, so the usual cause is another program: a client that is created for each request, or a serverless platform.',
    check: '`redis-cli -u "$REDIS_URL" INFO clients`',
    fix: 'Find who holds them: `CLIENT LIST` shows address and age. Create the client once for each process; `auth` of Coatcheck belongs into a module of its own for the same reason.',
    prevent: 'Alert on `connected_clients` beside `maxclients`.',
    codes: ['COATCHECK_REDIS_UNREACHABLE'],
  },
  'DB index is out of range': {
    match: /\bDB index is out of range\b/,
    seen: ['ERR DB index is out of range'],
    why: 'The number behind the last slash of REDIS_URL names a database that the server does not have. A client that goes on writes into database 0.',
    check: '`redis-cli -u "$REDIS_URL" CONFIG GET databases`',
    fix: 'Use a number below that, or none. A cluster and many managed services have database 0 only.',
    prevent: 'Separate applications by REDIS_PREFIX, not by database number.',
    codes: ['COATCHECK_REDIS_DATABASE'],
  },
  'unknown command': {
    match: /\bERR unknown command\b|\bNOPROTO\b/,
    seen: ["ERR unknown command 'HELLO', with args beginning with: ", 'NOPROTO unsupported protocol version'],
    why: 'The server is older than Redis 6.2, a proxy that lets only some commands through, or one whose commands were renamed.',
    check: '`redis-cli -u "$REDIS_URL" INFO server`',
    fix: 'Redis 6.2 or Valkey 7.2 or later; a proxy has to let the commands of docs/redis-acl.md through.',
    prevent: '`coatcheck doctor` shows version and missing features.',
    codes: ['COATCHECK_REDIS_PROTOCOL'],
  },
})
