/** `coatcheck/redis`: the store on Redis. */
import '../core/node-version.ts'

export * from '../stores/redis/redis-store.ts'
