/** What an error means to a script that only sees the exit code: by the name of its class and its code. */
import type { AnyCoatcheckError } from '../../core/errors.ts'
import type { Cause } from './catalogue/entry.ts'

/** By these codes nothing answered; with all others of the family, Redis did. */
const NOTHING_ANSWERED = /^COATCHECK_REDIS_(?:UNREACHABLE|TIMEOUT|TLS|PROTOCOL|CIRCUIT_OPEN|OVERLOADED)$/

export function causeOf(error: AnyCoatcheckError): Cause {
  // The name, since an application's copy of the package has classes of its own.
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
