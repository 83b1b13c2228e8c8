/** Receives log lines. A pino instance works as it is. So does any object whose methods take the fields first and the message second. */
export interface Logger {
  /** Writes a line for developers. */
  debug(fields: LogFields, message: string): void
  /** Writes a line about normal operation. */
  info(fields: LogFields, message: string): void
  /** Writes a line about something that may need attention. */
  warn(fields: LogFields, message: string): void
  /** Writes a line about something that needs attention. */
  error(fields: LogFields, message: string): void
  /** Returns whether lines of a level are written. Called at start: lines of other levels are not built. Absent: all levels are written. */
  isLevelEnabled?(level: LogLevel): boolean
}

/** Levels of log lines, from the least to the most important. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Fields of a log line: flat, with texts without control characters, numbers and booleans. */
export type LogFields = Readonly<Record<string, string | number | boolean>>
