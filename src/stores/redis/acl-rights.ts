/**
 * The rights that the Redis user needs, as docs/redis-acl.md lists them (a test compares both). Each command has an example for `ACL
 * DRYRUN`, which also checks the number of arguments.
 */
import { type RedisKeys, redisKeys } from '../keys.ts'

/** Arguments after the command name and, if there is one, the key. */
const AFTER_THE_KEY = {
  get: [],
  mget: [],
  set: ['v'],
  del: [],
  unlink: [],
  exists: [],
  getrange: ['0', '1'],
  setrange: ['0', 'v'],
  pexpire: ['1'],
  pttl: [],
  hget: ['f'],
  hmget: ['f'],
  hgetall: [],
  hset: ['f', 'v'],
  hdel: ['f'],
  hlen: [],
  hincrby: ['f', '1'],
  zadd: ['1', 'm'],
  zcount: ['0', '1'],
  zrangebyscore: ['0', '1'],
  zrevrangebyscore: ['1', '0'],
  zrem: ['m'],
  zremrangebyscore: ['0', '1'],
  zscore: ['m'],
} as const
const WITHOUT_KEY = {
  publish: ['channel', 'm'],
  subscribe: ['channel'],
  unsubscribe: [],
  evalsha: ['0'.repeat(40), '0'],
  eval: ['return 1', '0'],
  time: [],
  ping: [],
} as const

/** Additional rights of each feature. */
const OF_FEATURES = {
  durability: [['wait', '1', '1']],
  nearCache: [['client|tracking', 'off']],
  cluster: [['cluster|slots'], ['asking']],
  sentinel: [['role']],
} as const

export type RedisFeature = keyof typeof OF_FEATURES

export interface NeededRight {
  /** As in an ACL rule: `get`, `client|tracking`. */
  readonly command: string
  /** Example arguments. */
  readonly args: readonly string[]
}

export function neededRights(keys: RedisKeys, features: readonly RedisFeature[]): readonly NeededRight[] {
  const key = keys.signIn('x')
  return [
    ...Object.entries(AFTER_THE_KEY).map(([command, rest]) => ({ command, args: [command, key, ...rest] })),
    ...Object.entries(WITHOUT_KEY).map(([command, rest]) => {
      const args = rest.map((text) => (text === 'channel' ? keys.tokens('x') : text))
      return { command, args: [command, ...args] }
    }),
    ...features.flatMap((feature) =>
      OF_FEATURES[feature].map(([command, ...rest]) => ({ command, args: [...command.split('|'), ...rest] })),
    ),
  ]
}

/** An example key of each key family, with the pattern that its ACL rule ends with. Documents of other libraries are optional. */
export function neededKeys(keys: RedisKeys): readonly (readonly [pattern: string, example: string])[] {
  const { session, generation, signIn, revocationIndex, appTokens } = redisKeys('')
  const examples = [
    [session('', ''), keys.session('x', 'y')],
    [generation(''), keys.generation('x')],
    [signIn(''), keys.signIn('x')],
    [revocationIndex(), keys.revocationIndex()],
  ] as const
  const named = examples.map(([name, example]) => [`${name.slice(0, name.indexOf(':'))}:*`, example] as const)
  return [...named, [`${appTokens('')}*`, keys.appTokens('x')]]
}
