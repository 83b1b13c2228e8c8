/**
 * Messages of Node, OpenSSL and the `redis` package about failed or broken connections. `redis/diagnose.ts` maps most of them to codes; a
 * test compares both.
 */
import { foreignCatalogue } from './explanation.ts'
import { inLine } from './foreign-provider.ts'

export const connectionTexts = foreignCatalogue({
  ECONNREFUSED: {
    match: inLine(
      String.raw`\bECONNREFUSED\b|Redis at \S+: connection refused\b|\bAggregateError\b(?! \[E(?!CONNREFUSED))`,
      'something else',
    ),
    seen: ['connect ECONNREFUSED 127.0.0.1:6379', 'AggregateError [ECONNREFUSED]: '],
    why: 'The machine answers and says that nothing listens on this port. A refusal is no timeout: it comes at once. As an `AggregateError` with an empty message it is the same, once for each address of the name: `localhost` is 127.0.0.1 and ::1.',
    check: '`npx coatcheck ping --count 1`',
    fix: 'Start the server, or correct host and port of REDIS_URL. In a container `localhost` is the container itself: use the name of the service. A server that listens on 127.0.0.1 only (`bind`) refuses all others.',
    prevent: 'Start the application after `await auth.ready()`, which waits for Redis and says what is wrong.',
    codes: ['COATCHECK_REDIS_UNREACHABLE'],
  },
  ENOTFOUND: {
    match: inLine(
      String.raw`\bENOTFOUND\b|\bEAI_AGAIN\b|\bthe host name does not resolve\b|\bno name server answers for the host name\b`,
      'something else',
    ),
    seen: ['getaddrinfo ENOTFOUND redis.internal', 'getaddrinfo EAI_AGAIN redis.internal'],
    why: 'No name server knows this host (`ENOTFOUND`), or none could be asked (`EAI_AGAIN`). Before DNS, look at the name: an unescaped `@` or `#` in a URL password makes part of the password the host.',
    check: '`getent hosts HOST`',
    fix: 'Correct the host of REDIS_URL; percent-encode the password, or move it to REDIS_PASSWORD. In a container network the name is that of the service, in the same network.',
    prevent: '`coatcheck doctor` shows the host as it is read from REDIS_URL.',
    codes: ['COATCHECK_REDIS_UNREACHABLE'],
  },
  ECONNRESET: {
    match: inLine(String.raw`\bECONNRESET\b|\bthe connection was reset\b`, 'something else'),
    seen: ['read ECONNRESET'],
    why: 'The other side cut the connection. At every attempt, at once: a plain client (`redis://`) talks to a TLS port. Once in a while: a load balancer or firewall that ends idle connections, or a server that restarted.',
    check: '`openssl s_client -connect HOST:PORT -servername HOST </dev/null`',
    fix: 'If that command shows a certificate, use `rediss://`. Coatcheck keeps its connections busy and connects anew by itself, so a single line of this kind needs nothing.',
    prevent: 'For a client of your own: `pingInterval` below the idle limit of the load balancer.',
    codes: ['COATCHECK_REDIS_UNREACHABLE'],
  },
  ERR_INVALID_URL: {
    match: /\bERR_INVALID_URL\b|\bis not a valid Redis protocol\b|\bInvalid pathname\b/,
    seen: ['TypeError [ERR_INVALID_URL]: Invalid URL', 'Protocol - localhost: - is not a valid Redis protocol'],
    why: 'REDIS_URL is no URL. In `localhost:6379` the text before the colon is taken for the scheme, which gives the second message; quotes, spaces and an unescaped password give the first.',
    check: '`node -p "new URL(process.env.REDIS_URL).host"`',
    fix: 'Write the scheme: `redis://localhost:6379`, `rediss://` for TLS, `unix:///path` for a socket. Keep the password in REDIS_PASSWORD, where nothing has to be escaped.',
    prevent: '`coatcheck doctor` reads the URL as the application does, and shows its parts without the password.',
    codes: [],
  },
  TimeoutError: {
    match: /\bTimeoutError\b(?!: The operation was aborted)/,
    seen: ['TimeoutError', 'TimeoutError: Timeout waiting for a client after 3000ms'],
    why: 'A command of the `redis` package waited five seconds in its queue: the default of version 6, and its error has no text. Usually the connection is down and commands pile up behind it; versions 4 and 5 wait for ever instead.',
    check: '`npx coatcheck ping --count 20`',
    fix: 'Look for the error before it: the `error` event of the client says why there is no connection. Coatcheck has deadlines of its own and says COATCHECK_REDIS_TIMEOUT, with the address.',
    prevent:
      'Listen to `error` of every client of your own: without a listener the process ends at the first broken connection.',
    codes: [],
  },
  ConnectionTimeoutError: {
    match: /\bConnectionTimeoutError\b|\bConnection timeout\b/,
    seen: ['ConnectionTimeoutError: Connection timeout'],
    why: 'No connection within the time for one attempt. Two cases look alike: packets are dropped on the way (firewall, security group, wrong address), or a TLS client (`rediss://`) waits for the greeting of a plain port.',
    check: '`timeout 3 redis-cli -h HOST -p PORT PING`',
    fix: 'If Redis answers that command (`PONG`, or `NOAUTH`), the port is plain: use `redis://`, or the TLS port of the server (often 6380). If it does not, open the way: security group, firewall, private endpoint.',
    prevent: '`coatcheck doctor` tries the name, the port and TLS one after the other, and says where it ends.',
    codes: ['COATCHECK_REDIS_UNREACHABLE'],
  },
  ClientClosedError: {
    match: /\bClientClosedError\b|\bThe client is closed\b/,
    seen: ['ClientClosedError: The client is closed'],
    why: 'A command was given to a client of the `redis` package before `connect()` or after it was closed: by a hot reload, by a handler of another request, or because its `reconnectStrategy` gave up.',
    check: '`grep -rnE "\\.(quit|close|destroy|disconnect)\\(" src`',
    fix: 'Make one client for the process, connect it once, close it at the end. A client that you hand to Coatcheck has to stay open for as long as Coatcheck is.',
    prevent: 'Give Coatcheck REDIS_URL and let it keep its connection.',
    codes: ['COATCHECK_REDIS_UNREACHABLE'],
  },
  SocketClosedUnexpectedlyError: {
    match: /\bSocketClosedUnexpectedlyError\b|\bSocket closed unexpectedly\b/,
    seen: ['SocketClosedUnexpectedlyError: Socket closed unexpectedly'],
    why: 'The server ended the connection: it restarted, a load balancer cut an idle connection (Azure after ten minutes), or another kind of server answers there. The command under way may have been carried out or not.',
    check: '`redis-cli -u "$REDIS_URL" INFO server`',
    fix: 'Look at `uptime_in_seconds` for a restart. If the line comes every few minutes, set `pingInterval` for a client of your own. A process that dies of it has no listener for `error`.',
    prevent:
      'Let Coatcheck keep its connection: it listens, connects anew, and says of each write whether it is known to have happened.',
    codes: ['COATCHECK_REDIS_UNREACHABLE'],
  },
  DEPTH_ZERO_SELF_SIGNED_CERT: {
    match:
      /\b(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(?:_LOCALLY)?)\b/,
    seen: ['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    why: 'This process does not trust the signer of the certificate: the certificate is self-signed, a private CA signed it, or the server does not send the intermediate certificates.',
    check: '`openssl s_client -connect HOST:PORT -servername HOST -showcerts </dev/null`',
    fix: 'Give the certificate of the CA in REDIS_TLS_CA (a file, or the text). Never switch verification off (`rejectUnauthorized: false`, NODE_TLS_REJECT_UNAUTHORIZED): an attacker on the network path can then read the password.',
    prevent: '`coatcheck doctor` checks the chain and the host name.',
    codes: ['COATCHECK_REDIS_TLS'],
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    match: /\bERR_TLS_CERT_ALTNAME_INVALID\b|\bHostname\/IP does not match certificate's altnames\b/,
    seen: ["ERR_TLS_CERT_ALTNAME_INVALID: Hostname/IP does not match certificate's altnames"],
    why: 'The certificate is trusted, but for other names than the host in the URL: an IP address, a CNAME of your own, or a tunnel on localhost in place of the real name.',
    check:
      '`openssl s_client -connect HOST:PORT -servername HOST </dev/null | openssl x509 -noout -ext subjectAltName`',
    fix: 'Use a host name that the certificate holds. Through a tunnel, let that name lead to it (`/etc/hosts`).',
    prevent: '`coatcheck doctor` compares the host name with the certificate.',
    codes: ['COATCHECK_REDIS_TLS'],
  },
  CERT_HAS_EXPIRED: {
    match: /\bCERT_HAS_EXPIRED\b|\bCERT_NOT_YET_VALID\b/,
    seen: ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID'],
    why: 'The certificate of the server is out of its time, or the clock of this machine is wrong.',
    check: '`openssl s_client -connect HOST:PORT -servername HOST </dev/null | openssl x509 -noout -dates`',
    fix: 'Renew the certificate and let the server load it (`CONFIG SET tls-cert-file …`); or set the clock.',
    prevent: 'Renew by a machine, and alert two weeks ahead.',
    codes: ['COATCHECK_REDIS_TLS'],
  },
  'wrong version number': {
    match: /\bwrong version number\b|\bERR_SSL_WRONG_VERSION_NUMBER\b/i,
    seen: ['ERR_SSL_WRONG_VERSION_NUMBER', 'error:0A00010B:SSL routines:ssl3_get_record:wrong version number'],
    why: 'A TLS client got something that is no TLS: `rediss://` or `https://` leads to a plain port. A plain Redis rather keeps silent, which ends in a timeout; this text comes from a server that answers to anything, as web servers do.',
    check: '`timeout 3 redis-cli -h HOST -p PORT PING`',
    fix: 'An answer of `PONG` or `NOAUTH` is a plain Redis: use `redis://` or its TLS port. Anything else is another server: correct the port.',
    prevent: '`coatcheck doctor` looks at the first byte of what answers.',
    codes: ['COATCHECK_REDIS_TLS'],
  },
})
