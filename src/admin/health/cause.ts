/** Maps an error to a cause, for scripts that only see the exit code. Uses the name of the error class and its code. */
import type { AnyCoatcheckError } from '../../core/errors.ts'
import type { Cause } from './catalogue/entry.ts'

/** With these codes, no server answered. With all other codes of the family, Redis answered. */
const NOTHING_ANSWERED = /^COATCHECK_REDIS_(?:UNREACHABLE|TIMEOUT|TLS|PROTOCOL|CIRCUIT_OPEN|OVERLOADED)$/

export function causeOf(error: AnyCoatcheckError): Cause {
  // Compares the name, because an application's copy of the package has its own classes.
  switch (familyOf(error)) {
    case 'RedisError':
      return NOTHING_ANSWERED.test(error.code) ? 'redis-unreachable' : 'redis-refused'
    case 'OidcError':
      return 'provider'
    case 'TokenError':
      return /_REFRESH_(?:REJECTED|UNAVAILABLE)$/.test(error.code) ? 'provider' : 'check'
    case 'ConfigError':
    case 'KeyringError':
      return 'configuration'
    default:
      return 'check'
  }
}

function familyOf(error: AnyCoatcheckError): string {
  return error.name
}
