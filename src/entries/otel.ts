/** `coatcheck/otel`: metrics and traces for OpenTelemetry. */
import '../core/node-version.ts'

export * from '../telemetry/otel.ts'
