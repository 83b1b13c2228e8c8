/** Credentials that change while connections stand: asked for at each connect, or announced by a provider that streams them. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { expectWithin } from '../lab/limits.ts'
import { inMs, observed } from '../lab/report.ts'
import { closeRedis, libraryMajors, openRedis, untilWorks } from '../support/redis-clients.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

let server: RedisServer
beforeAll(async () => {
  server = await startRedisServer()
})
afterEach(closeRedis)
afterAll(() => server.stop())

const setPassword = (password: string): Promise<string> =>
  server.cli('acl', 'setuser', 'app', 'reset', 'on', `>${password}`, '~*', '&*', '+@all')
const killClients = (): Promise<string> => server.cli('client', 'kill', 'user', 'app')

describe.each(libraryMajors.filter(({ major }) => major !== '4'))('redis $major', ({ major, install }) => {
  beforeAll(install)

  test('a provider that is asked: each connect takes what holds then', async () => {
    let password = 'first'
    await setPassword(password)
    const credentials = () => Promise.resolve({ username: 'app', password })
    const { set } = openRedis({
      url: server.url,
      credentialsProvider: { type: 'async-credentials-provider', credentials },
    })
    await set('k', '1')
    password = 'second'
    await setPassword(password)
    await killClients()
    const recoveryMs = await untilWorks(() => set('k', '2'))
    expectWithin(recoveryMs, 1000)
    expect(await server.cli('client', 'list')).toContain('user=app')
    observed('F26.rotated', `redis ${major}: works with the new password ${inMs(recoveryMs)} after it was cut off`)
  })

  test('a provider that streams: the connection that stands is authenticated again', async () => {
    type Listener = { onNext(credentials: { username: string; password: string }): void }
    const listeners: Listener[] = []
    let password = 'first'
    await setPassword(password)
    const { redis, set } = openRedis({
      url: server.url,
      credentialsProvider: {
        type: 'streaming-credentials-provider',
        subscribe: (listener: Listener) => {
          listeners.push(listener)
          return Promise.resolve([{ username: 'app', password }, { dispose: () => undefined }])
        },
        onReAuthenticationError: () => undefined,
      } as never,
    })
    await redis.ready()
    await set('k', '1')
    password = 'second'
    await setPassword(password)
    await server.cli('config', 'resetstat')
    for (const listener of listeners) listener.onNext({ username: 'app', password })
    await untilWorks(async () => expect(await server.cli('info', 'commandstats')).toContain('cmdstat_auth:calls=1'))
    await set('k', '2')
    await killClients()
    expectWithin(await untilWorks(() => set('k', '3')), 1000)
  })
})

test('redis 4 cannot, and says so', async () => {
  libraryMajors.find(({ major }) => major === '4')?.install()
  const credentials = () => Promise.resolve({ password: 'x' })
  const { redis } = openRedis({
    url: server.url,
    credentialsProvider: { type: 'async-credentials-provider', credentials },
  })
  await expect(redis.ready()).rejects.toThrow(/redisStore\(\)\.credentialsProvider.*5 or 6/)
})
