/** The part of the generated file that keeps the option `keyPrefix`: which arguments of a command are keys, as ioredis sees it. */
import type { Part } from './part.ts'

export const keyPrefixParts: readonly Part[] = [
  {
    name: 'key-prefix',
    exports: ['keyPrefix'],
    needs: ['client-types'],
    source: `
const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\\s+/));

/** Commands whose first argument is a key. */
const KEY_FIRST = words(\`
  append arcount ardel ardelrange arget argetrange argrep arinfo arinsert arlastitems arlen armget armset arnext arop
  arring arscan arseek arset bitcount bitfield bitfield_ro bitpos decr decrby dump expire expireat expiretime geoadd
  geodist geohash geopos georadius_ro georadiusbymember_ro geosearch get getbit getdel getex getrange getset hdel
  hexists hexpire hexpireat hexpiretime hget hgetall hgetdel hgetex hincrby hincrbyfloat hkeys hlen hmget hmset
  hpersist hpexpire hpexpireat hpexpiretime hpttl hrandfield hscan hset hsetex hsetnx hstrlen httl hvals incr incrby
  incrbyfloat increx lindex linsert llen lpop lpos lpush lpushx lrange lrem lset ltrim move persist pexpire pexpireat
  pexpiretime pfadd psetex pttl restore restore-asking rpop rpush rpushx sadd scard set setbit setex setnx setrange
  sismember smembers smismember spop spublish srandmember srem sscan strlen substr ttl type vadd vcard vdim vemb
  vgetattr vinfo vismember vlinks vrandmember vrange vrem vsetattr vsim xack xadd xautoclaim xclaim xdel xdelex xlen
  xnack xpending xrange xrevrange xsetid xtrim zadd zcard zcount zincrby zlexcount zmscore zpopmax zpopmin
  zrandmember zrange zrangebylex zrangebyscore zrank zrem zremrangebylex zremrangebyrank zremrangebyscore zrevrange
  zrevrangebylex zrevrangebyscore zrevrank zscan zscore
\`);

/** Commands whose first two arguments are keys. */
const KEYS_FIRST_TWO = words('blmove brpoplpush copy geosearchstore lcs lmove rename renamenx rpoplpush smove zrangestore');

/** Commands that have nothing but keys. */
const KEYS_ONLY = words(
  'del exists mget pfcount pfmerge sdiff sdiffstore sinter sinterstore ssubscribe sunion sunionstore sunsubscribe touch unlink watch',
);

/** Commands with the number of keys in front of them: at which argument the number stands. */
const COUNTED_KEYS: Readonly<Record<string, number>> = {
  zunionstore: 1, zinterstore: 1, zdiffstore: 1, eval: 1, evalsha: 1, eval_ro: 1, evalsha_ro: 1, fcall: 1, fcall_ro: 1, blmpop: 1, bzmpop: 1,
  sintercard: 0, lmpop: 0, zunion: 0, zinter: 0, zmpop: 0, zintercard: 0, zdiff: 0,
};

const range = (from: number, to: number, step = 1): number[] =>
  Array.from({ length: Math.max(0, Math.ceil((to - from) / step)) }, (_none, at) => from + at * step);

/** The arguments of a command that are keys. \`args\` are without the name. */
function keyPositions(name: string, args: readonly (string | Buffer)[]): number[] {
  const wordAt = (at: number): string => String(args[at]).toUpperCase();
  const counted = COUNTED_KEYS[name];
  if (counted !== undefined) {
    const keys = range(counted + 1, counted + 1 + Number(args[counted]));
    return name.endsWith('store') ? [0, ...keys] : keys;
  }
  switch (name) {
    case 'bitop':
      return range(1, args.length);
    case 'pfdebug':
      return [1];
    case 'blpop':
    case 'brpop':
    case 'bzpopmin':
    case 'bzpopmax':
      return range(0, args.length - 1);
    case 'mset':
    case 'msetnx':
      return range(0, args.length, 2);
    case 'msetex':
      return range(1, 1 + 2 * Number(args[0]), 2);
    case 'migrate': {
      if (String(args[2]) !== '') return [2];
      const keysAt = range(5, args.length - 1).find((at) => wordAt(at) === 'KEYS');
      return keysAt === undefined ? [] : range(keysAt + 1, args.length);
    }
    case 'xread':
    case 'xreadgroup': {
      const streamsAt = range(name === 'xread' ? 0 : 3, args.length - 1).find((at) => wordAt(at) === 'STREAMS');
      return streamsAt === undefined ? [] : range(streamsAt + 1, streamsAt + 1 + Math.floor((args.length - 1 - streamsAt) / 2));
    }
    case 'georadius':
    case 'georadiusbymember':
      return [0, ...range(name === 'georadius' ? 5 : 4, args.length - 1).filter((at) => /^STORE(?:DIST)?$/.test(wordAt(at))).map((at) => at + 1)];
    case 'sort':
    case 'sort_ro':
      return [0, ...range(1, args.length - 1).filter((at) => /^(?:GET|BY|STORE)$/.test(wordAt(at)) && wordAt(at + 1) !== '#').map((at) => at + 1)];
    default:
      if (KEY_FIRST.has(name)) return [0];
      if (KEYS_FIRST_TWO.has(name)) return [0, 1];
      return KEYS_ONLY.has(name) ? range(0, args.length) : [];
  }
}

/** The command with the prefix in front of each key. */
function withKeyPrefix([name, ...args]: readonly (string | Buffer)[], prefix: string): (string | Buffer)[] {
  const keys = new Set(keyPositions(String(name).toLowerCase(), args));
  const prefixed = args.map((arg, at) => {
    if (!keys.has(at)) return arg;
    return Buffer.isBuffer(arg) ? Buffer.concat([Buffer.from(prefix), arg]) : prefix + arg;
  });
  return [name ?? '', ...prefixed];
}
`,
  },
]
