/** The exit codes of DESIGN "Operators": scripts tell by them what is wrong without reading a text. */
import { type AnyCoatcheckError, isCoatcheckError } from '../core/errors.ts'
import { UsageError } from './usage-error.ts'

export const exitCode = {
  ok: 0,
  /** A check failed, or nothing was found. */
  failed: 1,
  usage: 2,
  redisUnreachable: 3,
  /** Redis answers, and does not do it: credentials, rights, memory, role. */
  redisRefused: 4,
  provider: 5,
  configuration: 6,
  /** Some of it was done. */
  partial: 7,
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCode)[keyof typeof exitCode]

/** By these codes nothing answered; with all others of the family, Redis did. */
const UNREACHABLE = new Set<string>([
  'COATCHECK_REDIS_UNREACHABLE',
  'COATCHECK_REDIS_TIMEOUT',
  'COATCHECK_REDIS_TLS',
  'COATCHECK_REDIS_PROTOCOL',
  'COATCHECK_REDIS_CIRCUIT_OPEN',
  'COATCHECK_REDIS_OVERLOADED',
])

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return exitCode.usage
  if (!isCoatcheckError(error)) return exitCode.failed
  switch (familyOf(error)) {
    case 'RedisError':
      return UNREACHABLE.has(error.code) ? exitCode.redisUnreachable : exitCode.redisRefused
    case 'OidcError':
      return exitCode.provider
    case 'ConfigError':
    case 'KeyringError':
      return exitCode.configuration
    case 'TypeError':
      return exitCode.usage
    default:
      return exitCode.failed
  }
}

/** The name of the class: an application's copy of the package has classes of its own. */
function familyOf(error: AnyCoatcheckError): string {
  return error.name
}
