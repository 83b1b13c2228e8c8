/**
 * The log: it receives events. It subscribes only to events that are written, so that a disabled level costs the hot paths
 * nothing. Texts may come from outside (a reason, a code, a route) and are escaped here, for every logger.
 */
import { type Clock, systemClock } from '../core/clock.ts'
import type { EventMap } from '../core/event-map.ts'
import type { EventName, Events } from '../core/events.ts'
import type { LogFields, Logger, LogLevel } from '../core/logger.ts'
import { processState } from '../core/process-state.ts'
import { safeText } from '../core/redact.ts'
import { debugAreas } from './debug-areas.ts'
import { createLineLogger } from './line-logger.ts'
import { type LogArea, type LogLine, logLines } from './log-lines.ts'
import { Repeats } from './repeats.ts'
import { eachOnce } from './each-once.ts'

export interface LogSettings {
  /** Set by the application: it then decides which lines are written. */
  readonly logger: Logger | null
  /** For Coatcheck's own logger. */
  readonly level: LogLevel | 'silent'
  /** The variable `DEBUG`. */
  readonly debug: string | null
  /** The base URL is a loopback address: the requests of one developer are no flood. */
  readonly isDevelopment?: boolean
}

type Wanted = (level: LogLevel, area: LogArea) => boolean

const RANKS: Readonly<Record<LogSettings['level'], number>> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 }

/** Writes all later events. Returns the function that stops it. */
export function startLog(events: Events, settings: LogSettings, clock: Clock = systemClock): () => void {
  // One logger for all copies of this module, so that shared events are written once.
  const logger = settings.logger ?? processState('line-logger', () => createLineLogger(systemClock))
  const isWanted = settings.logger ? wantedBy(settings.logger) : wantedOf(settings)
  const repeats = new Repeats(clock)
  const stops = Object.entries(logLines).flatMap(([name, line]) => {
    const entry = line as LogLine<EventMap[EventName]>
    const { level } = entry
    if (typeof level === 'string' && !isWanted(level, entry.area)) return []
    return [
      events.on(
        name as EventName,
        eachOnce(logger, name, (event) => write(name, entry, event)),
      ),
    ]
  })
  const write = (name: string, line: LogLine<EventMap[EventName]>, given: object): void => {
    const event = given as EventMap[EventName]
    const { area, level, mayFlood } = line
    const own = typeof level === 'string' ? level : level(event)
    if (!isWanted(own, area)) return
    const fields = fieldsOf(name, event)
    const isLimited = settings.isDevelopment === true ? mayFlood === true : mayFlood !== undefined
    const passed = isLimited && own !== 'debug' ? repeats.pass(fields) : fields
    if (!passed) return
    const text = line.textOf?.(passed as never) ?? line.text
    logger[own](
      passed,
      text.replace('{operation}', () => String(passed['operation'])),
    )
  }
  return () => {
    for (const stop of stops) stop()
  }
}

function wantedBy(logger: Logger): Wanted {
  return (level) => logger.isLevelEnabled?.(level) ?? true
}

function wantedOf({ level: lowest, debug }: LogSettings): Wanted {
  const asked = debug === null ? () => false : debugAreas(debug)
  return (level, area) => RANKS[level] >= RANKS[lowest] || asked(area)
}

function fieldsOf(name: string, event: object): LogFields {
  const fields: Record<string, string | number | boolean> = { event: name }
  for (const [field, value] of Object.entries(event) as [string, unknown][]) {
    if (typeof value === 'string') fields[field] = safeText(value)
    else if (typeof value === 'number') fields[field] = Math.round(value * 1000) / 1000
    else if (typeof value === 'boolean') fields[field] = value
  }
  return fields
}
