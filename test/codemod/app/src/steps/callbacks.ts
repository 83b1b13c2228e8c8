import { promisify } from 'node:util'
import type { Redis } from 'ioredis'

type Done<T> = (error: Error | null | undefined, value?: T) => void

export async function readsWithACallback(redis: Redis) {
  await redis.set('k', 'v')
  return new Promise((resolve, reject) => {
    redis.get('k', (error, value) => {
      if (error) reject(error)
      else resolve(value)
    })
  })
}

export async function passesErrorsToTheCallback(redis: Redis) {
  await redis.set('text', 'abc')
  return new Promise((resolve) => {
    redis.incr('text', (error, value) => resolve([error?.message, value]))
  })
}

export async function nestsCallbacks(redis: Redis) {
  return new Promise((resolve, reject) => {
    redis.set('a', '1', 'EX', 60, (setError) => {
      if (setError) return reject(setError)
      redis.incr('a', (incrError, value) => {
        if (incrError) return reject(incrError)
        redis.ttl('a', (_ttlError, ttl) => resolve({ value, ttl }))
      })
    })
  })
}

export async function usesANamedCallback(redis: Redis) {
  return new Promise((resolve) => {
    function done(error: Error | null | undefined, value?: number): void {
      resolve({ error, value })
    }
    redis.del('a', 'b', done)
  })
}

function load(redis: Redis, id: string, done: Done<Record<string, string>>): void {
  redis.hgetall(`user:${id}`, (error, user) => done(error, user))
}

export async function wrapsCallbacks(redis: Redis) {
  await redis.hset('user:1', 'name', 'Ada')
  return new Promise((resolve) => load(redis, '1', (error, user) => resolve([error, user])))
}

export async function usesBothCallbackAndPromise(redis: Redis) {
  let fromCallback: unknown
  const fromPromise = await redis.set('k', 'v', (_error, value) => {
    fromCallback = value
  })
  return { fromCallback, fromPromise }
}

export async function promisifies(redis: Redis) {
  await redis.set('k', 'v')
  const get = promisify<string, string | null>((key, done) => void redis.get(key, done as never))
  return get('k')
}

export async function runsCallbacksInOrder(redis: Redis) {
  const order: number[] = []
  await new Promise<void>((resolve) => {
    redis.set('a', 1, () => order.push(1))
    redis.set('b', 2, () => order.push(2))
    redis.get('a', () => {
      order.push(3)
      resolve()
    })
  })
  return order
}

export async function passesNullForNoError(redis: Redis) {
  return new Promise((resolve) => redis.get('missing', (error, value) => resolve([error === null, value])))
}
