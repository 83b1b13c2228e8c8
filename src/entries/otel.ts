/** `coatcheck/otel`: metrics and traces for OpenTelemetry. */
export * from '../telemetry/otel.ts'
