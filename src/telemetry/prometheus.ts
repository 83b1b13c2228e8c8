/** `coatcheck/prometheus`: metrics for Prometheus. docs/telemetry.md lists them. */
import { MisuseError } from '../core/errors.ts'
import type { Events } from '../core/events.ts'
import { createPrometheusMetrics, type PrometheusMetrics, type PrometheusOptions } from './prometheus-metrics.ts'

export type { CountSessions } from './live-sessions.ts'
export type { PrometheusMetrics, PrometheusOptions } from './prometheus-metrics.ts'

/**
 * Starts metrics for Prometheus. Call it right after `coatcheck()`: earlier events are not counted. The metrics are those of this process;
 * Prometheus adds up the processes.
 * @param auth the result of `coatcheck()`, or a store for another library
 * @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` for anything else
 */
export function prometheusMetrics(
  auth: { readonly events: Events },
  options: PrometheusOptions = {},
): PrometheusMetrics {
  if (typeof (auth as Partial<typeof auth> | undefined)?.events?.on !== 'function') {
    throw new MisuseError(
      'COATCHECK_INVALID_ARGUMENT',
      'prometheusMetrics(auth) must get the instance that coatcheck() returned.',
    )
  }
  return createPrometheusMetrics(auth, options)
}
