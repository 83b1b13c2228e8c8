/** Hearing of messages over a connection of its own: on all majors, for our clients and user-supplied ones, through outages. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { closeRedis, libraryMajors, openRedis, untilWorks } from '../support/redis-clients.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

let server: RedisServer
beforeEach(async () => {
  server = await startRedisServer()
})
afterEach(async () => {
  await closeRedis()
  await server.stop()
})

const clientsOf = async (): Promise<string[]> =>
  (await server.cli('client', 'list')).split('\n').map((line) => / sub=(\d+)/.exec(line)?.[1] ?? '')

/** Counts messages; resolves when there are as many. */
function counter(): { readonly listener: () => void; reaches(count: number): Promise<void>; readonly count: number } {
  let count = 0
  let check = (): void => undefined
  return {
    get count() {
      return count
    },
    listener() {
      count++
      check()
    },
    reaches: (wanted) =>
      new Promise((resolve) => {
        check = () => {
          if (count >= wanted) resolve()
        }
        check()
      }),
  }
}

describe.each(libraryMajors)('redis $major', ({ create, install }) => {
  beforeEach(install)

  describe.each(['made by us', 'user-supplied'])('beside a client that was %s', (origin) => {
    const connect = () => openRedis(origin === 'user-supplied' ? { client: create(server.url) } : { url: server.url })

    test('each listener hears its channel until it is closed, and commands go on beside it', async () => {
      const { redis, get, set } = connect()
      await redis.ready()
      const [one, two, other] = [counter(), counter(), counter()]
      const watches = [redis.watch('a', one.listener), redis.watch('a', two.listener), redis.watch('b', other.listener)]
      expect(await Promise.all(watches.map(({ confirmed }) => confirmed))).toEqual([true, true, true])
      await set('k', '1')
      await server.cli('publish', 'a', '')
      await Promise.all([one.reaches(1), two.reaches(1)])
      expect(other.count).toBe(0)
      watches[0]?.close()
      watches[0]?.close()
      await untilWorks(async () => {
        await server.cli('publish', 'a', '')
        expect(two.count).toBeGreaterThan(one.count)
      })
      expect(await get('k')).toBe('1')
    })

    test('nobody listening costs no connection; closing the client ends it', async () => {
      const { redis } = connect()
      await redis.ready()
      expect((await clientsOf()).filter((sub) => sub !== '0')).toEqual([])
      const watch = redis.watch('a', () => undefined)
      expect(await watch.confirmed).toBe(true)
      expect((await clientsOf()).filter((sub) => sub === '1')).toHaveLength(1)
      await redis.close()
      await untilWorks(async () => expect((await clientsOf()).filter((sub) => sub === '1')).toHaveLength(0))
      expect(await redis.watch('a', () => undefined).confirmed).toBe(false)
    })

    test('a server that comes back is heard again; how long it has been there is known', async () => {
      const { redis, get } = connect()
      await redis.ready()
      expect(redis.uptime('k').isAfterOutage).toBe(false)
      const heard = counter()
      expect(await redis.watch('a', heard.listener).confirmed).toBe(true)
      await server.kill()
      await server.restart()
      await untilWorks(() => get('k'))
      expect(redis.uptime('k').isAfterOutage).toBe(true)
      expect(redis.uptime('k').forMs).toBeLessThan(5000)
      await untilWorks(async () => {
        await server.cli('publish', 'a', '')
        expect(heard.count).toBeGreaterThan(0)
      })
    })
  })
})

test('a channel that the user may not listen to is not heard, and that is no error', async () => {
  await server.cli('acl', 'setuser', 'deaf', 'on', '>password', '~*', '+@all', 'resetchannels')
  const { redis, set } = openRedis({ url: server.url.replace('redis://', 'redis://deaf:password@') })
  await redis.ready()
  expect(await redis.watch('a', () => undefined).confirmed).toBe(false)
  await set('k', '1')
})
