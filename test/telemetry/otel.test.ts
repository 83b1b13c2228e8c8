/** `coatcheck/otel` with the SDK of OpenTelemetry: what it exports of a run, and that spans hang together. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { type Context, context, type ContextManager, ROOT_CONTEXT, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { instrument } from '../../src/telemetry/otel.ts'
import { until } from '../support/redis-topologies.ts'
import { liveALittle, startTelemetryApp, type TelemetryApp } from './telemetry-app.ts'

/** What applications get from `@opentelemetry/context-async-hooks`. */
class Contexts implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>()
  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT
  }
  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    active: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(active, () => fn.call(thisArg, ...args))
  }
  bind<T>(_active: Context, target: T): T {
    return target
  }
  enable(): this {
    return this
  }
  disable(): this {
    return this
  }
}

beforeAll(() => context.setGlobalContextManager(new Contexts()))
afterAll(() => context.disable())
let app: TelemetryApp | undefined
afterEach(() => app?.stop())

interface Point {
  readonly attributes: Readonly<Record<string, unknown>>
  readonly value: unknown
}

async function collect(provider: MeterProvider, exporter: InMemoryMetricExporter): Promise<Map<string, Point[]>> {
  exporter.reset()
  await provider.forceFlush()
  const all = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
  return new Map(all.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints]))
}

test('exports the figures, with names of the conventions where there are some', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })
  const meterProvider = new MeterProvider({ readers: [reader] })
  app = await startTelemetryApp()
  const { auth } = app
  instrument(auth, { meterProvider, tracerProvider: null, liveSessions: auth.estimateSessions })
  await auth.ready()
  const counted = await liveALittle(app)
  const points = await collect(meterProvider, exporter)
  const value = (name: string, attributes: Point['attributes']): unknown =>
    points.get(name)?.find((point) => JSON.stringify(point.attributes) === JSON.stringify(attributes))?.value
  expect(value('coatcheck.session.find', { 'coatcheck.outcome': 'found' })).toBe(counted.found)
  expect(value('coatcheck.session.find', { 'coatcheck.outcome': 'lost' })).toBe(counted.lost)
  expect(value('coatcheck.sessions.lost', {})).toBe(counted.lost)
  expect(value('coatcheck.token.reads', { 'coatcheck.provider': 'idp', 'coatcheck.outcome': 'hit' })).toBe(1)
  const server = { 'server.address': '127.0.0.1', 'server.port': app.server.port }
  expect(value('coatcheck.redis.connected', server)).toBe(1)
  const reads = value('db.client.operation.duration', {
    'db.system.name': 'redis',
    'db.operation.name': 'MGET',
    'coatcheck.outcome': 'ok',
  }) as { count: number; sum: number }
  // What this process has ended itself is not asked for; that something is lost is believed at the second look.
  expect(reads.count).toBe(counted.found + 2 * counted.lost)
  expect(reads.sum).toBeLessThan(reads.count)
  expect(JSON.stringify([...points])).not.toMatch(/example\.test|at-1|"ada"/)
  const live = async () => (await collect(meterProvider, exporter)).get('coatcheck.sessions.live')?.[0]?.value
  await until(async () => (await live()) !== undefined)
  // One record was ended; one has lost its generation and lies there until it expires; one is a visitor's.
  expect(await live()).toBe(2)
  await meterProvider.shutdown()
})

function startTraces(): { exporter: InMemorySpanExporter; tracerProvider: BasicTracerProvider } {
  const exporter = new InMemorySpanExporter()
  return { exporter, tracerProvider: new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }) }
}

const named = (spans: readonly ReadableSpan[], name: string): readonly ReadableSpan[] =>
  spans.filter((span) => span.name === name)

test('traces operations, with those of Redis as their children, and without a key or a secret', async () => {
  const { exporter, tracerProvider } = startTraces()
  app = await startTelemetryApp()
  instrument(app.auth, { meterProvider: null, tracerProvider })
  const second = app.another()
  instrument(second, { meterProvider: null, tracerProvider })
  await Promise.all([app.auth.ready(), second.ready()])
  const { ticket, session } = await app.auth.sessions.create({ userId: 'ada' })
  exporter.reset()
  await app.auth.sessions.find(ticket)
  await app.auth.sessions.find('nonsense')
  const spans = exporter.getFinishedSpans()
  const [found, missed] = named(spans, 'coatcheck.session.find')
  expect(found?.attributes).toEqual({ 'coatcheck.outcome': 'found', 'coatcheck.session.id': session.id })
  expect(missed?.attributes).toEqual({ 'coatcheck.outcome': 'malformed' })
  // Two instances on one connection: one span.
  const [read, ...more] = named(spans, 'MGET')
  expect(more).toEqual([])
  expect(read?.kind).toBe(SpanKind.CLIENT)
  expect(read?.parentSpanContext?.spanId).toBe(found?.spanContext().spanId)
  expect(read?.attributes).toEqual({
    'db.system.name': 'redis',
    'db.operation.name': 'MGET',
    'server.address': '127.0.0.1',
    'server.port': app.server.port,
  })
  exporter.reset()
  await app.auth.sessions.signIn(ticket, { userId: 'ada' })
  const steps = exporter.getFinishedSpans()
  const [signIn] = named(steps, 'coatcheck.session.sign-in')
  const [created] = named(steps, 'coatcheck.session.create')
  const [script] = named(steps, 'EVALSHA session.create-user')
  expect(created?.parentSpanContext?.spanId).toBe(signIn?.spanContext().spanId)
  expect(script?.parentSpanContext?.spanId).toBe(created?.spanContext().spanId)
  expect(script?.attributes['db.stored_procedure.name']).toBe('session.create-user')
  exporter.reset()
  await liveALittle(app)
  const names = new Set(exporter.getFinishedSpans().map(({ name }) => name))
  for (const name of ['session.update', 'session.end', 'token.get']) expect(names).toContain(`coatcheck.${name}`)
  const told = JSON.stringify(
    exporter.getFinishedSpans().map(({ name, attributes, status, events }) => [name, attributes, status, events]),
  )
  expect(told).not.toMatch(/example\.test|at-1|user:|"ada"/)
})

test('a failure has its code and no text of others', async () => {
  const { exporter, tracerProvider } = startTraces()
  app = await startTelemetryApp({ commandTimeoutMs: 50 })
  instrument(app.auth, { meterProvider: null, tracerProvider })
  await app.auth.ready()
  const { ticket } = await app.auth.sessions.create()
  exporter.reset()
  app.server.pause()
  await expect(app.auth.sessions.find(ticket)).rejects.toThrow()
  app.server.resume()
  const failed = exporter.getFinishedSpans().filter(({ status }) => status.code === SpanStatusCode.ERROR)
  expect(failed.map(({ name, attributes }) => [name, attributes['error.type']])).toEqual([
    ['GET', 'COATCHECK_REDIS_TIMEOUT'],
    ['coatcheck.session.find', 'COATCHECK_REDIS_TIMEOUT'],
  ])
})

test('observes nothing before it is asked to and after it is closed', async () => {
  const { exporter, tracerProvider } = startTraces()
  app = await startTelemetryApp()
  const bus = app.auth.events as unknown as { isObserved: boolean; hasListeners(name: string): boolean }
  expect([bus.isObserved, bus.hasListeners('redis.operation')]).toEqual([false, false])
  const instrumentation = instrument(app.auth, { tracerProvider })
  expect([bus.isObserved, bus.hasListeners('redis.operation')]).toEqual([true, true])
  instrumentation.close()
  expect([bus.isObserved, bus.hasListeners('redis.operation')]).toEqual([false, false])
  await app.auth.sessions.create()
  expect(exporter.getFinishedSpans()).toEqual([])
  expect(() => instrument({} as never)).toThrow('instrument(auth) must get the instance that coatcheck() returned.')
})
