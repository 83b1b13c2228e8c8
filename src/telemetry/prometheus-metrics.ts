/** The metrics of `meters.ts` in a registry of prom-client. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Events } from '../core/events.ts'
import { LiveSessions, type LiveSessionsOptions } from './live-sessions.ts'
import {
  DURATION_BUCKETS,
  initialLabels,
  LIVE_SESSIONS,
  type Meter,
  type MeterName,
  meters,
  prometheusName,
} from './meters.ts'
import { type MeterSink, startReadings } from './readings.ts'

/** Options of `prometheusMetrics()`. */
export interface PrometheusOptions extends LiveSessionsOptions {
  /**
   * The registry for the metrics. Default: a new registry. A registry of your own also holds your metrics; instances of Coatcheck may share
   * it.
   */
  readonly registry?: Registry
}

/** Metrics for Prometheus. */
export interface PrometheusMetrics {
  /** The registry that holds the metrics. */
  readonly registry: Registry
  /** Answers `GET` and `HEAD` with the text format of Prometheus. It checks no caller: protect the route yourself. */
  handler(request: Request): Promise<Response>
  /** Stops counting; the metrics stay in the registry. */
  close(): void
}

export function createPrometheusMetrics(
  source: { readonly events: Events },
  { registry = new Registry(), liveSessions, liveSessionsEveryMs }: PrometheusOptions,
): PrometheusMetrics {
  const stop = startReadings(source.events, sinkOf(registry))
  if (liveSessions) showLive(registry, new LiveSessions(liveSessions, liveSessionsEveryMs))
  return {
    registry,
    async handler(request) {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        return new Response(null, { status: 405, headers: { Allow: 'GET, HEAD' } })
      }
      const headers = { 'Content-Type': registry.contentType, 'Cache-Control': 'no-store' }
      return new Response(request.method === 'HEAD' ? null : await registry.metrics(), { headers })
    },
    close: stop,
  }
}

/** Reuses existing metrics of the same name: several instances count into the same metrics. */
function sinkOf(registry: Registry): MeterSink {
  const taken = <T>(meter: Meter, make: (config: MeterConfig) => T): T =>
    (registry.getSingleMetric(prometheusName(meter)) as T | undefined) ?? make(configOf(registry, meter))
  const counters = new Map<MeterName, Counter>()
  const histograms = new Map<MeterName, Histogram>()
  const gauges = new Map<MeterName, Gauge>()
  for (const [name, meter] of Object.entries(meters) as [MeterName, Meter][]) {
    if (meter.kind === 'counter')
      counters.set(
        name,
        taken(meter, (config) => new Counter(config)),
      )
    else if (meter.kind === 'gauge')
      gauges.set(
        name,
        taken(meter, (config) => new Gauge(config)),
      )
    else
      histograms.set(
        name,
        taken(meter, (config) => new Histogram({ ...config, buckets: [...DURATION_BUCKETS] })),
      )
  }
  for (const [name, meter] of Object.entries(meters) as [MeterName, Meter][]) {
    for (const labels of initialLabels(meter)) counters.get(name)?.inc(labels, 0)
  }
  return {
    owner: registry,
    add: (meter, labels, count) => counters.get(meter)?.inc(labels, count),
    record: (meter, labels, seconds) => histograms.get(meter)?.observe(labels, seconds),
    stand(meter, server, value) {
      if (value === null) gauges.get(meter)?.remove({ server })
      else gauges.get(meter)?.set({ server }, value)
    },
  }
}

interface MeterConfig {
  readonly name: string
  readonly help: string
  readonly labelNames: string[]
  readonly registers: Registry[]
}

function configOf(registry: Registry, meter: Meter): MeterConfig {
  const { description, labels } = meter
  return { name: prometheusName(meter), help: description, labelNames: [...labels], registers: [registry] }
}

function showLive(registry: Registry, live: LiveSessions): void {
  const name = LIVE_SESSIONS.name.replaceAll('.', '_')
  if (registry.getSingleMetric(name)) return
  new Gauge({
    name,
    help: LIVE_SESSIONS.description,
    registers: [registry],
    collect() {
      const value = live.read()
      // Without a count there must be no sample; zero would be a count.
      this.reset()
      if (value === null) this.remove()
      else this.set(value)
    },
  })
}
