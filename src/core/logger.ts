/**
 * Where log lines go. The shape is pino's: a pino instance is a `Logger` as it is, and so is whatever takes fields first and the
 * message second.
 */
export interface Logger {
  /** Writes a line for developers. */
  debug(fields: LogFields, message: string): void
  /** Writes a line about normal operation. */
  info(fields: LogFields, message: string): void
  /** Writes a line about something that may need attention. */
  warn(fields: LogFields, message: string): void
  /** Writes a line about something that needs attention. */
  error(fields: LogFields, message: string): void
  /** Asked once, at the start: what is not wanted is not even put together. Left out: everything is wanted. */
  isLevelEnabled?(level: LogLevel): boolean
}

/** Levels of log lines, from the least to the most important. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Flat: texts without control characters, numbers, booleans. */
export type LogFields = Readonly<Record<string, string | number | boolean>>
