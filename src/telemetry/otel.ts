/** `coatcheck/otel`: metrics and traces for OpenTelemetry. docs/telemetry.md lists them. */
import { metrics, type MeterProvider, trace, type TracerProvider } from '@opentelemetry/api'
import { MisuseError } from '../core/errors.ts'
import type { Events } from '../core/events.ts'
import type { LiveSessionsOptions } from './live-sessions.ts'
import { startOtelMetrics } from './otel-metrics.ts'
import { startOtelTraces } from './otel-traces.ts'

export type { CountSessions } from './live-sessions.ts'

/** Options of `instrument()`. */
export interface InstrumentOptions extends LiveSessionsOptions {
  /** Meter provider of OpenTelemetry. Default: the global one. `null`: no metrics. */
  readonly meterProvider?: MeterProvider | null
  /** Tracer provider of OpenTelemetry. Default: the global one. `null`: no traces. */
  readonly tracerProvider?: TracerProvider | null
}

/** Running instrumentation. */
export interface Instrumentation {
  /** Stops measuring and tracing. */
  close(): void
}

/**
 * Starts metrics and traces for OpenTelemetry. Call it right after `coatcheck()`, and after the SDK of OpenTelemetry has started: earlier
 * events are not counted.
 * @param auth the result of `coatcheck()`, or a store for another library
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
