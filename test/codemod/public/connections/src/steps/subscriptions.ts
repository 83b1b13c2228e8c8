import { Redis } from 'ioredis'

const port = Number(process.env.REDIS_PORT)
const closedPort = Number(process.env.REDIS_CLOSED_PORT)

const outcomeOf = (promise: Promise<unknown>) =>
  promise.then(
    (value) => ({ value }),
    (error: Error) => ({ name: error.name, message: error.message }),
  )

export async function connectsAtTheFirstSubscription(redis: Redis) {
  const sub = new Redis({ port, lazyConnect: true })
  const got = new Promise((resolve) => sub.on('message', (channel, message) => resolve([channel, message])))
  const count = await sub.subscribe('lazy')
  await redis.publish('lazy', 'x')
  const message = await got
  const status = sub.status
  sub.disconnect()
  return { count, message, status }
}

export async function connectsAtTheFirstPattern() {
  const sub = new Redis({ port, lazyConnect: true })
  const counts = [await sub.psubscribe('a*', 'b*'), await sub.punsubscribe('a*')]
  sub.disconnect()
  return counts
}

export async function unsubscribesFirst() {
  const sub = new Redis({ port, lazyConnect: true })
  const count = await sub.unsubscribe('never')
  const status = sub.status
  sub.disconnect()
  return { count, status }
}

export async function subscribesAfterQuit() {
  const sub = new Redis(port)
  await sub.subscribe('a')
  await sub.quit()
  if (sub.status !== 'end') await new Promise((resolve) => sub.once('end', resolve))
  return [
    await outcomeOf(sub.subscribe('b')),
    await outcomeOf(sub.psubscribe('b*')),
    await outcomeOf(sub.unsubscribe('a')),
    await outcomeOf(sub.punsubscribe()),
  ]
}

export async function subscribesAfterDisconnect() {
  const sub = new Redis(port)
  await sub.ping()
  const ended = new Promise((resolve) => sub.once('end', resolve))
  sub.disconnect()
  await ended
  return outcomeOf(sub.subscribe('b'))
}

export async function subscribesWithoutAnOfflineQueue() {
  const sub = new Redis({ port, enableOfflineQueue: false })
  const early = await outcomeOf(sub.subscribe('a'))
  if (sub.status !== 'ready') await new Promise((resolve) => sub.once('ready', resolve))
  const late = await outcomeOf(sub.subscribe('a'))
  sub.disconnect()
  return { early, late }
}

export async function reachesTheLimitOfRetries() {
  const sub = new Redis({ port: closedPort, maxRetriesPerRequest: 1, retryStrategy: () => 5 })
  sub.on('error', () => undefined)
  const outcome = await outcomeOf(sub.subscribe('a'))
  sub.disconnect()
  return outcome
}

export async function timesOutWhileItWaits() {
  const sub = new Redis({ port: closedPort, commandTimeout: 30, maxRetriesPerRequest: null, retryStrategy: () => 5 })
  sub.on('error', () => undefined)
  const outcome = await outcomeOf(sub.subscribe('a'))
  sub.disconnect()
  return outcome
}

export async function endsWhileItWaits() {
  const sub = new Redis({ port: closedPort, retryStrategy: () => null })
  sub.on('error', () => undefined)
  return outcomeOf(sub.subscribe('a'))
}

export async function callsBackWithTheError() {
  const sub = new Redis(port)
  await sub.quit()
  if (sub.status !== 'end') await new Promise((resolve) => sub.once('end', resolve))
  return new Promise((resolve) => {
    sub.subscribe('a', (error, count) => resolve({ message: error?.message, count }))?.catch(() => undefined)
  })
}

export async function subscribesInAnOrder() {
  const sub = new Redis(port)
  const counts = await Promise.all([sub.subscribe('a'), sub.subscribe('b', 'c'), sub.psubscribe('d*'), sub.unsubscribe('a')])
  sub.disconnect()
  return counts
}

export async function subscribesInAnOrderOnceReady() {
  const sub = new Redis(port)
  await sub.ping()
  const counts = await Promise.all([sub.subscribe('a'), sub.subscribe('b', 'c'), sub.psubscribe('d*'), sub.unsubscribe('a')])
  sub.disconnect()
  return counts
}

export async function unsubscribesWithoutWaiting(redis: Redis) {
  const sub = new Redis(port)
  await sub.ping()
  const seen: string[] = []
  sub.on('message', (channel) => seen.push(channel))
  const first = sub.subscribe('gone', 'kept')
  const second = sub.unsubscribe('gone')
  const counts = await Promise.all([first, second])
  const receivers = [await redis.publish('gone', '1'), await redis.publish('kept', '2')]
  const last = await sub.unsubscribe()
  const free = await sub.get('none')
  sub.disconnect()
  return { counts, receivers, seen, last, free }
}

export async function unsubscribesAllWithoutWaiting(redis: Redis) {
  const sub = new Redis(port)
  const first = sub.subscribe('gone', 'kept')
  const second = sub.unsubscribe()
  const counts = await Promise.all([first, second])
  const receivers = await redis.publish('gone', '1')
  sub.disconnect()
  return { counts, receivers }
}

export async function subscribesAgainWithoutWaiting(redis: Redis) {
  const sub = new Redis(port)
  await sub.subscribe('a')
  const counts = await Promise.all([sub.unsubscribe('a'), sub.subscribe('a')])
  const receivers = await redis.publish('a', '1')
  sub.disconnect()
  return { counts, receivers }
}
