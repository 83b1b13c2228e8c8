import Redis from 'ioredis'

const port = Number(process.env.REDIS_PORT)

export async function receivesMessages(redis: Redis) {
  const sub = new Redis(port)
  const received = new Promise((resolve) => {
    sub.on('message', (channel, message) => resolve({ channel, message }))
  })
  const count = await sub.subscribe('news')
  const receivers = await redis.publish('news', 'hello')
  const got = await received
  sub.disconnect()
  return { count, receivers, got }
}

export async function routesByChannel(redis: Redis) {
  const sub = redis.duplicate()
  const log: string[] = []
  const done = new Promise<void>((resolve) => {
    sub.on('message', (channel: string, message: string) => {
      if (channel === 'jobs') log.push(`job ${message}`)
      else if (channel === 'alerts') log.push(`alert ${message}`)
      if (log.length === 3) resolve()
    })
  })
  const count = await sub.subscribe('jobs', 'alerts')
  await redis.publish('jobs', '1')
  await redis.publish('alerts', 'fire')
  await redis.publish('jobs', JSON.stringify({ id: 2 }))
  await done
  await sub.unsubscribe('jobs', 'alerts')
  await sub.quit()
  return { count, log }
}

export async function subscribesWithACallback(redis: Redis) {
  const sub = redis.duplicate()
  const got = await new Promise((resolve, reject) => {
    sub.subscribe('a', 'b', (error, count) => {
      if (error) return reject(error)
      sub.on('message', (channel, message) => resolve({ count, channel, message }))
      void redis.publish('b', 'x')
    })
  })
  sub.disconnect()
  return got
}

export async function subscribesToPatterns(redis: Redis) {
  const sub = redis.duplicate()
  const got = new Promise((resolve) => {
    sub.on('pmessage', (pattern, channel, message) => resolve({ pattern, channel, message }))
  })
  const count = await sub.psubscribe('user:*')
  await redis.publish('user:7', 'signed in')
  const message = await got
  await sub.punsubscribe('user:*')
  sub.disconnect()
  return { count, message }
}

export async function receivesBuffers(redis: Redis) {
  const sub = redis.duplicate()
  const got = new Promise((resolve) => {
    sub.on('messageBuffer', (channel: Buffer, message: Buffer) => resolve({ channel, message }))
  })
  await sub.subscribe('bin')
  await redis.publish('bin', Buffer.from([0, 255]))
  const message = await got
  sub.disconnect()
  return message
}

export async function receivesPatternBuffers(redis: Redis) {
  const sub = redis.duplicate()
  const got = new Promise((resolve) => {
    sub.on('pmessageBuffer', (pattern: string, channel: Buffer, message: Buffer) => resolve({ pattern, channel, message }))
  })
  await sub.psubscribe('b*')
  await redis.publish('bin', 'text')
  const message = await got
  sub.disconnect()
  return message
}

export async function hasSeveralListeners(redis: Redis) {
  const sub = redis.duplicate()
  const log: string[] = []
  sub.on('message', (_channel, message) => log.push(`one ${message}`))
  const done = new Promise<void>((resolve) =>
    sub.on('message', (_channel, message) => {
      log.push(`two ${message}`)
      resolve()
    }),
  )
  await sub.subscribe('c')
  await redis.publish('c', 'm')
  await done
  sub.disconnect()
  return log
}

export async function subscribesTwice(redis: Redis) {
  const sub = redis.duplicate()
  const first = await sub.subscribe('a')
  const second = await sub.subscribe('b', 'c')
  const third = await sub.unsubscribe('a')
  const all = await sub.unsubscribe()
  sub.disconnect()
  return { first, second, third, all }
}

export async function subscribesToAList(redis: Redis) {
  const sub = redis.duplicate()
  const channels = ['x', 'y']
  const seen: string[] = []
  const done = new Promise<void>((resolve) => {
    sub.on('message', (channel) => {
      seen.push(channel)
      if (seen.length === channels.length) resolve()
    })
  })
  await sub.subscribe(...channels)
  for (const channel of channels) await redis.publish(channel, '')
  await done
  sub.disconnect()
  return seen
}

export async function countsSubscribers(redis: Redis) {
  const sub = redis.duplicate()
  await sub.subscribe('counted')
  const channels = await redis.pubsub('CHANNELS', 'count*')
  const numsub = await redis.pubsub('NUMSUB', 'counted', 'other')
  const numpat = await redis.pubsub('NUMPAT')
  sub.disconnect()
  return { channels, numsub, numpat }
}

export async function shardedChannels(redis: Redis) {
  const sub = redis.duplicate()
  const got = new Promise((resolve) => sub.on('smessage', (channel, message) => resolve([channel, message])))
  await sub.ssubscribe('shard')
  await redis.spublish('shard', 'm')
  const message = await got
  sub.disconnect()
  return message
}

export class EventBus {
  private readonly handlers = new Map<string, (payload: unknown) => void>()

  constructor(
    private readonly publisher: Redis,
    private readonly subscriber: Redis,
  ) {
    this.subscriber.on('message', this.dispatch.bind(this))
  }

  async on(channel: string, handler: (payload: unknown) => void): Promise<void> {
    this.handlers.set(channel, handler)
    await this.subscriber.subscribe(channel)
  }

  async emit(channel: string, payload: unknown): Promise<number> {
    return this.publisher.publish(channel, JSON.stringify(payload))
  }

  close(): void {
    this.subscriber.disconnect()
  }

  private dispatch(channel: string, message: string): void {
    this.handlers.get(channel)?.(JSON.parse(message))
  }
}

export async function runsAnEventBus(redis: Redis) {
  const bus = new EventBus(redis, redis.duplicate())
  const got = new Promise((resolve) => void bus.on('orders', resolve).then(() => bus.emit('orders', { id: 1 })))
  const payload = await got
  bus.close()
  return payload
}

export async function resubscribesAfterAReconnect(redis: Redis) {
  const sub = new Redis({ port, retryStrategy: () => 10 })
  sub.on('error', () => undefined)
  const id = await sub.client('ID')
  await sub.subscribe('kept')
  const back = new Promise((resolve) => sub.once('reconnecting', () => sub.once('ready', resolve)))
  await redis.client('KILL', 'ID', id)
  await back
  const got = new Promise((resolve) => sub.on('message', (_channel, message) => resolve(message)))
  while ((await redis.publish('kept', 'again')) === 0);
  const message = await got
  sub.disconnect()
  return message
}

export async function publishesFromASubscriber(redis: Redis) {
  const sub = redis.duplicate()
  await sub.subscribe('c')
  const outcome = await sub.publish('c', 'x').then(
    () => 'published',
    () => 'refused',
  )
  sub.disconnect()
  return typeof outcome
}
