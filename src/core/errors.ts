/**
 * Errors: few classes by family; the code distinguishes further. An ordinary state (no session, expired, revoked) is a value and
 * never an error. No message contains a ticket, token, key or URL with credentials. `details` holds scalars only, so that
 * `JSON.stringify(error)` is safe.
 * A specific message is complete: it says in whole sentences what happened this time. Only an error without one has the
 * catalogue's texts as its message. `why` and `fix` always exist. They are enumerable only if they add to the printed
 * error, so that a log never repeats a sentence.
 */
import {
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
import { errorPageUrl } from './links.ts'

/** Facts about an error. Never a ticket, token, key, password or e-mail address. */
export type SafeDetails = Readonly<Record<string, string | number | boolean | null | undefined>>

/** Texts for one specific error. They contain no secret. Absent: the catalogue's texts. */
export interface ErrorTexts {
  /** One sentence: why it happened this time. */
  readonly why?: string
  /** An imperative sentence with the exact setting or command. */
  readonly fix?: string
  /** `fix` is for programs: the message already contains it, so it is not printed after the message. */
  readonly isFixInMessage?: true
}

export interface ErrorOptions extends ErrorTexts {
  /** What happened this time, in whole sentences. Contains no secret. */
  readonly message?: string
  readonly details?: SafeDetails
  readonly cause?: unknown
}

// Symbol.for: two copies of this package in one process recognize each other's errors, where `instanceof` fails.
const brand: unique symbol = Symbol.for('coatcheck.error') as never

/**
 * Base class of all errors except `MisuseError`: an operation failed. Distinguish errors by `code`; docs/errors.md lists all
 * codes. No message contains a ticket, a token, a key or a URL with credentials.
 */
export class CoatcheckError extends Error {
  /** Stable code. Use it to distinguish errors. */
  readonly code: ErrorCode
  /** True when the same call may succeed later without any change by the caller. */
  readonly retryable: boolean
  /** Why it happened, in a sentence. */
  declare readonly why: string
  /** What to do, in a sentence. */
  declare readonly fix: string
  /** URL of the section on this code. Offline, `npx coatcheck explain <code>` prints the same text. */
  declare readonly docs: string
  /** Facts about this error, safe to log. Empty: none. */
  readonly details: SafeDetails

  constructor(code: ErrorCode, options: ErrorOptions = {}) {
    super(messageOf(code, options), options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.retryable = errorCatalogue[code].retryable
    addTexts(this, code, options)
    this.details = options.details ?? {}
    Object.defineProperty(this, brand, { value: true })
  }

  /** Returns the error for `JSON.stringify`, without `cause` and `stack`, which may hold texts of other libraries. */
  toJSON(): Record<string, unknown> {
    const { name, code, message, retryable, why, fix, docs, details } = this
    return { name, code, message, retryable, why, fix, docs, details }
  }
}

/** A setting is missing, unknown, invalid or unsafe (`COATCHECK_CONFIG_…`, `COATCHECK_STORE_REQUIRED`). Thrown at start or first use. */
export class ConfigError extends CoatcheckError {
  /** Stable code. Use it to distinguish errors. */
  declare readonly code: ConfigErrorCode
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- narrows the codes that this family takes
  constructor(code: ConfigErrorCode, options?: ErrorOptions) {
    super(code, options)
  }
}
/**
 * Redis did not answer, or refused (`COATCHECK_REDIS_…`). It never means that a session does not exist. `retryable`: an outage. The
 * adapters answer it with status 503.
 */
export class RedisError extends CoatcheckError {
  /** Stable code. Use it to distinguish errors. */
  declare readonly code: RedisErrorCode
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- narrows the codes that this family takes
  constructor(code: RedisErrorCode, options?: ErrorOptions) {
    super(code, options)
  }
}
/** A session could not be created or changed (`COATCHECK_SESSION_…`, `COATCHECK_HEADERS_SENT`, …). Nothing was changed. */
export class SessionError extends CoatcheckError {
  /** Stable code. Use it to distinguish errors. */
  declare readonly code: SessionErrorCode
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- narrows the codes that this family takes
  constructor(code: SessionErrorCode, options?: ErrorOptions) {
    super(code, options)
  }
}
/** No valid token can be returned or stored (`COATCHECK_TOKEN_…`, `COATCHECK_REAUTH_REQUIRED`). No session ends because of it. */
export class TokenError extends CoatcheckError {
  /** Stable code. Use it to distinguish errors. */
  declare readonly code: TokenErrorCode
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- narrows the codes that this family takes
  constructor(code: TokenErrorCode, options?: ErrorOptions) {
    super(code, options)
  }
}
/** An encryption key is invalid or missing (`COATCHECK_KEY_…`). */
export class KeyringError extends CoatcheckError {
  /** Stable code. Use it to distinguish errors. */
  declare readonly code: KeyringErrorCode
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- narrows the codes that this family takes
  constructor(code: KeyringErrorCode, options?: ErrorOptions) {
    super(code, options)
  }
}
/** A sign-in failed, or the provider did not answer or refused (`COATCHECK_OIDC_…`, `COATCHECK_SIGNIN_…`, `COATCHECK_REQUEST_…`). */
export class OidcError extends CoatcheckError {
  /** Stable code. Use it to distinguish errors. */
  declare readonly code: OidcErrorCode
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- narrows the codes that this family takes
  constructor(code: OidcErrorCode, options?: ErrorOptions) {
    super(code, options)
  }
}

/** A wrong call: the message names the argument. It is a `TypeError`, because only a change of the code helps. */
export class MisuseError extends TypeError {
  /** Stable code. Use it to distinguish errors. */
  readonly code: MisuseErrorCode
  /** Always false: the code must change. */
  readonly retryable = false
  /** Why it happened, in a sentence. */
  declare readonly why: string
  /** What to do, in a sentence. */
  declare readonly fix: string
  /** URL of the section on this code. Offline, `npx coatcheck explain <code>` prints the same text. */
  declare readonly docs: string

  /** @param message the problem with this call, in whole sentences; empty: the catalogue's texts */
  constructor(code: MisuseErrorCode, message: string, texts: ErrorTexts = {}) {
    super(messageOf(code, { ...texts, message }))
    this.name = 'TypeError'
    this.code = code
    addTexts(this, code, { ...texts, message })
    Object.defineProperty(this, brand, { value: true })
  }
}

/** Every error that this package throws on purpose. */
export type AnyCoatcheckError =
  ConfigError | RedisError | SessionError | TokenError | KeyringError | OidcError | MisuseError

/** Returns whether a value is an error of this package, including another copy of it in the process, where `instanceof` fails. */
export function isCoatcheckError(value: unknown): value is AnyCoatcheckError {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true
}

/** The texts of an error in reading order. */
export interface ErrorWords {
  readonly what: string
  /** Both are `null` if they add nothing to `what`. */
  readonly why: string | null
  readonly fix: string | null
}

/** Returns the texts of an error for people, without repeated sentences. */
export function errorWords(error: AnyCoatcheckError): ErrorWords {
  const { message, why, fix } = error
  if (message === generalMessage({ why, fix })) return { what: why, why: null, fix }
  const isEnumerable = (name: string): boolean => Object.prototype.propertyIsEnumerable.call(error, name)
  return { what: message, why: isEnumerable('why') ? why : null, fix: isEnumerable('fix') ? fix : null }
}

function messageOf(code: ErrorCode, { message, why, fix }: ErrorOptions): string {
  return message
    ? message
    : generalMessage({ why: why ?? errorCatalogue[code].why, fix: fix ?? errorCatalogue[code].fix })
}

function generalMessage({ why, fix }: { readonly why: string; readonly fix: string }): string {
  return `${why} ${fix}`
}

/**
 * A property is enumerable if the message does not contain it already. After a specific message the catalogue's `why` adds nothing. The
 * catalogue's `fix` adds something, unless it only refers to that message.
 */
function addTexts(error: Error, code: ErrorCode, { message, why, fix, isFixInMessage }: ErrorOptions): void {
  const entry = errorCatalogue[code]
  const isSpecific = Boolean(message)
  const define = (name: string, value: string, enumerable: boolean): void => {
    Object.defineProperty(error, name, { value, enumerable, configurable: true, writable: true })
  }
  define('why', why ?? entry.why, isSpecific && why !== undefined)
  define(
    'fix',
    fix ?? entry.fix,
    isSpecific && isFixInMessage !== true && (fix !== undefined || entry.isGeneral !== true),
  )
  define('docs', errorPageUrl(code), true)
}
