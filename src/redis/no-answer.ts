/** Builds the error for an operation whose deadline has passed. The error depends on whether the operation may have changed data. */
import { errorCatalogue } from '../core/error-catalogue.ts'
import { RedisError } from '../core/errors.ts'
import { safeText } from '../core/redact.ts'
import type { PendingCall } from './pending-call.ts'

/** Commands of this package that do not change keys. Every other command may have changed something. */
const READS: ReadonlySet<string> = new Set([
  ...[
    'GET',
    'MGET',
    'GETRANGE',
    'STRLEN',
    'EXISTS',
    'TYPE',
    'TTL',
    'PTTL',
    'HGET',
    'HMGET',
    'HGETALL',
    'HEXISTS',
    'HLEN',
    'HKEYS',
  ],
  ...['ZSCORE', 'ZCARD', 'ZRANGE', 'ZRANGEBYSCORE', 'ZREVRANGEBYSCORE', 'ZCOUNT', 'ZSCAN'],
  ...['HSCAN', 'SMEMBERS', 'SCARD', 'SISMEMBER', 'SSCAN', 'SCAN', 'DBSIZE', 'MEMORY', 'TIME', 'PING', 'INFO', 'ROLE'],
])

export function noAnswer({ args, script }: Pick<PendingCall, 'args' | 'script'>, endpoint: string): RedisError {
  const command = String(args[0]).toUpperCase()
  const lua = script?.lua ?? (command === 'EVAL' ? String(args[1]) : null)
  const isRead = lua === null ? READS.has(command) : readsOnly(lua)
  return new RedisError('COATCHECK_REDIS_TIMEOUT', {
    message: `Redis at ${safeText(endpoint)} did not answer a ${isRead ? 'read' : 'write'} within the deadline.`,
    why: isRead
      ? 'The server, the network or this process was too slow. It was a read: nothing was changed.'
      : 'The server, the network or this process was too slow. The write may or may not have happened.',
    fix: `${errorCatalogue.COATCHECK_REDIS_TIMEOUT.fix} The deadline is ${isRead ? 'REDIS_COMMAND_TIMEOUT_MS' : 'REDIS_WRITE_TIMEOUT_MS'}.`,
  })
}

/** True if the script names every command as a constant, and all of them only read. */
function readsOnly(lua: string): boolean {
  const calls = [...lua.matchAll(/redis\.p?call\(\s*(?:'([A-Z]+)')?/gi)]
  return calls.every(([, command = '']) => READS.has(command.toUpperCase()))
}
