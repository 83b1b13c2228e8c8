/** A cluster: routing, redirections, resharding under load, and a primary that dies or hangs under the load of 64 callers. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { inMs, observed } from '../lab/report.ts'
import { closeRedis, openRedis, outcome } from '../support/redis-clients.ts'
import { type ClusterGroup, startClusterGroup, until } from '../support/redis-topologies.ts'
import { expectCalm, expectRecovered, type SessionLoad, startSessionLoad } from '../support/session-load.ts'

const run = promisify(execFile)

let group: ClusterGroup
let load: SessionLoad | undefined
afterEach(async () => {
  await load?.stop()
  load = undefined
  await closeRedis()
  await group.stop()
})

const store = () => redisStore({ url: group.url, cluster: true })
const idOf = async (port: number): Promise<string> =>
  (await group.servers.find((server) => server.port === port)?.cli('cluster', 'myid')) ?? ''

describe('without replicas', () => {
  beforeEach(async () => {
    group = await startClusterGroup({ replicas: 0 })
  })

  test('resharding 1,500 slots under load: no error and no miss reaches a caller, no count is lost', async () => {
    load = await startSessionLoad(store())
    const [from, to] = await group.primaries()
    const ids = [await idOf(from?.port ?? 0), await idOf(to?.port ?? 0)]
    await run('redis-cli', [
      ...[
        '--cluster',
        'reshard',
        `127.0.0.1:${from?.port}`,
        '--cluster-from',
        ids[0] ?? '',
        '--cluster-to',
        ids[1] ?? '',
      ],
      ...['--cluster-slots', '1500', '--cluster-yes'],
    ])
    expect(Object.fromEntries(load.seen.errors)).toEqual({})
    expect([...load.seen.misses.keys()]).toEqual([])
    expect(load.seen.operations).toBeGreaterThan(5000)
    const before = load.seen.operations
    await until(async () => (load?.seen.operations ?? 0) > before + 1000)
    expect(Object.fromEntries(load.seen.errors)).toEqual({})
    const { operations, longestMs } = load.seen
    expect(await load.counts()).toEqual(load.written)
    observed(
      'F16.resharding',
      `${operations.toLocaleString('en')} operations, 0 errors, the longest ${inMs(longestMs)}`,
    )
  })

  test('each key is found from whatever node the connection begins at, and a plain URL is refused with the fix', async () => {
    for (const server of group.servers) {
      const { set, get } = openRedis({ url: server.url, cluster: true })
      for (const key of ['a', 'b', 'c', '{user}:d']) await set(key, server.url)
      for (const key of ['a', 'b', 'c', '{user}:d']) expect(await get(key)).toBe(server.url)
    }
    const plain = openRedis({ url: group.url })
    const codes = await Promise.all(['a', 'b', 'c'].map((key) => outcome(() => plain.get(key))))
    expect(codes.map(({ code }) => code)).toContain('COATCHECK_REDIS_CROSSSLOT')
  })

  test('a node that is gone at the start does not matter, when others are named', async () => {
    const [gone, ...others] = group.servers
    await gone?.kill()
    const cluster = others.map(({ port }) => `127.0.0.1:${port}`)
    const { redis, get } = openRedis({ url: group.url, cluster, connectTimeoutMs: 3000 })
    // A cluster that wants full coverage (the default) refuses all slots once it has noticed, after its node timeout.
    await expect(redis.ready()).rejects.toMatchObject({
      code: expect.stringMatching(/^COATCHECK_REDIS_(?:UNREACHABLE|CLUSTERDOWN)$/) as string,
    })
    await gone?.restart()
    await group.settled()
    await redis.ready()
    expect(await get('a')).toBeNull()
  })
})

describe('with replicas', () => {
  beforeEach(async () => {
    group = await startClusterGroup()
  })

  test.each(['kill', 'pause'] as const)(
    '%s of a primary: nobody waits, nobody is signed out, all go on',
    async (fault) => {
      load = await startSessionLoad(store())
      const primary = (await group.primaries())[0]
      if (!primary) throw new Error('no primary')
      const replica = await group.replicaOf(primary)
      await primary.cli('wait', '1', '1000')
      if (fault === 'kill') await primary.kill()
      else primary.pause()
      const role = /^master/
      await until(
        async () => role.test(await replica.cli('role')) && (await replica.cli('cluster', 'info')).includes('state:ok'),
      )
      const worst = await expectRecovered(load)
      if (fault === 'pause') primary.resume()
      await expectCalm(load)
      observed(fault === 'kill' ? 'F4.cluster' : 'F5.cluster', worst)
    },
  )
})
