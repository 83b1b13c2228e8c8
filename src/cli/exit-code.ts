/** The exit codes of docs/cli.md. Scripts can identify the problem without parsing text. */
import type { Cause } from '../entries/admin.ts'
import { causeOf } from '../admin/health/cause.ts'
import { type AnyCoatcheckError, isCoatcheckError } from '../core/errors.ts'
import { UsageError } from './usage-error.ts'

export const exitCode = {
  ok: 0,
  /** A check failed, or nothing was found. */
  failed: 1,
  usage: 2,
  redisUnreachable: 3,
  /** Redis answers, but refuses: credentials, rights, memory, role. */
  redisRefused: 4,
  provider: 5,
  configuration: 6,
  /** The command completed only a part. */
  partial: 7,
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCode)[keyof typeof exitCode]

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError) return exitCode.usage
  if (!isCoatcheckError(error)) return exitCode.failed
  // A misuse: the command line asks for something impossible.
  if (familyOf(error) === 'TypeError') return exitCode.usage
  return exitCodeOfCause(causeOf(error))
}

export function exitCodeOfCause(cause: Cause): ExitCode {
  return CODES[cause]
}

const CODES = {
  check: exitCode.failed,
  'redis-unreachable': exitCode.redisUnreachable,
  'redis-refused': exitCode.redisRefused,
  provider: exitCode.provider,
  configuration: exitCode.configuration,
} as const satisfies Record<Cause, ExitCode>

/** Compares the class name, because an application's copy of the package has its own classes. */
function familyOf(error: AnyCoatcheckError): string {
  return error.name
}
