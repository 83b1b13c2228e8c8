/** `coatcheck/prometheus`: the figures of what happens, for Prometheus. docs/telemetry.md lists them. */
import './core/node-version.ts'
import { MisuseError } from './core/errors.ts'
import type { Events } from './core/events.ts'
import {
  createPrometheusMetrics,
  type PrometheusMetrics,
  type PrometheusOptions,
} from './telemetry/prometheus-metrics.ts'

export type { CountSessions } from './telemetry/live-sessions.ts'
export type { PrometheusMetrics, PrometheusOptions } from './telemetry/prometheus-metrics.ts'

/**
 * Counts from now on, so call it beside `coatcheck()`. Figures are those of this process; Prometheus adds them up.
 * @param auth what `coatcheck()` returns, or a store for another library: whatever has `events`
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
