/** Resolves the session policy from options: timeouts, presets, limit, schema. @see NIST SP 800-63B-4 sections 2.1.3, 2.2.3, 2.3.3 */
import { parseDurationMs } from '../core/duration.ts'
import { own } from '../core/json.ts'
import { refuse } from './refusal.ts'
import type { ResolvedSession, SessionOptions } from './session-settings.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

interface Timeouts {
  readonly idleTimeoutMs: number
  readonly absoluteTimeoutMs: number
}

/** The index in Redis has thirteen digits for the time when a session ends. */
const MAX_TIMEOUT_MS = 3652 * DAY_MS
const DEFAULT_TIMEOUTS: Timeouts = { idleTimeoutMs: 8 * HOUR_MS, absoluteTimeoutMs: DAY_MS }

/** AAL1 has no idle limit, so its idle timeout equals the absolute one. */
const PRESETS: Readonly<Record<NonNullable<SessionOptions<object>['preset']>, Timeouts>> = {
  aal1: { idleTimeoutMs: 30 * DAY_MS, absoluteTimeoutMs: 30 * DAY_MS },
  aal2: { idleTimeoutMs: HOUR_MS, absoluteTimeoutMs: DAY_MS },
  aal3: { idleTimeoutMs: 15 * MINUTE_MS, absoluteTimeoutMs: 12 * HOUR_MS },
}

const DEFAULT_STALE_MS = MINUTE_MS
const DEFAULT_MAX_BYTES = 65_536

/** @throws {ConfigError} `COATCHECK_CONFIG_INVALID` for settings that contradict each other */
export function resolveSession<D extends object>(options: SessionOptions<D> = own({})): ResolvedSession<D> {
  const schemaVersion = options.schemaVersion ?? 1
  return {
    ...resolveTimeouts(options),
    schema: checkedSchema(options.schema),
    schemaVersion,
    upcasts: checkedUpcasts(options.upcasts ?? {}, schemaVersion),
    limit: resolveLimit(options.maxPerUser),
    maxBytes: options.maxBytes ?? DEFAULT_MAX_BYTES,
    onUnavailable: options.onUnavailable ?? 'fail',
    staleForMs: parseDurationMs(options.staleFor) ?? (options.onUnavailable === 'stale' ? DEFAULT_STALE_MS : 0),
  }
}

/** A default idle timeout is shortened to a shorter absolute one. An explicit idle timeout is refused instead. */
function resolveTimeouts(options: SessionOptions<object>): Timeouts {
  const base = options.preset === undefined ? DEFAULT_TIMEOUTS : PRESETS[options.preset]
  const absoluteTimeoutMs = parseDurationMs(options.absoluteTimeout) ?? base.absoluteTimeoutMs
  if (absoluteTimeoutMs > MAX_TIMEOUT_MS)
    throw refuse({ option: 'session.absoluteTimeout' }, `got ${absoluteTimeoutMs} ms, expected at most ten years`)
  const idle = parseDurationMs(options.idleTimeout)
  if (idle !== null && idle > absoluteTimeoutMs) {
    throw refuse(
      { option: 'session.idleTimeout' },
      `got ${idle} ms, expected at most session.absoluteTimeout, which is ${absoluteTimeoutMs} ms`,
    )
  }
  return { idleTimeoutMs: idle ?? Math.min(base.idleTimeoutMs, absoluteTimeoutMs), absoluteTimeoutMs }
}

function resolveLimit(limit: SessionOptions<object>['maxPerUser']): ResolvedSession<object>['limit'] {
  if (limit === undefined) return null
  return typeof limit === 'number' ? { max: limit, action: 'end-oldest' } : { max: limit.max, action: limit.action }
}

/** A visitor starts with `{}`, and every read uses the schema. So it must accept `{}` and be synchronous. */
function checkedSchema<D extends object>(schema: SessionOptions<D>['schema']): ResolvedSession<D>['schema'] {
  if (!schema) return null
  const result = schema['~standard'].validate({})
  if (result instanceof Promise) {
    // Its result does not matter any more, but an unhandled rejection would end the process.
    result.catch(() => undefined)
    throw refuse({ option: 'session.schema' }, 'got one that validates asynchronously, expected a synchronous one')
  }
  if (result.issues) {
    throw refuse({ option: 'session.schema' }, 'does not accept {}: make each field optional, or give it a default')
  }
  return schema
}

/** The upcasts must form a chain without gaps up to the current version. The application declares that older versions have expired. */
function checkedUpcasts<D extends object>(
  upcasts: ResolvedSession<D>['upcasts'],
  schemaVersion: number,
): ResolvedSession<D>['upcasts'] {
  const versions = Object.keys(upcasts).map(Number)
  const oldest = Math.min(schemaVersion, ...versions)
  for (const version of versions) {
    if (version >= schemaVersion) {
      throw refuse(
        { option: 'session.upcasts' },
        `got one for version ${version}, expected versions below session.schemaVersion, which is ${schemaVersion}`,
      )
    }
  }
  for (let version = oldest; version < schemaVersion; version++) {
    if (!upcasts[version]) {
      throw refuse(
        { option: 'session.upcasts' },
        `has none for version ${version}: each version below session.schemaVersion needs one`,
      )
    }
  }
  return upcasts
}
