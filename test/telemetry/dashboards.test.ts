/**
 * The demo under load, scraped by a real Prometheus: every panel of the Grafana file has data, and the figures are those that
 * the load generator counted. And the alert rules, by promtool.
 */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { LIVE_SESSIONS, type Meter, meters, prometheusName } from '../../src/telemetry/meters.ts'
import { type Demo, startDemo } from '../e2e/demo-process.ts'
import { CookieClient } from '../support/cookie-client.ts'
import { type Prometheus, startPrometheus } from '../support/prometheus.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const run = promisify(execFile)
const COOKIE = 'coatcheck'
const PEOPLE = ['ada@example.test', 'grace@example.test', 'linus@partner.test']
const ROUNDS = 25

interface Panel {
  readonly type: string
  readonly title: string
  readonly targets?: readonly { readonly expr: string }[]
}
const panels = (JSON.parse(readFileSync('docs/grafana/coatcheck.json', 'utf8')) as { panels: Panel[] }).panels
const expressions = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const))
const alerts = readFileSync('docs/prometheus/coatcheck-alerts.yml', 'utf8')

let redis: RedisServer
let demo: Demo
let prometheus: Prometheus
/** What the load generator did, by what has to come of it. */
const done = { found: 0, malformed: 0, revoked: 0, unavailable: 0, signIns: 0, failedSignIns: 0, signOuts: 0 }

beforeAll(async () => {
  redis = await startRedisServer()
  demo = await startDemo({
    arguments: ['--instances', '2', '--access-ttl', '8'],
    env: { REDIS_URL: redis.url, COATCHECK_LOG: 'silent' },
  })
  expect(demo.output().stdout, demo.output().stderr).toContain(`ready ${demo.url}\n`)
  const ports = [demo.port, demo.port + 1]
  prometheus = await startPrometheus(ports.map((port) => `127.0.0.1:${String(port)}`))
  await generateLoad(ports.map((port) => `http://localhost:${String(port)}`))
}, 300_000)
afterAll(async () => {
  await prometheus?.stop()
  await demo?.stop()
  await redis?.stop()
})

async function generateLoad(bases: readonly string[]): Promise<void> {
  const people = await Promise.all(PEOPLE.map((who, i) => signIn(bases[i % 2]!, who)))
  await Promise.all(people.map((person) => visit(person, bases)))
  await waitForOneAnother(people[0]!, bases)
  await misbehave(people[1]!, bases[0]!)
  await passOutage(people[0]!, bases[0]!)
}

async function signIn(base: string, who: string): Promise<CookieClient> {
  const person = new CookieClient()
  await person.follow(`${base}/auth/login?login_hint=${who}`)
  // The other instance is another origin for this client, and the same host for a browser.
  for (const port of [demo.port, demo.port + 1])
    person.setCookie(`http://localhost:${String(port)}`, COOKIE, person.cookie(base, COOKIE) ?? '')
  done.signIns++
  // The page that sign-in ends at.
  done.found++
  return person
}

async function get(person: CookieClient, url: string, status: number): Promise<void> {
  const response = await person.request(url)
  await response.body?.cancel()
  expect([url, response.status]).toEqual([url, status])
}

async function visit(person: CookieClient, bases: readonly string[]): Promise<void> {
  for (let i = 0; i < ROUNDS; i++) {
    const base = bases[i % 2]!
    await get(person, `${base}/api/me`, 200)
    await get(person, `${base}/api/orders`, 200)
    done.found += 2
    // Nobody's: no ticket, so nothing is looked for.
    await get(new CookieClient(), `${base}/api/me`, 401)
    const forger = new CookieClient()
    forger.setCookie(base, COOKIE, `A${String(person.cookie(base, COOKIE)).slice(1).split('').reverse().join('')}`)
    await get(forger, `${base}/api/me`, 401)
    done.malformed++
  }
}

/**
 * Both instances need the same new token at once: one asks, the other waits. Again until Prometheus has seen the figure grow,
 * which takes two waits of one instance: a figure begins with its first.
 */
async function waitForOneAnother(person: CookieClient, bases: readonly string[]): Promise<void> {
  const waits = async (): Promise<number> =>
    prometheus.value('sum(rate(coatcheck_token_wait_duration_seconds_count[2m])) or vector(0)')
  await vi.waitUntil(
    async () => {
      // A token serves for three of its eight seconds: after that nobody has one.
      await new Promise((resolve) => setTimeout(resolve, 3500))
      const both = bases.flatMap((base) => [`${base}/api/orders`, `${base}/api/orders`])
      await Promise.all(both.map((url) => get(person, url, 200)))
      done.found += both.length
      // One scrape of a real Prometheus, whose time nobody can move.
      await new Promise((resolve) => setTimeout(resolve, 1200))
      return (await waits()) > 0
    },
    { timeout: 150_000, interval: 10 },
  )
}

async function misbehave(person: CookieClient, base: string): Promise<void> {
  const disabled = await new CookieClient().follow(`${base}/auth/login?login_hint=margaret@example.test`)
  expect(disabled.status).toBe(403)
  done.failedSignIns++
  const stolen = person.cookie(base, COOKIE)!
  const elsewhere = { method: 'POST', headers: { origin: 'https://elsewhere.example', 'sec-fetch-site': 'cross-site' } }
  expect((await person.request(`${base}/auth/logout`, elsewhere)).status).toBe(403)
  const form = { origin: base, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate', accept: 'text/html' }
  const here = { method: 'POST', headers: form }
  expect((await person.request(`${base}/auth/logout`, here)).status).toBe(303)
  done.signOuts++
  // Signing out looks for the session that it ends.
  done.found++
  const thief = new CookieClient()
  thief.setCookie(base, COOKIE, stolen)
  await get(thief, `${base}/api/me`, 401)
  done.revoked++
}

async function passOutage(person: CookieClient, base: string): Promise<void> {
  redis.pause()
  for (let i = 0; i < 6; i++) await get(person, `${base}/api/me`, 503)
  done.unavailable += 6
  await vi.waitUntil(async () => (await prometheus.value('max(coatcheck_redis_circuit_open)')) === 1, {
    timeout: 120_000,
    interval: 100,
  })
  redis.resume()
  await vi.waitUntil(async () => (await prometheus.value('max(coatcheck_redis_circuit_open)')) === 0, {
    timeout: 120_000,
    interval: 100,
  })
}

/** As Grafana would ask. */
const asAsked = (expression: string): string =>
  expression.replaceAll('$__rate_interval', '2m').replaceAll('$__range', '10m').replaceAll('$job', '.+')

describe('the Grafana file', () => {
  it.each(expressions)('%s has data', async (_title, expression) => {
    // A gauge that asks the store has none for the scrape that fell into the outage, and its next one with the next.
    let samples = await prometheus.query(asAsked(expression))
    await vi.waitUntil(
      async () => samples.length > 0 || (samples = await prometheus.query(asAsked(expression))).length > 0,
      { timeout: 120_000, interval: 250 },
    )
    for (const { value } of samples) expect(value).not.toBeNaN()
  })

  it('asks for figures that there are, and for most of them', () => {
    const text = expressions.map(([, expression]) => expression).join(' ')
    const asked = new Set(
      [...text.matchAll(/coatcheck_\w+/g)].map(([name]) => name.replace(/_(count|bucket|sum)$/, '')),
    )
    const known = Object.values(meters as Readonly<Record<string, Meter>>).map(prometheusName)
    known.push(LIVE_SESSIONS.name.replaceAll('.', '_'))
    expect([...asked].filter((name) => !known.includes(name))).toEqual([])
    expect(asked.size).toBeGreaterThan(known.length / 2)
  })
})

describe('the figures', () => {
  it.each([
    ['coatcheck_session_find_total{outcome="found"}', () => done.found],
    ['coatcheck_session_find_total{outcome="malformed"}', () => done.malformed],
    ['coatcheck_session_find_total{outcome="revoked"}', () => done.revoked],
    ['coatcheck_session_find_total{outcome="unavailable"}', () => done.unavailable],
    ['coatcheck_sessions_lost_total', () => 0],
    ['coatcheck_sessions_created_total{kind="user"}', () => done.signIns],
    ['coatcheck_sessions_ended_total{reason="signed-out"}', () => done.signOuts],
    ['coatcheck_signins_total{step="completed"}', () => done.signIns],
    ['coatcheck_signins_total{step="failed"}', () => done.failedSignIns],
    ['coatcheck_requests_refused_total{code="COATCHECK_REQUEST_CROSS_SITE"}', () => 1],
  ] satisfies [string, () => number][])('%s is what the load generator counted', async (name, expected) => {
    await vi.waitUntil(async () => (await prometheus.value(`sum(${name})`)) >= expected(), {
      timeout: 120_000,
    })
    expect(await prometheus.value(`sum(${name})`)).toBe(expected())
  })

  it('of live sessions are what the store holds, by each instance', async () => {
    const live = async (which: string): Promise<number> => prometheus.value(`${which}(coatcheck_sessions_live)`)
    const left = done.signIns - done.signOuts
    await vi.waitUntil(async () => (await live('min')) === left && (await live('max')) === left, {
      timeout: 120_000,
      interval: 250,
    })
  })

  it('of refreshes are what the provider counted', async () => {
    const refreshed = 'sum(coatcheck_token_refresh_duration_seconds_count{outcome="refreshed"})'
    const asked = async (): Promise<number> => (await demo.counters())['token:refresh_token'] ?? 0
    await vi.waitUntil(async () => (await prometheus.value(refreshed)) === (await asked()), { timeout: 120_000 })
    expect(await asked()).toBeGreaterThan(0)
  })
})

describe('the alert rules', () => {
  const promtool = (...args: string[]): Promise<{ stdout: string }> => run('promtool', args, { cwd: 'docs/prometheus' })

  it('are rules', async () => {
    expect((await promtool('check', 'rules', 'coatcheck-alerts.yml')).stdout).toMatch(/SUCCESS: \d+ rules found/)
  })

  it('fire when they should, and only then', async () => {
    expect((await promtool('test', 'rules', 'coatcheck-alerts.test.yml')).stdout).toContain('SUCCESS')
  })

  it('have two cases each, and ask for figures that there are', () => {
    const names = [...alerts.matchAll(/- alert: (\w+)/g)].map(([, name]) => name)
    const cases = readFileSync('docs/prometheus/coatcheck-alerts.test.yml', 'utf8')
    const tried = [...cases.matchAll(/- name: (\w+) (fires|stays quiet)/g)].map(([, name, which]) => `${name} ${which}`)
    expect(tried).toEqual(names.flatMap((name) => [`${name} fires`, `${name} stays quiet`]))
    const known = Object.values(meters as Readonly<Record<string, Meter>>).map(prometheusName)
    for (const [name] of alerts.matchAll(/coatcheck_\w+/g))
      expect(known).toContain(name.replace(/_(count|bucket)$/, ''))
  })
})
