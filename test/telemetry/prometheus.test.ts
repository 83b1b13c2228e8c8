/** `coatcheck/prometheus`: the figures are what happened, once per process, and no label tells who. */
import { Counter, Registry } from 'prom-client'
import { afterEach, expect, test } from 'vitest'
import { EventBus } from '../../src/core/events.ts'
import { prometheusMetrics } from '../../src/telemetry/prometheus.ts'
import { meters, prometheusName } from '../../src/telemetry/meters.ts'
import { until } from '../support/redis-topologies.ts'
import { liveALittle, startTelemetryApp, type TelemetryApp } from './telemetry-app.ts'

let app: TelemetryApp | undefined
afterEach(() => app?.stop())

const scrape = async (metrics: ReturnType<typeof prometheusMetrics>): Promise<string> =>
  (await metrics.handler(new Request('http://localhost/metrics'))).text()
const sample = (text: string, name: string): number => {
  const line = text.split('\n').find((one) => one.startsWith(`${name} `))
  return line === undefined ? NaN : Number(line.slice(name.length + 1))
}

test('counts sessions, tokens and Redis, and what two instances share once', async () => {
  app = await startTelemetryApp()
  const registry = new Registry()
  const metrics = prometheusMetrics(app.auth, { registry })
  await app.auth.ready()
  const second = app.another()
  prometheusMetrics(second, { registry })
  await second.ready()
  const counted = await liveALittle(app)
  const text = await scrape(metrics)
  const finds = (outcome: string): number => sample(text, `coatcheck_session_find_total{outcome="${outcome}"}`)
  expect([finds('found'), finds('malformed'), finds('revoked'), finds('lost'), finds('unavailable')]).toEqual([
    counted.found,
    counted.malformed,
    counted.revoked,
    counted.lost,
    0,
  ])
  expect(sample(text, 'coatcheck_sessions_lost_total')).toBe(counted.lost)
  expect(sample(text, 'coatcheck_sessions_created_total{kind="user"}')).toBe(2)
  expect(sample(text, 'coatcheck_sessions_created_total{kind="anonymous"}')).toBe(1)
  expect(sample(text, 'coatcheck_sessions_ended_total{reason="other"}')).toBe(1)
  expect(sample(text, 'coatcheck_session_updates_total')).toBe(1)
  expect(sample(text, 'coatcheck_token_reads_total{provider="idp",outcome="hit"}')).toBe(1)
  expect(sample(text, 'coatcheck_token_reads_total{provider="idp",outcome="none"}')).toBe(1)
  const server = `127.0.0.1:${String(app.server.port)}`
  expect(sample(text, `coatcheck_redis_connected{server="${server}"}`)).toBe(1)
  const reads = 'coatcheck_redis_operation_duration_seconds_count{operation="MGET",outcome="ok"}'
  // What this process has ended itself is not asked for; that something is lost is believed at the second look.
  expect(sample(text, reads)).toBe(counted.found + 2 * counted.lost)
  expect(text).not.toMatch(/\b(ada|grace|nonsense)\b|example\.test|at-1/)
})

test('shows an outage: timeouts, the circuit, the connection', async () => {
  app = await startTelemetryApp()
  const metrics = prometheusMetrics(app.auth)
  await app.auth.ready()
  const { ticket } = await app.auth.sessions.create({ userId: 'ada' })
  const server = `127.0.0.1:${String(app.server.port)}`
  app.server.pause()
  const fail = () => app!.auth.sessions.find(ticket).catch(() => undefined)
  for (let i = 0; i < 4; i++) await fail()
  const during = await scrape(metrics)
  // The worker for revocations may time out in between, and its timeout counts for the circuit too.
  const timeouts = [...during.matchAll(/^coatcheck_redis_timeouts_total\{[^}]*\} (\d+)/gm)]
  expect(timeouts.reduce((sum, [, count]) => sum + Number(count), 0)).toBeGreaterThanOrEqual(3)
  expect(sample(during, 'coatcheck_redis_timeouts_total{operation="MGET"}')).toBeGreaterThanOrEqual(1)
  expect(sample(during, 'coatcheck_session_find_total{outcome="unavailable"}')).toBe(4)
  expect(sample(during, `coatcheck_redis_circuit_open{server="${server}"}`)).toBe(1)
  app.server.resume()
  await until(async () => (await app!.auth.sessions.find(ticket).catch(() => null)) !== null)
  expect(sample(await scrape(metrics), `coatcheck_redis_circuit_open{server="${server}"}`)).toBe(0)
  await app.server.kill()
  await until(async () => sample(await scrape(metrics), `coatcheck_redis_connected{server="${server}"}`) === 0)
  expect(sample(await scrape(metrics), `coatcheck_redis_reconnects_total{server="${server}"}`)).toBeGreaterThan(0)
  await app.auth.close()
  expect(await scrape(metrics)).not.toContain('coatcheck_redis_connected{')
})

test('reports the number of sessions in the store, counts seldom, and no scrape waits for the count', async () => {
  app = await startTelemetryApp()
  let asked = 0
  const liveSessions = (): Promise<number> => {
    asked++
    return app!.auth.estimateSessions()
  }
  const metrics = prometheusMetrics(app.auth, { liveSessions })
  for (let i = 0; i < 12; i++) await app.auth.sessions.create(i % 2 ? { userId: `user-${String(i)}` } : {})
  expect(await scrape(metrics)).not.toMatch(/^coatcheck_sessions_live /m)
  await until(async () => /^coatcheck_sessions_live /m.test(await scrape(metrics)))
  expect(sample(await scrape(metrics), 'coatcheck_sessions_live')).toBe(12)
  expect(asked).toBe(1)
})

test('estimates where there are many keys', async () => {
  app = await startTelemetryApp()
  await app.auth.sessions.create()
  const fill = "for i = 1, 4000 do redis.call('set', (i % 4 == 0 and 'user:session:x' or 'other:') .. i, 1) end"
  await app.server.cli('eval', fill, '0')
  const estimate = await app.auth.estimateSessions()
  // 1,001 of 4,001 by 200 draws: five standard deviations are 15 % of all keys.
  expect(Math.abs(estimate - 1001)).toBeLessThan(620)
})

test('is a handler and a registry that may hold other figures too', async () => {
  const registry = new Registry()
  new Counter({ name: 'app_requests_total', help: 'of the application', registers: [registry] }).inc(3)
  const metrics = prometheusMetrics({ events: new EventBus() }, { registry })
  const answer = await metrics.handler(new Request('http://localhost/metrics'))
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, registry.contentType])
  expect(await answer.text()).toContain('app_requests_total 3')
  const head = await metrics.handler(new Request('http://localhost/metrics', { method: 'HEAD' }))
  expect([head.status, await head.text()]).toEqual([200, ''])
  expect((await metrics.handler(new Request('http://localhost/metrics', { method: 'POST' }))).status).toBe(405)
  expect(() => prometheusMetrics({} as never)).toThrow(
    'prometheusMetrics(auth) must get the instance that coatcheck() returned.',
  )
})

test('names follow the conventions of Prometheus', async () => {
  const metrics = prometheusMetrics({ events: new EventBus() })
  const text = await scrape(metrics)
  for (const meter of Object.values(meters)) {
    const name = prometheusName(meter)
    expect(name).toMatch(/^coatcheck_[a-z_]+$/)
    expect(name.endsWith('_total')).toBe(meter.kind === 'counter')
    expect(name.endsWith('_seconds')).toBe(meter.kind === 'duration')
    expect(text).toContain(`# HELP ${name} ${meter.description}`)
  }
})

test('stops counting when it is closed', async () => {
  const events = new EventBus()
  const metrics = prometheusMetrics({ events })
  events.emit('session.found', { sessionId: 'uk.a', kind: 'user' })
  metrics.close()
  events.emit('session.found', { sessionId: 'uk.a', kind: 'user' })
  expect(sample(await scrape(metrics), 'coatcheck_session_find_total{outcome="found"}')).toBe(1)
})
