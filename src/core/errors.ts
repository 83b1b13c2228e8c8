/**
 * Errors: few classes by family, the code narrows further. An ordinary state (no session, expired, revoked) is a value and
 * never one of these. Messages say what happened, to what, and what to do, and hold no ticket, token, key or URL with
 * credentials; `details` takes scalars only, so that `JSON.stringify(error)` is safe.
 */
import {
  type CatalogueEntry,
  type ConfigErrorCode,
  type ErrorCode,
  errorCatalogue,
  type KeyringErrorCode,
  type MisuseErrorCode,
  type OidcErrorCode,
  type RedisErrorCode,
  type SessionErrorCode,
  type TokenErrorCode,
} from './error-catalogue.ts'

export type SafeDetails = Readonly<Record<string, string | number | boolean | null | undefined>>

export interface ErrorOptions {
  /** What happened this time, added to the catalogue's why. Holds no secret. */
  readonly message?: string
  readonly details?: SafeDetails
  readonly cause?: unknown
}

// Symbol.for: two copies of this package in one process recognise each other's errors, where `instanceof` fails.
const brand: unique symbol = Symbol.for('coatcheck.error') as never

/** Base of every error that Coatcheck throws because something could not be done. */
export class CoatcheckError extends Error {
  readonly code: ErrorCode
  /** True when the same call may succeed later without any change by the caller. */
  readonly retryable: boolean
  readonly why: string
  readonly fix: string
  /** Where more is said: a command, and the section of the page. For people. */
  readonly docs: string
  readonly details: SafeDetails

  constructor(code: ErrorCode, options: ErrorOptions = {}) {
    const entry = errorCatalogue[code]
    super(messageOf(entry, options.message), options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.retryable = entry.retryable
    this.why = entry.why
    this.fix = entry.fix
    this.docs = docsOf(code)
    this.details = options.details ?? {}
    Object.defineProperty(this, brand, { value: true })
  }

  /** Without `cause` and `stack`: those are for a log, and belong to other libraries' texts. */
  toJSON(): Record<string, unknown> {
    const { name, code, message, retryable, fix, docs, details } = this
    return { name, code, message, retryable, fix, docs, details }
  }
}

export class ConfigError extends CoatcheckError {
  declare readonly code: ConfigErrorCode
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- narrows the codes that this family takes
  constructor(code: ConfigErrorCode, options?: ErrorOptions) {
    super(code, options)
  }
}
/** Redis could not be asked, or refused. Never to be read as "no session". */
export class RedisError extends CoatcheckError {
  declare readonly code: RedisErrorCode
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- narrows the codes that this family takes
  constructor(code: RedisErrorCode, options?: ErrorOptions) {
    super(code, options)
  }
}
export class SessionError extends CoatcheckError {
  declare readonly code: SessionErrorCode
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- narrows the codes that this family takes
  constructor(code: SessionErrorCode, options?: ErrorOptions) {
    super(code, options)
  }
}
export class TokenError extends CoatcheckError {
  declare readonly code: TokenErrorCode
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- narrows the codes that this family takes
  constructor(code: TokenErrorCode, options?: ErrorOptions) {
    super(code, options)
  }
}
export class KeyringError extends CoatcheckError {
  declare readonly code: KeyringErrorCode
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- narrows the codes that this family takes
  constructor(code: KeyringErrorCode, options?: ErrorOptions) {
    super(code, options)
  }
}
export class OidcError extends CoatcheckError {
  declare readonly code: OidcErrorCode
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- narrows the codes that this family takes
  constructor(code: OidcErrorCode, options?: ErrorOptions) {
    super(code, options)
  }
}

/** A wrong call: thrown early, names the argument. A `TypeError`, because no retry and no operator can mend it. */
export class MisuseError extends TypeError {
  readonly code: MisuseErrorCode
  readonly retryable = false
  readonly fix: string
  readonly docs: string

  constructor(code: MisuseErrorCode, message: string) {
    super(messageOf(errorCatalogue[code], message))
    this.name = 'TypeError'
    this.code = code
    this.fix = errorCatalogue[code].fix
    this.docs = docsOf(code)
    Object.defineProperty(this, brand, { value: true })
  }
}

export type AnyCoatcheckError =
  ConfigError | RedisError | SessionError | TokenError | KeyringError | OidcError | MisuseError

/** Recognises errors of every copy of this package in the process. */
export function isCoatcheckError(value: unknown): value is AnyCoatcheckError {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true
}

function messageOf(entry: CatalogueEntry, message: string | undefined): string {
  return message ? `${message} ${entry.why} ${entry.fix}` : `${entry.why} ${entry.fix}`
}

/** The command first: it is there for whoever has only the package, and says the same as the page. */
function docsOf(code: ErrorCode): string {
  return `npx coatcheck explain ${code} (docs/errors.md#${code.toLowerCase()})`
}
