import { describe, expect, test } from 'vitest'
import type { RedisErrorCode } from '../core/error-catalogue.ts'
import { diagnose, diagnosis, isServerReply, isTransientReply, redisError } from './diagnose.ts'

const at = 'redis.test:6379'

/** Error texts of servers 6.2 to 8 and of the three majors of the client library. */
const texts: readonly [code: string, message: string][] = [
  ['NOAUTH', 'NOAUTH Authentication required.'],
  ['NOAUTH', 'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH …'],
  ['NOAUTH', 'DENIED Redis is running in protected mode because protected mode is enabled and no password is set'],
  ['AUTH', 'WRONGPASS invalid username-password pair or user is disabled.'],
  ['AUTH', 'ERR invalid password'],
  ['AUTH', 'ERR AUTH <password> called without any password configured for the default user. Are you sure?'],
  ['AUTH', 'ERR Client sent AUTH, but no password is set'],
  ['NOPERM', "NOPERM this user has no permissions to run the 'set' command"],
  ['NOPERM', 'NOPERM this user has no permissions to access one of the keys used as arguments'],
  ['NOPERM', "NOPERM User app has no permissions to run the 'set' command"],
  ['OOM', "OOM command not allowed when used memory > 'maxmemory'."],
  ['OOM', "OOM command not allowed when used memory > 'maxmemory'. script: 3c4c, on @user_script:1."],
  ['READONLY', "READONLY You can't write against a read only replica."],
  ['READONLY', "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."],
  ['LOADING', 'LOADING Redis is loading the dataset in memory'],
  ['MISCONF', 'MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk.'],
  ['MISCONF', 'MISCONF Errors writing to the AOF file: No space left on device'],
  ['NOREPLICAS', 'NOREPLICAS Not enough good replicas to write.'],
  ['BUSY', 'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.'],
  ['CLUSTERDOWN', 'CLUSTERDOWN Hash slot not served'],
  ['CLUSTERDOWN', 'TRYAGAIN Multiple keys request during rehashing of slot'],
  ['CROSSSLOT', "CROSSSLOT Keys in request don't hash to the same slot"],
  ['CROSSSLOT', 'MOVED 6017 10.0.0.7:6379'],
  ['CROSSSLOT', 'ASK 6017 10.0.0.7:6379'],
  ['DATABASE', 'ERR DB index is out of range'],
  ['DATABASE', 'ERR SELECT is not allowed in cluster mode'],
  ['PROTOCOL', 'NOPROTO unsupported protocol version'],
  ['PROTOCOL', "ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'default' 'hunter2' "],
  ['PROTOCOL', 'ERR unknown command `HELLO`, with args beginning with: `3`, `hunter2`, '],
  ['PROTOCOL', 'Unknown RESP type 72 "H"'],
  ['UNREACHABLE', 'ERR max number of clients reached'],
  ['UNREACHABLE', 'Socket closed unexpectedly'],
  ['UNREACHABLE', 'Connection timeout'],
  ['UNREACHABLE', 'Disconnects client'],
  ['UNREACHABLE', 'The client is closed'],
  ['UNREACHABLE', ''],
  ['OVERLOADED', 'The queue is full'],
  ['ERROR', 'WRONGTYPE Operation against a key holding the wrong kind of value'],
  ['ERROR', 'BUSYKEY Target key name already exists.'],
  [
    'ERROR',
    "ERR Error compiling script (new function): 'a very long quoted text that could be a value hunter2' near x",
  ],
]

describe('diagnose', () => {
  test.each(texts)('%s: %s', (code, message) => {
    const error = redisError(diagnose(new Error(message), at))
    expect(error.code).toBe(`COATCHECK_REDIS_${code}`)
    expect(`${error.message} ${String((error.cause as Error).stack)}`).not.toContain('hunter2')
    expect(error.message).toContain(at)
  })

  test.each([
    ['UNREACHABLE', { code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 10.0.0.7:6379' }],
    ['UNREACHABLE', { code: 'ENOTFOUND', message: 'getaddrinfo ENOTFOUND redis.test' }],
    ['UNREACHABLE', { code: 'ENOENT', message: 'connect ENOENT /run/redis.sock' }],
    ['UNREACHABLE', { code: 'ECONNRESET', message: 'read ECONNRESET' }],
    ['UNREACHABLE', { message: '', errors: [{ code: 'ECONNREFUSED', message: 'connect ECONNREFUSED ::1:6379' }] }],
    ['TLS', { code: 'DEPTH_ZERO_SELF_SIGNED_CERT', message: 'self-signed certificate' }],
    ['TLS', { code: 'SELF_SIGNED_CERT_IN_CHAIN', message: 'self-signed certificate in certificate chain' }],
    ['TLS', { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', message: 'unable to verify the first certificate' }],
    ['TLS', { code: 'CERT_HAS_EXPIRED', message: 'certificate has expired' }],
    ['TLS', { code: 'ERR_TLS_CERT_ALTNAME_INVALID', message: "Hostname/IP does not match certificate's altnames" }],
    ['TLS', { code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', message: 'certificate required' }],
    ['TLS', { code: 'EPROTO', message: 'write EPROTO' }],
  ])('%s by the code of the error, whatever its class: %o', (code, foreign) => {
    const error = redisError(diagnose(foreign, at))
    expect(error.code).toBe(`COATCHECK_REDIS_${code}`)
    expect(error.message).toMatch(/^Cannot reach Redis at redis\.test:6379: .+[^.]\.$/)
    expect(error.cause).toMatchObject({ code: ('code' in foreign ? foreign.code : undefined) ?? 'ECONNREFUSED' })
  })

  test.each<[foreign: unknown, message: string]>([
    [{ code: 'ECONNREFUSED' }, 'Cannot reach Redis at redis.test:6379: connection refused.'],
    [{ code: 'ENOTFOUND' }, 'Cannot reach Redis at redis.test:6379: the host name does not resolve.'],
    [{ code: 'EADDRNOTAVAIL' }, 'Cannot reach Redis at redis.test:6379: EADDRNOTAVAIL.'],
    [
      { code: 'CERT_HAS_EXPIRED' },
      'Cannot reach Redis at redis.test:6379: the TLS handshake failed (CERT_HAS_EXPIRED).',
    ],
    [new Error('Socket closed unexpectedly'), 'Cannot reach Redis at redis.test:6379: the connection was closed.'],
    [new Error(''), 'Cannot reach Redis at redis.test:6379: no answer.'],
    [
      new Error('MOVED 6017 10.0.0.7:6379'),
      'Cannot use Redis at redis.test:6379: the server is one node of a cluster.',
    ],
    [
      new Error('NOAUTH Authentication required.'),
      'Redis at redis.test:6379 answered: NOAUTH Authentication required.',
    ],
    [new Error('WRONGTYPE no'), 'Redis at redis.test:6379 answered: WRONGTYPE no.'],
  ])('%o in a sentence', (foreign, message) => {
    expect(redisError(diagnose(foreign, at)).message).toBe(message)
  })

  test('what was found out without an error of the library', () => {
    const of = (...[code, says]: [RedisErrorCode, string]) => redisError(diagnosis(code, at, says)).message
    expect(of('COATCHECK_REDIS_TLS', 'the port speaks TLS, and the URL says redis://')).toBe(
      'Cannot reach Redis at redis.test:6379: the port speaks TLS, and the URL says redis://.',
    )
    expect(of('COATCHECK_REDIS_PROTOCOL', 'the server on this port is not Redis')).toBe(
      'Cannot use Redis at redis.test:6379: the server on this port is not Redis.',
    )
  })

  test('plain texts, as Sentinel clients emit them, and what is no error at all', () => {
    expect(diagnose('LOADING Redis is loading', at).code).toBe('COATCHECK_REDIS_LOADING')
    for (const odd of [undefined, null, 7, {}, { message: 7 }]) {
      expect(diagnose(odd, at).code).toBe('COATCHECK_REDIS_UNREACHABLE')
    }
  })

  test('control characters of a reply reach no log line', () => {
    const error = redisError(diagnose(new Error('ERR odd\r\ninjected: line'), at))
    expect(`${error.message}${String(error.cause)}`).not.toMatch(/[\r\n]/)
  })

  test('what a reply is, and which one is worth another try', () => {
    expect(isServerReply(new Error('WRONGTYPE x'))).toBe(true)
    expect(isServerReply(new Error('Socket closed unexpectedly'))).toBe(false)
    expect(isServerReply(Object.assign(new Error('ECONNRESET'), { code: 'ECONNRESET' }))).toBe(false)
    expect(isTransientReply(new Error('LOADING x'))).toBe(true)
    expect(isTransientReply(new Error('OOM x'))).toBe(false)
  })
})
