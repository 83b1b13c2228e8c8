/**
 * The default logger: a line of JSON per entry on stderr, with pino's names and numbers, so that tools
 * for pino (`pino-pretty`, collectors) can read it.
 */
import type { Clock } from '../core/clock.ts'
import type { LogFields, Logger, LogLevel } from '../core/logger.ts'

const NUMBERS: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50 }

export function createLineLogger(
  clock: Clock,
  write: (line: string) => void = (line) => void process.stderr.write(line),
): Logger {
  const line = (level: LogLevel, fields: LogFields, message: string): void => {
    const head = { level: NUMBERS[level], time: clock.now(), pid: process.pid, name: 'coatcheck' }
    write(`${JSON.stringify({ ...head, ...fields, msg: message })}\n`)
  }
  return {
    debug: (fields, message) => line('debug', fields, message),
    info: (fields, message) => line('info', fields, message),
    warn: (fields, message) => line('warn', fields, message),
    error: (fields, message) => line('error', fields, message),
  }
}
