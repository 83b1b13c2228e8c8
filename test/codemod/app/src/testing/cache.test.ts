// A test of the application, as many write them. It is never run: a double of ioredis has no counterpart.
import RedisMock from 'ioredis-mock'
import Redis from 'ioredis'

declare const jest: { mock(name: string, factory?: () => unknown): void; spyOn(target: object, name: string): void }
declare const vi: typeof jest

jest.mock('ioredis', () => require('ioredis-mock'))
vi.mock('ioredis')

export async function testsWithADouble() {
  const redis = new RedisMock()
  await redis.set('k', 'v')
  return redis.get('k')
}

export async function testsWithASpy() {
  const redis = new Redis({ lazyConnect: true })
  jest.spyOn(redis, 'get')
  return redis.get('k')
}
