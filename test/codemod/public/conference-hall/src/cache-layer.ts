import type { Redis } from 'ioredis'
import { getRedisClient } from './redis.server.js'

const WEEK_IN_SECONDS = 7 * 24 * 60 * 60

interface CacheOptions {
  prefix?: string
  ttl?: number
  persistent?: boolean
  client?: Redis
}

export class RedisCacheLayer {
  private client: Redis
  private prefix: string
  private ttl: number
  private persistent: boolean

  constructor(options: CacheOptions = {}) {
    this.client = options.client || getRedisClient()
    this.prefix = options.prefix || ''
    this.ttl = options.ttl || WEEK_IN_SECONDS
    this.persistent = options.persistent || false
  }

  async get(key: string, load?: () => Promise<any>): Promise<any> {
    const prefixed = this.prefixed(key)
    try {
      let value = await this.client.get(prefixed)
      if (value) return JSON.parse(value)
      if (!load) return null
      value = await load()
      if (value !== null && value !== undefined) await this.set(key, value)
      return value
    } catch (error) {
      console.error(`Cannot read ${prefixed}:`, error)
      return null
    }
  }

  async set(key: string, value: any) {
    const prefixed = this.prefixed(key)
    if (this.persistent) await this.client.set(prefixed, JSON.stringify(value))
    else await this.client.set(prefixed, JSON.stringify(value), 'EX', this.ttl)
  }

  async del(key: string) {
    await this.client.del(this.prefixed(key))
  }

  async keys(pattern: string): Promise<string[]> {
    const keys = await this.client.keys(this.prefixed(pattern))
    return keys.map((key) => key.replace(this.prefix, ''))
  }

  async clear(): Promise<void> {
    const keys = await this.keys('*')
    if (keys.length > 0) await this.client.del(...keys.map((key) => this.prefixed(key)))
  }

  private prefixed(key: string): string {
    return `${this.prefix}${key}`
  }
}
