import { RedisCacheLayer } from './cache-layer.js'

export type Flags = Record<string, { value: boolean | string | number }>

export class FlagsStorage {
  private readonly cache = new RedisCacheLayer({ prefix: 'flags:', persistent: true })

  async read(): Promise<Flags> {
    const keys = (await this.cache.keys('*')).sort()
    const entries = await Promise.all(keys.map(async (key) => [key, { value: await this.cache.get(key) }] as const))
    return Object.fromEntries(entries)
  }

  async write(key: string, value: boolean | string | number): Promise<void> {
    await this.cache.set(key, value)
  }
}
