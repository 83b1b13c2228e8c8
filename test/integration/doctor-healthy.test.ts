/** The doctor against healthy set-ups: nothing to find, whatever form Redis has; canaries on every server. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { examineHealth, type HealthReport } from '../../src/entries/admin.ts'
import { systemClock } from '../../src/core/clock.ts'
import { oidc } from '../../src/oidc/provider.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { createCertificates, tlsArguments } from '../support/certificates.ts'
import { aclRules, createHealthWorld, HEALTHY_ARGUMENTS, type HealthWorld } from '../support/health-world.ts'
import { libraryMajors } from '../support/redis-clients.ts'
import { freePort, type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { startClusterGroup, startSentinelGroup, until } from '../support/redis-topologies.ts'

let world: HealthWorld
const closing: (() => unknown)[] = []
beforeAll(async () => {
  world = await createHealthWorld()
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})
afterAll(() => world.close())

const credentials = () => ({ username: 'coatcheck', password: world.password })
async function allow(servers: readonly RedisServer[], ...features: readonly string[]): Promise<void> {
  for (const { cli } of servers) await cli('acl', 'setuser', 'coatcheck', ...aclRules(world.password, ...features))
}
function findingsOf({ checks }: HealthReport): readonly string[] {
  return checks.flatMap(({ finding, says, server }) => (finding ? [`${finding.code}: ${says} (${server ?? ''})`] : []))
}

test('no finding, and every group was checked', async () => {
  await world.use(world.options(), async (auth) => {
    for (const userId of ['ada', 'grace']) await auth.sessions.create({ userId })
    await auth.sessions.create()
    await auth.tokens.setUserTokens('ada', { accessToken: 'a'.repeat(30), expiresAt: systemClock.now() + 3_600_000 })
  })
  const report = await examineHealth(() => world.options())
  expect(findingsOf(report)).toEqual([])
  expect(report).toMatchObject({ problems: 0, warnings: 0, cause: null })
  expect(new Set(report.checks.map(({ group }) => group))).toEqual(
    new Set(['configuration', 'redis', 'provider', 'data']),
  )
  const seen = (name: string): string | undefined => report.checks.find((check) => check.name === name)?.says
  expect(seen('Eviction policy')).toBe('noeviction')
  expect(seen('Client at dev')).toBe('the provider takes its credential')
  expect(seen('Redirect URI of dev')).toContain('is registered')
  expect(seen('Callback')).toContain('by this application')
  expect(seen('Keys')).toContain('3 sessions')
  expect(seen('Sealed with')).toBe('"k1" 3 of 3 sessions')
  expect(report.checks.filter(({ state }) => state === 'skipped').map(({ name }) => name)).toEqual(['Canaries'])
})

test('an event stream: its keys are ours', async () => {
  await allow([world.redis], '`eventStream`')
  const options = world.options({ store: redisStore({ ...world.store, eventStream: { shards: 2 } }) })
  await world.use(options, async (auth) => {
    for (const userId of ['ada', 'grace', 'edsger', 'barbara']) await auth.sessions.create({ userId })
    await until(async () => (await world.redis.cli('--scan', '--pattern', 'events:*')) !== '')
  })
  const report = await examineHealth(() => options)
  expect(findingsOf(report)).toEqual([])
  const keys = report.checks.find(({ name }) => name === 'Keys')?.says
  expect(keys).toMatch(/^all (\d+) keys: \1 of Coatcheck, /)
})

test('form_post with a strict cookie: the routes make up for it, and the callback is asked as a browser would', async () => {
  const { issuer, clientId, clientSecret } = world.provider
  const form = oidc({ name: 'dev', issuer, clientId, clientSecret, responseMode: 'form_post' })
  const options = world.options({ providers: [form], session: { cookie: { sameSite: 'strict' } } })
  const report = await examineHealth(() => options)
  expect(findingsOf(report)).toEqual([])
  expect(report.checks.find(({ name }) => name === 'Callback, as POST')?.says).toContain('by this application')
  expect(report.checks.find(({ name }) => name === 'Cookie')?.says).toContain('a page of our own sends it once more')
})

test('canaries are planted once, and counted from then on', async () => {
  const planting = await examineHealth(() => world.options(), { canaries: true, offline: true })
  expect(findingsOf(planting)).toEqual([])
  const names = (await world.redis.cli('--scan', '--pattern', 'canary:*')).split('\n').sort()
  expect(names).toEqual([
    ...['canary:ended:0', 'canary:generation:0', 'canary:planted', 'canary:session:0', 'canary:signin:0'],
    'canary:tokens:0',
  ])
  const idle = await world.redis.cli('pttl', 'canary:tokens:0')
  const later = await examineHealth(() => world.options(), { canaries: true, offline: true })
  expect(findingsOf(later)).toEqual([])
  expect(later.checks.filter(({ name }) => name === 'Canaries').map(({ says }) => says)).toEqual([
    '5 alive',
    '5 planted',
  ])
  // Not planted anew: a canary that is written again and again is the last one to be evicted.
  expect(Number(await world.redis.cli('pttl', 'canary:tokens:0'))).toBeLessThanOrEqual(Number(idle))
})

test('TLS', async () => {
  const certificates = createCertificates({ days: 90 })
  closing.push(() => certificates.remove())
  const port = await freePort()
  const server = await startRedisServer({ args: [...HEALTHY_ARGUMENTS, ...tlsArguments(certificates, port, 'no')] })
  closing.push(() => server.stop())
  await allow([server])
  const tls = { ca: certificates.file('ca.pem'), servername: 'redis.test' }
  const store = redisStore({ url: `rediss://127.0.0.1:${port}`, tls, ...credentials() })
  const report = await examineHealth(() => world.options({ store }), { offline: true })
  expect(findingsOf(report)).toEqual([])
  expect(report.checks.find(({ name }) => name === 'TLS')?.says).toMatch(/valid for (?:89|90) days/)
})

test('a cluster: each server is checked, and has canaries of its own', async () => {
  const group = await startClusterGroup({ replicas: 0, args: HEALTHY_ARGUMENTS })
  closing.push(() => group.stop())
  await allow(group.servers, 'a cluster')
  const store = redisStore({ url: group.url, cluster: true, ...credentials() })
  const options = world.options({ store })
  await world.use(options, async (auth) => {
    for (let i = 0; i < 20; i++) await auth.sessions.create({ userId: `user ${i}` })
  })
  const report = await examineHealth(() => options, { canaries: true, offline: true })
  expect(findingsOf(report)).toEqual([])
  const checked = report.checks.filter(({ name }) => name === 'Eviction policy').map(({ server }) => server)
  expect(checked.sort()).toEqual(group.servers.map(({ port }) => `127.0.0.1:${port}`).sort())
  for (const { cli } of group.servers) {
    const names = (await cli('--scan', '--pattern', 'canary:tokens:*')).split('\n')
    expect(names.filter((name) => name !== '')).toHaveLength(1)
  }
  const [first] = group.servers as [RedisServer]
  await first.cli('config', 'set', 'maxmemory-policy', 'allkeys-lru')
  const again = await examineHealth(() => options, { offline: true })
  expect(findingsOf(again)).toEqual([`DOCTOR_EVICTION_POLICY: allkeys-lru (127.0.0.1:${first.port})`])
})

test('Sentinel, with the durability that its replicas give', async () => {
  const group = await startSentinelGroup({ replicas: 1, args: HEALTHY_ARGUMENTS, downAfterMs: 60_000 })
  closing.push(() => group.stop())
  await allow(group.servers, 'at the Redis servers', '`durability`')
  const sentinels = group.sentinels.map(({ port }) => `127.0.0.1:${port}`)
  const store = redisStore({ url: `redis://${group.name}`, sentinels, durability: {}, ...credentials() })
  const primary = await group.primary()
  await until(async () => /state=online/.test(await primary.cli('info', 'replication')))
  const report = await examineHealth(() => world.options({ store }), { offline: true })
  expect(findingsOf(report)).toEqual([])
  await group.sentinels[0]?.stop()
  const again = await examineHealth(() => world.options({ store }), { offline: true })
  expect(findingsOf(again)).toEqual([expect.stringMatching(/^DOCTOR_NODE_AWAY: .*connection refused/)])
})

test.each(libraryMajors)('a user-supplied client of major $major, closed again', async ({ create }) => {
  const client = create(world.redis.url.replace('redis://', `redis://coatcheck:${world.password}@`))
  const report = await examineHealth(() => world.options({ store: redisStore({ client }) }), { offline: true })
  expect(findingsOf(report)).toEqual([])
  await until(() => Promise.resolve(!client.isOpen))
})
