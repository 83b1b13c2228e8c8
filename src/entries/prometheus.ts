/** `coatcheck/prometheus`: metrics for Prometheus. */
export * from '../telemetry/prometheus.ts'
