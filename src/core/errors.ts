/**
 * Errors: few classes by family, the code narrows further. An ordinary state (no session, expired, revoked) is a value and
 * never one of these. No message holds a ticket, token, key or URL with credentials. `details` takes scalars only, so that
 * `JSON.stringify(error)` is safe.
 *
 * A specific message stands alone: it says what happened this time in whole sentences. Only an error without one has the
 * catalogue's texts as its message. `why` and `fix` are always there. They are enumerable where printing the error shows
 * something new, so that a log never repeats a sentence.
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

/** Texts for one occasion. They hold no secret. Absent: the catalogue's. */
export interface ErrorTexts {
  /** One sentence: why it happened this time. */
  readonly why?: string
  /** An imperative sentence with the exact setting or command. */
  readonly fix?: string
  /** `fix` is for programs: the message says it already, so it is not printed behind one. */
  readonly isFixTold?: true
}

export interface ErrorOptions extends ErrorTexts {
  /** What happened this time, in whole sentences. Holds no secret. */
  readonly message?: string
  readonly details?: SafeDetails
  readonly cause?: unknown
}

// Symbol.for: two copies of this package in one process recognise each other's errors, where `instanceof` fails.
const brand: unique symbol = Symbol.for('coatcheck.error') as never

/** Base of every error that Coatcheck throws because something could not be done. */
export class CoatcheckError extends Error {
  /** Stable code. Tell errors apart by it. */
  readonly code: ErrorCode
  /** True when the same call may succeed later without any change by the caller. */
  readonly retryable: boolean
  /** Why it happened, in a sentence. */
  declare readonly why: string
  /** What to do, in a sentence. */
  declare readonly fix: string
  /** Address of the section on this code. Offline, `npx coatcheck explain <code>` prints the same text. */
  declare readonly docs: string
  /** Facts about this error, safe to log. */
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

  /** Without `cause` and `stack`: those are for a log, and belong to other libraries' texts. */
  toJSON(): Record<string, unknown> {
    const { name, code, message, retryable, why, fix, docs, details } = this
    return { name, code, message, retryable, why, fix, docs, details }
  }
}

export class ConfigError extends CoatcheckError {
  /** Stable code. Tell errors apart by it. */
  declare readonly code: ConfigErrorCode
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- narrows the codes that this family takes
  constructor(code: ConfigErrorCode, options?: ErrorOptions) {
    super(code, options)
  }
}
/** Redis could not be asked, or refused. Never to be read as "no session". */
export class RedisError extends CoatcheckError {
  /** Stable code. Tell errors apart by it. */
  declare readonly code: RedisErrorCode
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- narrows the codes that this family takes
  constructor(code: RedisErrorCode, options?: ErrorOptions) {
    super(code, options)
  }
}
export class SessionError extends CoatcheckError {
  /** Stable code. Tell errors apart by it. */
  declare readonly code: SessionErrorCode
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- narrows the codes that this family takes
  constructor(code: SessionErrorCode, options?: ErrorOptions) {
    super(code, options)
  }
}
export class TokenError extends CoatcheckError {
  /** Stable code. Tell errors apart by it. */
  declare readonly code: TokenErrorCode
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- narrows the codes that this family takes
  constructor(code: TokenErrorCode, options?: ErrorOptions) {
    super(code, options)
  }
}
export class KeyringError extends CoatcheckError {
  /** Stable code. Tell errors apart by it. */
  declare readonly code: KeyringErrorCode
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- narrows the codes that this family takes
  constructor(code: KeyringErrorCode, options?: ErrorOptions) {
    super(code, options)
  }
}
export class OidcError extends CoatcheckError {
  /** Stable code. Tell errors apart by it. */
  declare readonly code: OidcErrorCode
  // eslint-disable-next-line @typescript-eslint/no-useless-constructor -- narrows the codes that this family takes
  constructor(code: OidcErrorCode, options?: ErrorOptions) {
    super(code, options)
  }
}

/** A wrong call: thrown early, names the argument. A `TypeError`, because no retry and no operator can mend it. */
export class MisuseError extends TypeError {
  /** Stable code. Tell errors apart by it. */
  readonly code: MisuseErrorCode
  /** Always false: the code has to change. */
  readonly retryable = false
  /** Why it happened, in a sentence. */
  declare readonly why: string
  /** What to do, in a sentence. */
  declare readonly fix: string
  /** Command and page that describe the error. */
  declare readonly docs: string

  /** @param message what was wrong with this call, in whole sentences; empty: the catalogue's texts */
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

/** Recognises errors of every copy of this package in the process. */
export function isCoatcheckError(value: unknown): value is AnyCoatcheckError {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true
}

/** An error in the order in which people read it. */
export interface ErrorWords {
  readonly what: string
  /** Both are `null` when they would say nothing that `what` does not. */
  readonly why: string | null
  readonly fix: string | null
}

/** For everything that shows an error to people: each sentence once. */
export function errorWords(error: AnyCoatcheckError): ErrorWords {
  const { message, why, fix } = error
  if (message === generalMessage({ why, fix })) return { what: why, why: null, fix }
  const isTold = (name: string): boolean => Object.prototype.propertyIsEnumerable.call(error, name)
  return { what: message, why: isTold('why') ? why : null, fix: isTold('fix') ? fix : null }
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
 * Enumerable is what the message does not say already. The catalogue's `why` says nothing new behind a specific message, its
 * `fix` does unless it only points to that message.
 */
function addTexts(error: Error, code: ErrorCode, { message, why, fix, isFixTold }: ErrorOptions): void {
  const entry = errorCatalogue[code]
  const isSpecific = Boolean(message)
  const define = (name: string, value: string, enumerable: boolean): void => {
    Object.defineProperty(error, name, { value, enumerable, configurable: true, writable: true })
  }
  define('why', why ?? entry.why, isSpecific && why !== undefined)
  define('fix', fix ?? entry.fix, isSpecific && isFixTold !== true && (fix !== undefined || entry.isGeneral !== true))
  define('docs', errorPageUrl(code), true)
}
