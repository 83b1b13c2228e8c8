import type { Redis } from 'ioredis'

type Entry = [id: string, fields: string[]]

/** Reads the events of the queue as a group, so that each event is handled once. */
export class EventWorker {
  constructor(
    private readonly redis: Redis,
    private readonly stream: string,
    private readonly group: string,
  ) {}

  async prepare(): Promise<void> {
    try {
      await this.redis.xgroup('CREATE', this.stream, this.group, '0', 'MKSTREAM')
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes('BUSYGROUP')) throw error
    }
  }

  async handle(consumer: string, count: number): Promise<Record<string, string>[]> {
    const replies = (await this.redis.xreadgroup('GROUP', this.group, consumer, 'COUNT', count, 'STREAMS', this.stream, '>')) as
      | [string, Entry[]][]
      | null
    const entries = replies?.[0]?.[1] ?? []
    if (entries.length > 0) await this.redis.xack(this.stream, this.group, ...entries.map(([id]) => id))
    return entries.map(([, fields]) => {
      const event: Record<string, string> = {}
      for (let at = 0; at < fields.length; at += 2) event[fields[at] ?? ''] = fields[at + 1] ?? ''
      return event
    })
  }
}

export class Lock {
  constructor(private readonly redis: Redis) {}

  async acquire(key: string, owner: string, ttlMs: number): Promise<boolean> {
    return (await this.redis.set(`lock:${key}`, owner, 'PX', ttlMs, 'NX')) === 'OK'
  }

  release(key: string, owner: string): Promise<number> {
    return this.redis.releaseLock(`lock:${key}`, owner)
  }
}

export async function allowed(redis: Redis, who: string, limit: number): Promise<{ allowed: boolean; left: number }> {
  const key = `limit:${who}`
  const replies = await redis.multi().incr(key).expire(key, 60, 'NX').ttl(key).exec()
  const [[, used] = [null, 0], , [, ttl] = [null, -1]] = replies ?? []
  return { allowed: (used as number) <= limit && (ttl as number) > 0, left: Math.max(0, limit - (used as number)) }
}

/** Waits for messages of other processes on a connection of its own. */
export async function collect(redis: Redis, channels: string[], count: number, publish: () => Promise<unknown>): Promise<string[]> {
  const subscriber = redis.duplicate()
  const seen: string[] = []
  const done = new Promise<void>((resolve) => {
    const hear = (channel: string, message: string) => {
      seen.push(`${channel} ${message}`)
      if (seen.length === count) resolve()
    }
    subscriber.on('message', hear)
    subscriber.on('pmessage', (_pattern: string, channel: string, message: string) => hear(channel, message))
  })
  await subscriber.subscribe(...channels)
  await subscriber.psubscribe('job:*')
  await publish()
  await done
  await subscriber.unsubscribe(...channels)
  await subscriber.punsubscribe('job:*')
  await subscriber.quit()
  return seen.sort()
}
