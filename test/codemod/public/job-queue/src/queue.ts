import type { ChainableCommander, Redis } from 'ioredis'

export interface Job {
  readonly id: string
  readonly type: string
  readonly payload: unknown
  readonly attempts: number
}

interface Keys {
  readonly waiting: string
  readonly active: string
  readonly delayed: string
  readonly jobs: string
  readonly events: string
}

export class JobQueue {
  readonly #redis: Redis
  readonly keys: Keys

  constructor(redis: Redis, name = 'mail') {
    this.#redis = redis
    const key = (part: string) => `queue:${name}:${part}`
    this.keys = { waiting: key('waiting'), active: key('active'), delayed: key('delayed'), jobs: key('jobs'), events: key('events') }
  }

  async add(id: string, type: string, payload: unknown, runAtMs?: number): Promise<boolean> {
    const job: Job = { id, type, payload, attempts: 0 }
    const isNew = await this.#redis.hsetnx(this.keys.jobs, id, JSON.stringify(job))
    if (!isNew) return false
    const pipeline = this.#redis.pipeline()
    if (runAtMs === undefined) pipeline.lpush(this.keys.waiting, id)
    else pipeline.zadd(this.keys.delayed, runAtMs, id)
    this.#log(pipeline, 'added', id)
    const results = await pipeline.exec()
    for (const [error] of results ?? []) if (error) throw error
    return true
  }

  async take(): Promise<Job | null> {
    const id = await this.#redis.rpoplpush(this.keys.waiting, this.keys.active)
    if (id === null) return null
    const text = await this.#redis.hget(this.keys.jobs, id)
    return text === null ? null : (JSON.parse(text) as Job)
  }

  async complete(job: Job, result: Buffer | string): Promise<number> {
    const [removed, , , length] = (await this.#redis
      .multi()
      .lrem(this.keys.active, 1, job.id)
      .hdel(this.keys.jobs, job.id)
      .set(`result:${job.id}`, result, 'EX', 3600, 'NX')
      .llen(this.keys.active)
      .exec()) ?? []
    if (removed?.[0]) throw removed[0]
    return length?.[1] as number
  }

  async fail(job: Job, nowMs: number): Promise<string> {
    const next = { ...job, attempts: job.attempts + 1 }
    const isLast = next.attempts >= 3
    const chain = this.#redis.multi().lrem(this.keys.active, 0, job.id).hset(this.keys.jobs, { [job.id]: JSON.stringify(next) })
    if (isLast) chain.sadd('queue:dead', job.id)
    else chain.zadd(this.keys.delayed, 'NX', nowMs + 2 ** next.attempts * 1000, job.id)
    this.#log(chain, isLast ? 'dead' : 'retry', job.id)
    const replies = await chain.exec()
    return replies?.map(([error, value]) => (error ? error.message : String(value))).join(' ') ?? 'conflict'
  }

  /** Takes a job out, unless another process changes the list at the same time. */
  async cancel(id: string, meanwhile?: () => Promise<unknown>): Promise<boolean> {
    await this.#redis.watch(this.keys.waiting)
    const position = await this.#redis.lpos(this.keys.waiting, id)
    if (position === null) {
      await this.#redis.unwatch()
      return false
    }
    await meanwhile?.()
    const replies = await this.#redis.multi([['lrem', this.keys.waiting, '1', id], ['hdel', this.keys.jobs, id]]).exec()
    return replies !== null
  }

  async upcoming(untilMs: number | '+inf', limit: number): Promise<{ id: string; atMs: number }[]> {
    const flat = await this.#redis.zrangebyscore(this.keys.delayed, '-inf', untilMs, 'WITHSCORES', 'LIMIT', 0, limit)
    const found: { id: string; atMs: number }[] = []
    for (let at = 0; at < flat.length; at += 2) found.push({ id: flat[at] ?? '', atMs: Number(flat[at + 1]) })
    return found
  }

  async purge(pattern: string): Promise<number> {
    let count = 0
    const stream = this.#redis.scanStream({ match: pattern, count: 100 })
    for await (const keys of stream as AsyncIterable<string[]>) {
      if (keys.length === 0) continue
      const pipeline = this.#redis.pipeline()
      keys.forEach((key) => pipeline.unlink(key))
      count += ((await pipeline.exec()) ?? []).reduce((sum, [, removed]) => sum + Number(removed), 0)
    }
    return count
  }

  #log(chain: ChainableCommander, event: string, id: string): void {
    chain.xadd(this.keys.events, 'MAXLEN', '~', 1000, '*', 'event', event, 'id', id)
  }
}
