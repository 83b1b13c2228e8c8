/** Code that asks what a client has, or borrows it as `this` or `super`: marked, because the names of node-redis differ. */
import { testMarks } from '../../../test/codemod/marked-projects.ts'

const CLIENT =
  "import type { Redis, Cluster } from './types.use'\n\ndeclare const redis: Redis\ndeclare const either: Redis | Cluster\n"
const TYPES = "export type { Redis, Cluster } from 'ioredis'\n"

testMarks([
  {
    title: 'marks tests of whether a client has a method',
    files: {
      'types.use.ts': TYPES,
      'a.ts': `${CLIENT}// mark method-test
export const one = () => typeof redis.hgetall !== 'function'
// mark method-test
export const two = () => 'hgetall' in redis
// mark method-test
export const three = (name: string) => name in redis
// mark method-test
export const four = () => 'nodes' in either
// mark method-test
export const five = () => (redis.unlink ? 1 : 2)
// mark method-test
export const six = () => !redis.unlink || !!key
// mark method-test
export const seven = () => redis['unlink'] === undefined
const key: string = ''
const answers: Record<string, number> = {}
export const eight = () => key in answers || typeof answers.get === 'function'
`,
    },
  },
  {
    title: 'marks a client that a function gets as this',
    files: {
      'types.use.ts': TYPES,
      'a.ts': `${CLIENT}function untyped(this: any, key: string) {
  return this.hgetall(key)
}
// mark client-as-any
untyped.call(redis, 'a')
// mark client-as-any
export const bound = untyped.bind(redis)
// mark client-as-any
export const own = Object.prototype.hasOwnProperty.call(redis, 'hgetall')
function typed(this: Redis) {
  return this
}
export const known = () => typed.call(redis)
`,
    },
  },
  {
    title: 'marks constructions whose options hold what createRedis refuses, by their type',
    files: {
      'config.use.ts':
        "export const config = { redis: { host: 'a', sentinels: [{ host: 'b', port: 1 }], name: 'main' }, plain: { host: 'a', db: 1 } }\n",
      'a.ts': `import Redis from 'ioredis'
import { config } from './config.use'

const base = { sentinels: [{ host: 'b', port: 1 }], name: 'main' }
// mark sentinels
export const one = new Redis({ ...base, db: 1 })
// mark sentinels
export const two = new Redis(config.redis)
const later: { host: string; reconnectOnError?: () => boolean } = { host: 'a' }
// mark reconnect-on-error
export const three = new Redis(later)
`,
    },
  },
  {
    title: 'marks calls of super: the class still extends that of ioredis',
    files: {
      'a.ts': `import Redis from 'ioredis'

// mark subclass
export class Store extends Redis {
  override async hgetall(key: string) {
    // mark subclass
    console.log(super.status)
    // mark subclass
    return super.hgetall(key)
  }
}
`,
    },
  },
])
