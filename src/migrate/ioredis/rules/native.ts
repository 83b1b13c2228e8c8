/** Commands whose method in node-redis takes the same arguments and gives the same reply: only the name changes, and lists become arrays. */
import { ts } from 'ts-morph'
import type { Call } from '../call.ts'
import type { CallRule } from '../rule.ts'

/**
 * ioredis name → node-redis name and shape. Each letter of the shape stands for an argument: `t` a text, `n` a number, `v` a text or a number,
 * `*` any number of texts, as an array. With `!` at the end, the rule applies only if no code uses the reply, because its type differs.
 */
const NATIVE: Readonly<Record<string, readonly [native: string, shape: string]>> = {
  append: ['append', 'tt'],
  dbsize: ['dbSize', ''],
  decr: ['decr', 't'],
  decrby: ['decrBy', 'tn'],
  del: ['del', '*'],
  exists: ['exists', '*'],
  expire: ['expire', 'tn'],
  expireat: ['expireAt', 'tn'],
  flushall: ['flushAll', '!'],
  flushdb: ['flushDb', '!'],
  get: ['get', 't'],
  getdel: ['getDel', 't'],
  getrange: ['getRange', 'tnn'],
  getset: ['getSet', 'tt'],
  hdel: ['hDel', 't*'],
  hexists: ['hExists', 'tt'],
  hget: ['hGet', 'tt'],
  hincrby: ['hIncrBy', 'ttn'],
  hkeys: ['hKeys', 't'],
  hlen: ['hLen', 't'],
  hmget: ['hmGet', 't*'],
  hset: ['hSet', 'tvv'],
  hsetnx: ['hSetNX', 'ttt'],
  hstrlen: ['hStrLen', 'tt'],
  hvals: ['hVals', 't'],
  incr: ['incr', 't'],
  incrby: ['incrBy', 'tn'],
  keys: ['keys', 't'],
  lindex: ['lIndex', 'tn'],
  llen: ['lLen', 't'],
  lpop: ['lPop', 't'],
  lpush: ['lPush', 't*'],
  lpushx: ['lPushX', 't*'],
  lrange: ['lRange', 'tnn'],
  lrem: ['lRem', 'tnt'],
  lset: ['lSet', 'tnt!'],
  ltrim: ['lTrim', 'tnn!'],
  mget: ['mGet', '*'],
  persist: ['persist', 't'],
  pexpire: ['pExpire', 'tn'],
  pexpireat: ['pExpireAt', 'tn'],
  pfadd: ['pfAdd', 't*'],
  psetex: ['pSetEx', 'tnt!'],
  pttl: ['pTTL', 't'],
  publish: ['publish', 'tt'],
  rename: ['rename', 'tt!'],
  renamenx: ['renameNX', 'tt'],
  rpop: ['rPop', 't'],
  rpush: ['rPush', 't*'],
  rpushx: ['rPushX', 't*'],
  sadd: ['sAdd', 't*'],
  scard: ['sCard', 't'],
  select: ['select', 'n!'],
  setex: ['setEx', 'tnt!'],
  setnx: ['setNX', 'tt'],
  setrange: ['setRange', 'tnt'],
  sismember: ['sIsMember', 'tt'],
  smembers: ['sMembers', 't'],
  smove: ['sMove', 'ttt'],
  spop: ['sPop', 't'],
  srandmember: ['sRandMember', 't'],
  srem: ['sRem', 't*'],
  strlen: ['strLen', 't'],
  ttl: ['ttl', 't'],
  type: ['type', 't'],
  unlink: ['unlink', '*'],
  zcard: ['zCard', 't'],
  zrange: ['zRange', 'tnn'],
  zrank: ['zRank', 'tt'],
  zrem: ['zRem', 't*'],
  zremrangebyrank: ['zRemRangeByRank', 'tnn'],
  zrevrank: ['zRevRank', 'tt'],
}

const NATIVE_NAMES = new Set(Object.values(NATIVE).map(([native]) => native))

/**
 * True for a method that an earlier run has renamed. Such a call is met again if the construction of its client was only marked: the client
 * then still has the type of ioredis.
 */
export function isNativeName(name: string): boolean {
  return NATIVE_NAMES.has(name)
}

export const nativeRule: CallRule = {
  name: 'native',
  title: 'Commands with the same meaning',
  why: 'node-redis writes command names in camel case and takes lists as arrays. In JavaScript, node-redis uses only the first argument of a list that is no array, without an error.',
  members: Object.keys(NATIVE),
  examples: [
    { before: "const name = await redis.hget(key, 'name')", after: "const name = await redis.hGet(key, 'name')" },
    { before: "await redis.del('a', 'b')", after: "await redis.del(['a', 'b'])" },
    { before: 'await redis.sadd(key, 1, 2)', after: "await redis.sAdd(key, ['1', '2'])" },
    { before: 'await redis.expire(key, 60)', after: 'await redis.expire(key, 60)' },
    { before: 'const last = await redis.getdel?.(key)', after: 'const last = await redis.getDel?.(key)' },
    {
      before: "export const nameOf = (client?: Redis) => client?.hget(key, 'name')",
      after: "export const nameOf = (client?: Redis) => client?.hGet(key, 'name')",
    },
    {
      before: 'export const read = (id?: string) => redis.get(id!)',
      after: 'export const read = (id?: string) => redis.get(toText(id!))',
    },
  ],
  apply: (call) => {
    const [native, shape] = NATIVE[call.name] ?? []
    if (native === undefined || shape === undefined || call.kind !== 'client' || call.hasCallback) return false
    if (shape.endsWith('!') && !call.isUnused) return false
    const letters = shape.replace('!', '')
    const plan = planOf(call, letters)
    if (!plan) return false
    call.rename(native)
    const before = call.file.helpers.size
    plan()
    const usesHelper = call.file.helpers.size > before || call.args.some((_arg, at) => call.proof(at) === 'scalar')
    call.file.record(call.node, 'native', usesHelper ? 'helper' : 'rewritten')
    return true
  },
}

/** The edits of the arguments; null if they do not have the shape for certain. */
function planOf(call: Call, letters: string): (() => void) | null {
  const isVariadic = letters.endsWith('*')
  const fixed = isVariadic ? letters.slice(0, -1) : letters
  if (call.args.slice(0, fixed.length).some(ts.isSpreadElement)) return null
  if (isVariadic ? call.args.length <= fixed.length : call.args.length !== fixed.length) return null
  const steps: (() => void)[] = []
  for (const [at, letter] of Array.from(fixed).entries()) {
    const proof = call.proof(at)
    if (letter === 'n') {
      if (proof !== 'number') return null
    } else if (letter === 'v' && proof === 'number') continue
    else if (proof === 'text' || proof === 'number' || proof === 'scalar') steps.push(() => call.convertToText(at))
    else return null
  }
  if (isVariadic) {
    const rest = planRest(call, fixed.length)
    if (!rest) return null
    steps.push(rest)
  }
  return () => {
    for (const step of steps) step()
  }
}

/** A list: one array of texts stays, one text stays, several become an array. */
function planRest(call: Call, from: number): (() => void) | null {
  const rest = call.args.slice(from)
  const [first] = rest
  const last = rest.at(-1)
  if (!first || !last) return null
  const { edits } = call.file
  if (rest.length === 1) {
    if (ts.isSpreadElement(first)) {
      if (call.analysis.proofs.of(first.expression) !== 'texts') return null
      return () => edits.replace(first.getStart(), first.expression.getStart(), '')
    }
    if (call.proof(from) === 'texts') return () => undefined
    if (call.proof(from) === 'unknown') return null
    if (call.name === 'mget' || call.name === 'hmget') return bracket(call, from, first, last)
    return () => call.convertToText(from)
  }
  const isCertain = rest.every((arg, at) =>
    ts.isSpreadElement(arg)
      ? call.analysis.proofs.of(arg.expression) === 'texts'
      : ['text', 'number', 'scalar'].includes(call.proof(from + at)),
  )
  return isCertain ? bracket(call, from, first, last) : null
}

function bracket(call: Call, from: number, first: ts.Expression, last: ts.Expression): () => void {
  return () => {
    const { edits } = call.file
    const span = last.getEnd() - first.getStart()
    edits.open(first.getStart(), '[', span + 1)
    edits.close(last.getEnd(), ']', span + 1)
    for (const [at, arg] of call.args.entries()) if (at >= from && !ts.isSpreadElement(arg)) call.convertToText(at)
  }
}
