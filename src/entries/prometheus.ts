/** `coatcheck/prometheus`: metrics for Prometheus. */
import '../core/node-version.ts'

export * from '../telemetry/prometheus.ts'
