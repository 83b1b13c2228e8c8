/** The password of Redis stays on this machine without TLS, also when a sentinel or a node of this machine names a server elsewhere. */
import { afterEach, expect, test } from 'vitest'
import { closeRedis, openRedis } from '../support/redis-clients.ts'
import { freePort, type RedisServer, startRedisServer } from '../support/redis-server.ts'

const ELSEWHERE = '192.0.2.99' // RFC 5737: no machine has it
const PASSWORD = 'hunter2'

let server: RedisServer | undefined
afterEach(async () => {
  await closeRedis()
  await server?.stop()
})

test('a sentinel of this machine names a primary elsewhere', async () => {
  server = await startRedisServer({ sentinel: [`sentinel monitor mymaster ${ELSEWHERE} 6379 1`] })
  const options = {
    url: `redis://:${PASSWORD}@mymaster`,
    sentinels: [`127.0.0.1:${server.port}`],
  }
  await expect(openRedis(options).redis.ready()).rejects.toMatchObject({
    code: 'COATCHECK_CONFIG_INSECURE',
    message: expect.not.stringContaining(PASSWORD) as string,
  })
  const allowed = openRedis({ ...options, allowPlaintext: true, connectTimeoutMs: 1000 })
  await expect(allowed.redis.ready()).rejects.toMatchObject({ code: 'COATCHECK_REDIS_UNREACHABLE' })
})

test('a node of this machine names another node of its cluster elsewhere', async () => {
  server = await startRedisServer({
    args: [
      ...[
        '--cluster-enabled',
        'yes',
        '--cluster-config-file',
        'nodes.conf',
        '--cluster-port',
        String(await freePort()),
      ],
      ...['--cluster-announce-ip', ELSEWHERE, '--requirepass', PASSWORD],
    ],
  })
  await server.cli('-a', PASSWORD, 'cluster', 'addslotsrange', '0', '16383')
  const url = `redis://:${PASSWORD}@127.0.0.1:${server.port}`
  const { get } = openRedis({ url, cluster: [`127.0.0.1:${server.port}`] })
  await expect
    .poll(() => get('key').catch((error: unknown) => (error as { code: string }).code))
    .toBe('COATCHECK_CONFIG_INSECURE')
})
