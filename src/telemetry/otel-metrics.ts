/** The metrics of `meters.ts` as instruments of OpenTelemetry. */
import type {
  Attributes,
  Counter,
  Histogram,
  Meter as OtelMeter,
  MeterProvider,
  ObservableResult,
} from '@opentelemetry/api'
import type { Events } from '../core/events.ts'
import { LiveSessions, type LiveSessionsOptions } from './live-sessions.ts'
import { DURATION_BUCKETS, type Label, LIVE_SESSIONS, type Meter, type MeterName, meters } from './meters.ts'
import { LIBRARY, serverAttributes } from './otel-names.ts'
import { type LabelValues, type MeterSink, startReadings } from './readings.ts'

/** Labels without a name in the conventions get the prefix `coatcheck.`. */
const ATTRIBUTES: Readonly<Record<Exclude<Label, 'server'>, string>> = {
  outcome: 'coatcheck.outcome',
  kind: 'coatcheck.kind',
  reason: 'coatcheck.reason',
  why: 'coatcheck.why',
  policy: 'coatcheck.policy',
  provider: 'coatcheck.provider',
  step: 'coatcheck.step',
  code: 'error.type',
  channel: 'coatcheck.channel',
  origin: 'coatcheck.origin',
  operation: 'coatcheck.operation',
}

/** Returns the function that stops the metrics. */
export function startOtelMetrics(
  events: Events,
  provider: MeterProvider,
  { liveSessions, liveSessionsEveryMs }: LiveSessionsOptions,
): () => void {
  const meter = provider.getMeter(LIBRARY)
  const { sink, stopShowing } = sinkOf(meter, provider)
  const stopReadings = startReadings(events, sink)
  const stopLive = liveSessions ? showLive(meter, new LiveSessions(liveSessions, liveSessionsEveryMs)) : () => undefined
  return () => {
    stopReadings()
    stopShowing()
    stopLive()
  }
}

function sinkOf(meter: OtelMeter, owner: object): { sink: MeterSink; stopShowing: () => void } {
  const counters = new Map<MeterName, Counter>()
  const histograms = new Map<MeterName, Histogram>()
  const gauges = new Map<MeterName, Map<string, number>>()
  const stops: (() => void)[] = []
  for (const [name, entry] of Object.entries(meters) as [MeterName, Meter][]) {
    const { conventionalName, name: ownName, description, unit, kind } = entry
    const options = { description, unit }
    if (kind === 'counter') counters.set(name, meter.createCounter(ownName, options))
    else if (kind === 'duration') {
      const advice = { explicitBucketBoundaries: [...DURATION_BUCKETS] }
      histograms.set(name, meter.createHistogram(conventionalName ?? ownName, { ...options, advice }))
    } else {
      const values = new Map<string, number>()
      gauges.set(name, values)
      const gauge = meter.createObservableGauge(ownName, options)
      const show = (result: ObservableResult): void => {
        for (const [server, value] of values) result.observe(value, serverAttributes(server))
      }
      gauge.addCallback(show)
      stops.push(() => gauge.removeCallback(show))
    }
  }
  const sink: MeterSink = {
    owner,
    add: (name, labels, count) => counters.get(name)?.add(count, attributesOf(name, labels)),
    record: (name, labels, seconds) => histograms.get(name)?.record(seconds, attributesOf(name, labels)),
    stand(name, server, value) {
      if (value === null) gauges.get(name)?.delete(server)
      else gauges.get(name)?.set(server, value)
    },
  }
  return {
    sink,
    stopShowing() {
      for (const stop of stops) stop()
    },
  }
}

function attributesOf(name: MeterName, { server, ...labels }: LabelValues): Attributes {
  const attributes: Attributes = server === undefined ? {} : serverAttributes(server)
  const isConventional = name === 'redisOperations'
  if (isConventional) attributes['db.system.name'] = 'redis'
  for (const [label, value] of Object.entries(labels) as [keyof typeof labels, string][]) {
    attributes[isConventional && label === 'operation' ? 'db.operation.name' : ATTRIBUTES[label]] = value
  }
  return attributes
}

function showLive(meter: OtelMeter, live: LiveSessions): () => void {
  const { name, description, unit } = LIVE_SESSIONS
  const gauge = meter.createObservableGauge(name, { description, unit })
  const show = (result: ObservableResult): void => {
    const value = live.read()
    if (value !== null) result.observe(value)
  }
  gauge.addCallback(show)
  return () => gauge.removeCallback(show)
}
