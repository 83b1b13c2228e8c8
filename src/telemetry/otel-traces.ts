/**
 * Operations as spans of OpenTelemetry. Operations of Redis are client spans and follow the conventions for databases, without
 * the text of the command: keys and values must not enter a trace.
 * @see https://opentelemetry.io/docs/specs/semconv/database/redis/
 */
import {
  type Attributes,
  context,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api'
import { isCoatcheckError } from '../core/errors.ts'
import type { Events } from '../core/events.ts'
import type { Operation, OperationFacts, OperationObserver } from '../core/operations.ts'
import { processState } from '../core/process-state.ts'
import { LIBRARY, serverAttributes } from './otel-names.ts'

/** Returns the function that stops the traces. */
export function startOtelTraces(events: Events, provider: TracerProvider): () => void {
  // One observer per tracer provider, so that a shared operation of several instances becomes one span.
  const observers = processState('otel-observers', () => new WeakMap<TracerProvider, OperationObserver>())
  const observer = observers.get(provider) ?? observerOf(provider.getTracer(LIBRARY))
  observers.set(provider, observer)
  return events.observe(observer)
}

function observerOf(tracer: Tracer): OperationObserver {
  return (operation, run) => {
    const span = begin(tracer, operation)
    return context.with(trace.setSpan(context.active(), span), async () => {
      try {
        const result = await run()
        if (operation.outcome && span.isRecording()) span.setAttributes(attributesOf(operation.outcome(result)))
        return result
      } catch (error) {
        fail(span, error)
        throw error
      } finally {
        span.end()
      }
    })
  }
}

function begin(tracer: Tracer, { name, facts }: Pick<Operation, 'name' | 'facts'>): Span {
  if (name !== 'redis') return tracer.startSpan(`coatcheck.${name}`, { attributes: attributesOf(facts) })
  const { command = 'redis', script } = facts
  // The conventions have no name for scripts; a Coatcheck script is recorded as a stored procedure.
  const attributes: Attributes = { 'db.system.name': 'redis', 'db.operation.name': command, ...attributesOf(facts) }
  if (script !== undefined) attributes['db.stored_procedure.name'] = script
  const spanName = script === undefined ? command : `${command} ${script}`
  return tracer.startSpan(spanName, { kind: SpanKind.CLIENT, attributes })
}

function attributesOf({ sessionId, provider, resource, outcome, server }: OperationFacts): Attributes {
  return {
    ...(sessionId !== undefined && { 'coatcheck.session.id': sessionId }),
    ...(provider !== undefined && { 'coatcheck.provider': provider }),
    ...(resource !== undefined && resource !== '' && { 'coatcheck.resource': resource }),
    ...(outcome !== undefined && { 'coatcheck.outcome': outcome }),
    ...(server !== undefined && serverAttributes(server)),
  }
}

function fail(span: Span, error: unknown): void {
  const code = isCoatcheckError(error) ? error.code : error instanceof Error ? error.name : '_OTHER'
  span.setAttribute('error.type', code)
  // Messages of other libraries may contain private data. The code leads to Coatcheck's own text.
  span.setStatus({ code: SpanStatusCode.ERROR, message: code })
}
