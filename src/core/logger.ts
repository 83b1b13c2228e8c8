/**
 * Where log lines go. The shape is pino's: a pino instance is a `Logger` as it is, and so is whatever takes fields first and the
 * message second.
 */
export interface Logger {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
  /** Asked once, at the start: what is not wanted is not even put together. Left out: everything is wanted. */
  isLevelEnabled?(level: LogLevel): boolean
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Flat: texts without control characters, numbers, booleans. */
export type LogFields = Readonly<Record<string, string | number | boolean>>
