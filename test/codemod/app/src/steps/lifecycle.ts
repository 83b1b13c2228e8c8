import Redis from 'ioredis'

const port = Number(process.env.REDIS_PORT)

export async function emitsEventsInOrder() {
  const events: string[] = []
  const client = new Redis(port)
  client.on('connect', () => events.push('connect'))
  client.on('ready', () => events.push('ready'))
  client.on('close', () => events.push('close'))
  client.on('end', () => events.push('end'))
  await client.ping()
  const ended = new Promise((resolve) => client.once('end', resolve))
  await client.quit()
  await ended
  return events
}

export async function waitsUntilReady() {
  const client = new Redis({ port, lazyConnect: true })
  const ready = new Promise<string>((resolve) => client.once('ready', () => resolve(client.status)))
  void client.connect()
  const status = await ready
  client.disconnect()
  return status
}

export async function checksTheStatus() {
  const client = new Redis(port)
  await client.ping()
  const ready = client.status === 'ready'
  client.disconnect()
  return { ready, healthy: ready ? 'up' : 'down' }
}

export async function quits() {
  const client = new Redis(port)
  const reply = await client.quit()
  const status = await new Promise((resolve) => (client.status === 'end' ? resolve('end') : client.once('end', () => resolve('end'))))
  return { reply, status }
}

export async function rejectsAfterTheEnd() {
  const client = new Redis(port)
  await client.ping()
  client.disconnect()
  await new Promise((resolve) => client.once('end', resolve))
  return client.get('k').catch((error: Error) => error.message)
}

export async function rejectsWhatWasPendingOnDisconnect() {
  const client = new Redis(port)
  await client.ping()
  const pending = client.blpop('never', 0).catch((error: Error) => error.message)
  client.disconnect()
  return pending
}

export async function quitAfterPendingCommands() {
  const client = new Redis(port)
  const replies = Promise.all([client.set('a', 1), client.incr('a')])
  await client.quit()
  return replies
}

export async function duplicates(redis: Redis) {
  const copy = redis.duplicate()
  await copy.set('from-copy', '1')
  copy.disconnect()
  return redis.get('from-copy')
}

export async function duplicatesWithOtherOptions(redis: Redis) {
  const copy = redis.duplicate({ db: 7, keyPrefix: 'dup:' })
  await copy.set('k', '1')
  await copy.quit()
  return redis.exists('k')
}

export async function reconnectsAfterBeingKilled(redis: Redis) {
  const client = new Redis({ port, connectionName: 'victim', retryStrategy: () => 10 })
  client.on('error', () => undefined)
  const id = await client.client('ID')
  const back = new Promise<string>((resolve) => {
    client.once('reconnecting', () => client.once('ready', () => resolve('back')))
  })
  await redis.client('KILL', 'ID', id)
  const state = await back
  const value = await client.set('after', 'v')
  client.disconnect()
  return { state, value }
}

export async function keepsTheDatabaseAfterAReconnect(redis: Redis) {
  const client = new Redis({ port, retryStrategy: () => 10 })
  client.on('error', () => undefined)
  await client.select(8)
  const id = await client.client('ID')
  const back = new Promise((resolve) => client.once('reconnecting', () => client.once('ready', resolve)))
  await redis.client('KILL', 'ID', String(id))
  await back
  await client.set('still-in-eight', '1')
  await client.quit()
  return redis.exists('still-in-eight')
}

export async function survivesAnErrorWithoutAListener(redis: Redis) {
  // ioredis prints "Unhandled error event" and goes on.
  const client = new Redis({ port, retryStrategy: () => 10 })
  const id = await client.client('ID')
  await redis.client('KILL', 'ID', id)
  const reply = await client.set('alive', 'yes')
  client.disconnect()
  return reply
}

export async function usesThisInListeners() {
  const client = new Redis(port)
  const same = await new Promise((resolve) => {
    client.once('ready', function (this: unknown) {
      resolve(this === client)
    })
  })
  client.disconnect()
  return same
}

export async function removesListeners() {
  const client = new Redis(port)
  let count = 0
  const listener = () => count++
  client.on('ready', listener)
  client.off('ready', listener)
  await client.ping()
  const left = client.listenerCount('ready')
  client.removeAllListeners('ready')
  client.disconnect()
  return { count, left }
}

export async function pings(redis: Redis) {
  return [await redis.ping(), await redis.ping('hello'), await redis.echo('echo')]
}

export async function healthCheck(redis: Redis) {
  try {
    const pong = await redis.ping()
    return { status: pong === 'PONG' ? 'ok' : 'odd', mode: redis.status }
  } catch {
    return { status: 'down' }
  }
}

export async function waitsForReplicas(redis: Redis) {
  return redis.wait(0, 10)
}

export async function resendsWhatWasInFlight(redis: Redis) {
  const client = new Redis({ port, retryStrategy: () => 10 })
  client.on('error', () => undefined)
  const id = await client.client('ID')
  const popped = client.blpop('late', 0)
  const back = new Promise((resolve) => client.once('reconnecting', () => client.once('ready', resolve)))
  await redis.client('KILL', 'ID', id)
  await back
  await redis.rpush('late', 'parcel')
  const got = await popped
  client.disconnect()
  return got
}

export async function rejectsWhatWasInFlightWithoutRetries(redis: Redis) {
  const client = new Redis({ port, retryStrategy: () => null })
  client.on('error', () => undefined)
  const id = await client.client('ID')
  const outcome = client.blpop('late', 0).then(
    () => 'answered',
    (error: Error) => error.message,
  )
  await redis.client('KILL', 'ID', id)
  return [await outcome, await client.get('k').catch((error: Error) => error.message)]
}

export async function queuesWhileReconnecting(redis: Redis) {
  const client = new Redis({ port, retryStrategy: () => 10 })
  client.on('error', () => undefined)
  const id = await client.client('ID')
  const closed = new Promise((resolve) => client.once('close', resolve))
  await redis.client('KILL', 'ID', id)
  await closed
  const replies = await Promise.all([client.rpush('l', 'a'), client.rpush('l', 'b'), client.pipeline().rpush('l', 'c').exec()])
  client.disconnect()
  return { replies, all: await redis.lrange('l', 0, -1) }
}

export async function closesTwice() {
  const client = new Redis(port)
  await client.ping()
  await client.quit()
  const again = await client.quit().catch((error: Error) => error.message)
  client.disconnect()
  return again
}

export async function reconnectsAfterQuit() {
  const client = new Redis(port)
  await client.ping()
  await client.quit()
  await new Promise((resolve) => (client.status === 'end' ? resolve(null) : client.once('end', resolve)))
  await client.connect()
  const pong = await client.ping()
  client.disconnect()
  return pong
}

export async function connectsTwice() {
  const client = new Redis(port)
  const outcome = await client.connect().catch((error: Error) => error.message)
  await client.quit()
  return outcome
}

export async function failsToConnect() {
  const client = new Redis({ port: Number(process.env.REDIS_CLOSED_PORT), lazyConnect: true, retryStrategy: () => null })
  const errors: (string | undefined)[] = []
  client.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code))
  const outcome = await client.connect().then(
    () => 'connected',
    (error: Error) => error.message,
  )
  return { outcome, errors, status: client.status }
}

export async function reportsConnectionErrors() {
  const client = new Redis({ port: Number(process.env.REDIS_CLOSED_PORT), retryStrategy: (times) => (times < 3 ? 1 : null) })
  const events: string[] = []
  for (const event of ['connect', 'error', 'close', 'reconnecting', 'end'] as const) client.on(event, () => events.push(event))
  await new Promise((resolve) => client.once('end', resolve))
  return events
}
