import { Redis, Cluster, type RedisKey } from 'ioredis'

export interface Store {
  load(id: string): Promise<string | null>
}

export class SessionStore implements Store {
  constructor(
    private readonly redis: Redis,
    private readonly ttl = 600,
  ) {}

  async load(id: string): Promise<string | null> {
    return this.redis.get(this.key(id))
  }

  async save(id: string, value: object): Promise<void> {
    await this.redis.set(this.key(id), JSON.stringify(value), 'EX', this.ttl)
  }

  async destroy(...ids: string[]): Promise<number> {
    return this.redis.del(...ids.map((id) => this.key(id)))
  }

  private key(id: string): string {
    return `sess:${id}`
  }
}

export async function usesAConstructorParameter(redis: Redis) {
  const store = new SessionStore(redis)
  await store.save('a', { user: 1 })
  const loaded = await store.load('a')
  return { loaded, destroyed: await store.destroy('a', 'b') }
}

export class Counter {
  #redis: Redis
  protected prefix = 'count:'

  constructor(redis: Redis) {
    this.#redis = redis
  }

  up = async (name: string, by = 1): Promise<number> => this.#redis.incrby(this.prefix + name, by)

  get client(): Redis {
    return this.#redis
  }
}

export async function usesAPrivateField(redis: Redis) {
  const counter = new Counter(redis)
  await counter.up('a')
  return [await counter.up('a', 4), await counter.client.get('count:a')]
}

export class LazyCache {
  private client?: Redis
  static instance: LazyCache | null = null

  private connection(): Redis {
    this.client ??= new Redis(Number(process.env.REDIS_PORT))
    return this.client
  }

  async remember<T>(key: RedisKey, load: () => Promise<T>): Promise<T> {
    const found = await this.connection().get(key)
    if (found !== null) return JSON.parse(found) as T
    const value = await load()
    await this.connection().setex(key, 120, JSON.stringify(value))
    return value
  }

  async close(): Promise<void> {
    await this.client?.quit()
    this.client = undefined
  }

  async peek(key: string): Promise<string | null | undefined> {
    return this.client?.get(key)
  }
}

export async function connectsLazily() {
  const cache = new LazyCache()
  const before = await cache.peek('k')
  const first = await cache.remember('k', async () => ({ n: 1 }))
  const second = await cache.remember('k', async () => ({ n: 2 }))
  const after = await cache.peek('k')
  await cache.close()
  return { before, first, second, after }
}

export async function usesOptionalChaining(redis: Redis) {
  const context: { redis?: Redis; none?: Redis } = { redis }
  await context.redis?.set('k', 'v', 'EX', 30)
  return [await context.redis?.get('k'), await context.none?.get('k'), await context?.redis?.ttl('k')]
}

export async function acceptsClusterOrRedis(redis: Redis) {
  async function remember(client: Redis | Cluster, key: string, value: string): Promise<string | null> {
    await client.set(key, value, 'EX', 60)
    if (client instanceof Cluster) return 'cluster'
    return client.get(key)
  }
  return remember(redis, 'k', 'v')
}

async function withLock<C extends Redis, T>(client: C, name: string, run: (client: C) => Promise<T>): Promise<T | null> {
  const token = 'token'
  if ((await client.set(`lock:${name}`, token, 'PX', 5000, 'NX')) !== 'OK') return null
  try {
    return await run(client)
  } finally {
    if ((await client.get(`lock:${name}`)) === token) await client.del(`lock:${name}`)
  }
}

export async function usesGenerics(redis: Redis) {
  return withLock(redis, 'job', async (client) => {
    await client.sadd('done', 'job', 'other')
    return client.scard('done')
  })
}

export function createServices(deps: { redis: Redis; now?: () => number }) {
  const { redis } = deps
  return {
    touch: (id: string) => redis.zadd('seen', deps.now?.() ?? 0, id),
    seen: () => redis.zrange('seen', 0, -1, 'WITHSCORES'),
  }
}

export async function usesAFactory(redis: Redis) {
  const services = createServices({ redis, now: () => 5 })
  await services.touch('a')
  return services.seen()
}

const registry: Record<string, Redis> = {}

export async function usesARegistry(redis: Redis) {
  registry['main'] = redis
  await registry['main'].set('k', 1)
  return registry.main!.get('k')
}

export async function usesAnArrayOfClients(redis: Redis) {
  const clients = [redis, redis.duplicate()]
  const sizes = await Promise.all(clients.map((client, index) => client.rpush('l', index, 'x')))
  clients[1]!.disconnect()
  return sizes.sort()
}

type Commands = Pick<Redis, 'get' | 'set' | 'del'>

export async function usesAPick(redis: Redis) {
  async function work(commands: Commands): Promise<unknown> {
    await commands.set('a', 1, 'EX', 60)
    return [await commands.get('a'), await commands.del('a', 'b')]
  }
  return work(redis)
}

export class TracingRedis extends Redis {
  async getJson<T>(key: string): Promise<T | null> {
    const text = await this.get(key)
    return text === null ? null : (JSON.parse(text) as T)
  }
}

export async function usesASubclass() {
  const client = new TracingRedis(Number(process.env.REDIS_PORT))
  await client.set('json', '{"a":1}')
  const value = await client.getJson('json')
  await client.quit()
  return value
}
