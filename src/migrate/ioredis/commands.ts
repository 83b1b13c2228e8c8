/**
 * The commands of ioredis 5 and 6 and the TypeScript type of their replies. The table is the source of the declaration that the type checker
 * reads, and of the type arguments that the codemod writes. A reply that depends on the arguments stands in `BY_ARGUMENTS`.
 */

/** Reply type → commands, separated by spaces. */
const REPLIES: Readonly<Record<string, string>> = {
  number: `
    append arcount ardel ardelrange arinsert arlen armset arring arseek arset bitcount bitop bitpos copy dbsize decr decrby del
    exists expire expireat expiretime geoadd geosearchstore getbit hdel hexists hincrby hlen hset hsetex hsetnx hstrlen incr incrby
    lastsave linsert llen lpush lpushx lrem move msetex msetnx persist pexpire pexpireat pexpiretime pfadd pfcount pttl publish
    renamenx rpush rpushx sadd scard sdiffcard sdiffstore setbit setnx setrange sintercard sinterstore sismember smove spublish srem
    strlen sunioncard sunionstore touch ttl unlink vadd vcard vdim vismember vrem vsetattr wait xack xdel xlen xnack xtrim zcard
    zcount zdiffstore zintercard zinterstore zlexcount zrangestore zrem zremrangebylex zremrangebyrank zremrangebyscore zunionstore`,
  "'OK'": `
    asking auth bgsave discard failover flushall flushdb hmset lset ltrim migrate mset pfmerge psetex readonly readwrite rename
    replicaof reset restore select setex shutdown slaveof swapdb unwatch watch`,
  string: `
    bgrewriteaof dump echo getrange hincrbyfloat incrbyfloat info lolwut type zincrby`,
  'string | null': `
    arget blmove brpoplpush geodist get getdel getex getset hget lindex lmove randomkey rpoplpush vgetattr xadd zscore`,
  'number | null': 'arnext',
  'string[]': `
    geohash hkeys hvals keys lrange sdiff sinter smembers sunion vrange zdiff zinter zpopmax zpopmin zrange zrangebylex
    zrangebyscore zrevrange zrevrangebylex zrevrangebyscore zunion`,
  'string[] | null': 'blmovem lmovem vemb',
  '(string | null)[]': 'argetrange arlastitems armget hgetdel hgetex hmget mget zmscore vsim',
  'number[]': `
    hexpire hexpireat hexpiretime hpersist hpexpire hpexpireat hpexpiretime hpttl httl smismember time`,
  'Record<string, string>': 'hgetall',
  '[key: string, element: string] | null': 'blpop brpop',
  '[key: string, elements: string[]] | null': 'blmpop lmpop',
  '[key: string, member: string, score: string] | null': 'bzpopmax bzpopmin',
  '[cursor: string, elements: string[]]': 'hscan scan sscan zscan',
  '[id: string, fields: string[]][]': 'xrange xrevrange',
  '[key: string, items: [id: string, fields: string[]][]][] | null': 'xread',
  'unknown[]': `
    bitfield_ro command geosearch georadius geopos hello pubsub role xautoclaim xclaim xpending xreadgroup`,
  unknown: `
    acl argrep arinfo arop arscan bitfield bzmpop call client cluster config debug eval eval_ro evalsha evalsha_ro fcall fcall_ro
    function georadius_ro georadiusbymember georadiusbymember_ro himport hrandfield increx latency lcs memory module monitor object
    pfdebug pfselftest psubscribe psync punsubscribe replconf restore-asking save script slowlog sort sort_ro ssubscribe subscribe
    substr sunsubscribe sync unsubscribe vinfo vlinks xdelex xgroup xinfo xsetid zmpop`,
}

/** Overloads, the most special first: what the arguments must look like, and the reply. */
const BY_ARGUMENTS: Readonly<Record<string, readonly (readonly [parameters: string, reply: string])[]>> = {
  set: [
    ['key: any, value: any', "'OK'"],
    ["key: any, value: any, token: 'EX' | 'PX' | 'EXAT' | 'PXAT', time: any", "'OK'"],
    ["key: any, value: any, token: 'KEEPTTL'", "'OK'"],
    ["key: any, value: any, token: 'NX' | 'XX'", "'OK' | null"],
    ["key: any, value: any, token: 'EX' | 'PX' | 'EXAT' | 'PXAT', time: any, condition: 'NX' | 'XX'", "'OK' | null"],
    ['...args: any[]', 'string | null'],
  ],
  lpop: [
    ['key: any', 'string | null'],
    ['...args: any[]', 'string[] | null'],
  ],
  rpop: [
    ['key: any', 'string | null'],
    ['...args: any[]', 'string[] | null'],
  ],
  spop: [
    ['key: any', 'string | null'],
    ['...args: any[]', 'string[]'],
  ],
  srandmember: [
    ['key: any', 'string | null'],
    ['...args: any[]', 'string[]'],
  ],
  zrandmember: [
    ['key: any', 'string | null'],
    ['...args: any[]', 'string[]'],
  ],
  vrandmember: [
    ['key: any', 'string | null'],
    ['...args: any[]', 'string[]'],
  ],
  lpos: [
    ['key: any, element: any', 'number | null'],
    ['...args: any[]', 'number | null | number[]'],
  ],
  zadd: [
    ['key: any, score: any, member: any', 'number'],
    ['...args: any[]', 'number | string | null'],
  ],
  zrank: [
    ['key: any, member: any', 'number | null'],
    ['...args: any[]', '[rank: number, score: string] | null'],
  ],
  zrevrank: [
    ['key: any, member: any', 'number | null'],
    ['...args: any[]', '[rank: number, score: string] | null'],
  ],
  ping: [
    ['', "'PONG'"],
    ['...args: any[]', 'string'],
  ],
}

/** Command → its reply; the last and most general overload for one of `BY_ARGUMENTS`. */
const byName = new Map<string, string>([
  ...Object.entries(REPLIES).flatMap(([reply, names]) =>
    names
      .trim()
      .split(/\s+/)
      .map((name): [string, string] => [name, reply]),
  ),
  ...Object.entries(BY_ARGUMENTS).map(([name, overloads]): [string, string] => [
    name,
    overloads.at(-1)?.[1] ?? 'unknown',
  ]),
])

export const commandNames: readonly string[] = [...byName.keys()]

/** True for a command of ioredis, without `Buffer` at its end. */
export function isCommand(name: string): boolean {
  return byName.has(name)
}

/** True for a command whose name ends with `Buffer` and that replies with Buffers. */
export function isBufferCommand(name: string): boolean {
  return name.endsWith('Buffer') && byName.has(name.slice(0, -'Buffer'.length))
}

/** The methods of a command in the declaration: overloads with and without a callback. */
export function declarationsOf(name: string): string[] {
  const overloads = BY_ARGUMENTS[name] ?? [['...args: any[]', byName.get(name) ?? 'unknown']]
  const property = JSON.stringify(name)
  const buffered = JSON.stringify(`${name}Buffer`)
  const general = byName.get(name) ?? 'unknown'
  return [
    `${property}(...args: [...args: any[], callback: Callback<${general}>]): Result<${general}, Context>;`,
    ...overloads.map(([parameters, reply]) => `${property}(${parameters}): Result<${reply}, Context>;`),
    `${buffered}(...args: [...args: any[], callback: Callback<${withBuffers(general)}>]): Result<${withBuffers(general)}, Context>;`,
    ...overloads.map(([parameters, reply]) => `${buffered}(${parameters}): Result<${withBuffers(reply)}, Context>;`),
  ]
}

/** The reply type of the `Buffer` form. */
function withBuffers(reply: string): string {
  return reply.replace(/'[A-Z]+'|\bstring\b(?!,)/g, 'Buffer')
}
