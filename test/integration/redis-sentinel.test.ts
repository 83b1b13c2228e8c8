/** A primary that sentinels name: killed, stopped and demoted under the load of 64 callers. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { PATIENT } from '../lab/limits.ts'
import { observed } from '../lab/report.ts'
import { closeRedis, openRedis, outcome } from '../support/redis-clients.ts'
import { freePort } from '../support/redis-server.ts'
import { type SentinelGroup, startSentinelGroup, until } from '../support/redis-topologies.ts'
import { expectCalm, expectRecovered, type SessionLoad, startSessionLoad } from '../support/session-load.ts'

let group: SentinelGroup
let load: SessionLoad | undefined
beforeEach(async () => {
  group = await startSentinelGroup()
})
afterEach(async () => {
  await load?.stop()
  load = undefined
  await closeRedis()
  await group.stop()
})

const sentinels = (): string[] => group.sentinels.map(({ port }) => `127.0.0.1:${port}`)
const store = () => redisStore({ url: `redis://${group.name}`, sentinels: sentinels() })

const failedOver = async (from: number): Promise<void> => {
  await until(async () => {
    const primary = await group.primary()
    return primary.port !== from && (await primary.cli('role')).startsWith('master')
  })
}

test.each(['kill', 'pause'] as const)(
  '%s of the primary: nobody waits, nobody is signed out, all go on',
  async (fault) => {
    load = await startSessionLoad(store())
    const primary = await group.primary()
    await group.primary().then((server) => server.cli('wait', '2', '1000'))
    if (fault === 'kill') await primary.kill()
    else primary.pause()
    await failedOver(primary.port)
    const worst = await expectRecovered(load)
    if (fault === 'pause') primary.resume()
    await expectCalm(load)
    observed(fault === 'kill' ? 'F4.sentinel' : 'F5.sentinel', worst)
  },
)

test('a failover that was asked for', async () => {
  load = await startSessionLoad(store())
  const primary = await group.primary()
  await group.sentinels[0]?.cli('sentinel', 'failover', group.name)
  await failedOver(primary.port)
  await expectRecovered(load)
})

test('a sentinel that is gone at the start does not matter; none at all is said so, and so is a wrong name', async () => {
  await group.sentinels[0]?.kill()
  const { set, get } = openRedis({ ...PATIENT, url: `redis://${group.name}`, sentinels: sentinels() })
  await set('k', '1')
  expect(await get('k')).toBe('1')
  const nobody = openRedis({
    url: 'redis://mymaster',
    sentinels: [`127.0.0.1:${await freePort()}`],
    connectTimeoutMs: 3000,
  })
  await expect(nobody.redis.ready()).rejects.toThrow(/none of the 1 sentinels can be reached/)
  const other = openRedis({ url: 'redis://othername', sentinels: sentinels(), connectTimeoutMs: 3000 })
  await expect(other.redis.ready()).rejects.toThrow(/know no primary of that name/)
  expect((await outcome(() => other.get('k'))).code).toBe('COATCHECK_REDIS_UNREACHABLE')
})
