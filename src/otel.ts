/** `coatcheck/otel`: metrics and traces of what happens, for OpenTelemetry. docs/telemetry.md lists them. */
import './core/node-version.ts'
import { metrics, type MeterProvider, trace, type TracerProvider } from '@opentelemetry/api'
import { MisuseError } from './core/errors.ts'
import type { Events } from './core/events.ts'
import type { LiveSessionsOptions } from './telemetry/live-sessions.ts'
import { startOtelMetrics } from './telemetry/otel-metrics.ts'
import { startOtelTraces } from './telemetry/otel-traces.ts'

export type { CountSessions } from './telemetry/live-sessions.ts'

/** Options of `instrument()`. */
export interface InstrumentOptions extends LiveSessionsOptions {
  /** Default: the global one. `null`: no metrics. */
  readonly meterProvider?: MeterProvider | null
  /** Default: the global one. `null`: no traces. */
  readonly tracerProvider?: TracerProvider | null
}

/** Running instrumentation. */
export interface Instrumentation {
  /** Stops measuring and tracing. */
  close(): void
}

/**
 * Measures and traces from now on, so call it beside `coatcheck()` and after your SDK has started.
 * @param auth what `coatcheck()` returns, or a store for another library: whatever has `events`
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` for anything else
 */
export function instrument(auth: { readonly events: Events }, options: InstrumentOptions = {}): Instrumentation {
  if (typeof (auth as Partial<typeof auth> | undefined)?.events?.on !== 'function') {
    throw new MisuseError(
      'COATCHECK_INVALID_ARGUMENT',
      'instrument(auth) must get the instance that coatcheck() returned.',
    )
  }
  const { meterProvider = metrics.getMeterProvider(), tracerProvider = trace.getTracerProvider() } = options
  const stops = [
    meterProvider && startOtelMetrics(auth.events, meterProvider, options),
    tracerProvider && startOtelTraces(auth.events, tracerProvider),
  ]
  return {
    close() {
      for (const stop of stops) stop?.()
    },
  }
}
