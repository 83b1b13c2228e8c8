/** The client port on a healthy server, on every major of the client library, created by us and user-supplied. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { defineScript } from '../../src/redis/script.ts'
import { cutClient } from '../../src/redis/library.ts'
import { closeRedis, libraryMajors, openRedis, outcome, untilWorks } from '../support/redis-clients.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

let server: RedisServer
beforeAll(async () => {
  server = await startRedisServer()
})
afterEach(closeRedis)
afterAll(() => server.stop())

describe.each(libraryMajors)('redis $major', ({ major, create, install }) => {
  beforeAll(install)

  test('replies are buffers, numbers, null and flat arrays', async () => {
    const { redis } = openRedis({ url: server.url })
    expect(await redis.command('k', ['SET', 'k', Buffer.from([0, 255])])).toEqual(Buffer.from('OK'))
    expect(await redis.command('k', ['MGET', 'k', 'none'])).toEqual([Buffer.from([0, 255]), null])
    expect(await redis.command('absent', ['DEL', 'absent'])).toBe(0)
    await redis.command('h', ['HSET', 'h', 'a', '1', '__proto__', '2'])
    const flat = ['a', '1', '__proto__', '2'].map((text) => Buffer.from(text))
    expect(await redis.command('h', ['HGETALL', 'h'])).toEqual(flat)
    expect(await redis.command('h', ['HMGET', 'h', 'a', 'b'])).toEqual([Buffer.from('1'), null])
  })

  test('an unknown script is sent once with its text and then known', async () => {
    await server.cli('script', 'flush')
    await server.cli('config', 'resetstat')
    const { redis } = openRedis({ url: server.url })
    const script = defineScript('echo', 'return {KEYS[1], ARGV[1], 7, redis.status_reply("fine")}')
    const expected = [Buffer.from('k'), Buffer.from([1, 200]), 7, Buffer.from('fine')]
    expect(await redis.script(script, ['k'], [Buffer.from([1, 200])])).toEqual(expected)
    expect(await redis.script(script, ['k'], [Buffer.from([1, 200])])).toEqual(expected)
    const stats = await server.cli('info', 'commandstats')
    expect(stats).toMatch(/cmdstat_eval:calls=1,/)
    expect(stats).toMatch(/cmdstat_evalsha:calls=2,/)
  })

  test('it is this major that is imported', async () => {
    const { redis } = openRedis({ url: server.url })
    await redis.ready()
    expect(await server.cli('client', 'list')).toContain(major === '6' ? 'resp=3' : 'resp=2')
  })

  test("the server's clock is known", async () => {
    const { redis } = openRedis({ url: server.url })
    await redis.ready()
    const [seconds, micros] = (await server.cli('time')).split('\n').map(Number)
    expect(Math.abs(redis.serverNow('k') - ((seconds ?? 0) * 1000 + (micros ?? 0) / 1000))).toBeLessThan(200)
  })

  test('operations that come before the connection wait for it, in order', async () => {
    const { redis, get, set, statuses } = openRedis({ url: server.url })
    const results = await Promise.all([set('w', '1'), get('w'), set('w', '2'), get('w')])
    expect(results).toEqual([undefined, '1', undefined, '2'])
    await redis.close()
    expect(statuses).toEqual(['connecting', 'ready', 'closed'])
    expect(await outcome(() => get('w'))).toMatchObject({ code: 'COATCHECK_REDIS_UNREACHABLE' })
    await expect(redis.ready()).rejects.toThrow(/was closed/)
    await redis.close()
  })

  test('what is in flight when it is closed is answered', async () => {
    const { redis, get } = openRedis({ url: server.url })
    await redis.ready()
    const pending = Promise.all(Array.from({ length: 50 }, () => get('none')))
    await redis.close()
    expect(await pending).toHaveLength(50)
  })

  test('a database, credentials and a unix socket', async () => {
    const other = await startRedisServer({ unixSocket: true })
    await other.cli('acl', 'setuser', 'app', 'on', '>p@ss#/?: %', '~*', '+@all')
    const secret = encodeURIComponent('p@ss#/?: %')
    const urls = [`redis://app:${secret}@127.0.0.1:${other.port}/3`, `unix://app:${secret}@${other.socketPath}?db=3`]
    for (const url of urls) {
      const { set, get } = openRedis({ url })
      await set('db', url)
      expect(await get('db')).toBe(url)
    }
    expect(await other.cli('-n', '3', 'exists', 'db')).toBe('1')
    expect(await other.cli('exists', 'db')).toBe('0')
    await closeRedis()
    await other.stop()
  })

  test('a user-supplied client: connected if it is not, never closed, its replies as everywhere', async () => {
    const client = create(server.url)
    const first = openRedis({ client })
    await first.set('given', '1')
    const second = openRedis({ client })
    await second.redis.ready()
    expect(await second.redis.command('given', ['MGET', 'given'])).toEqual([Buffer.from('1')])
    await first.redis.close()
    expect(client.isReady).toBe(true)
    expect(await second.get('given')).toBe('1')
    cutClient(client, true)
    await untilWorks(async () => expect(client.isOpen).toBe(false))
    const after = await outcome(() => second.get('given'))
    expect(after.code).toBe('COATCHECK_REDIS_UNREACHABLE')
    expect(client.isOpen).toBe(false)
  })
})
