/** `coatcheck/redis`: the store on Redis. */
export * from '../stores/redis/redis-store.ts'
