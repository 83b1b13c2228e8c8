import Redis, { type Result, type Callback } from 'ioredis'

const COMPARE_AND_DELETE = `
if redis.call("get", KEYS[1]) == ARGV[1] then
  return redis.call("del", KEYS[1])
end
return 0
`

declare module 'ioredis' {
  interface RedisCommander<Context> {
    takeTokens(key: string, capacity: number, count: string, callback?: Callback<number>): Result<number, Context>
    echoAll(count: number, ...args: string[]): Result<string[], Context>
  }
}

export async function releasesALock(redis: Redis) {
  await redis.set('lock', 'mine', 'PX', 30_000)
  const wrong = await redis.eval(COMPARE_AND_DELETE, 1, 'lock', 'yours')
  const right = await redis.eval(COMPARE_AND_DELETE, 1, 'lock', 'mine')
  return { wrong, right }
}

export async function evaluatesWithoutKeys(redis: Redis) {
  return [await redis.eval('return 1', 0), await redis.eval('return {1, "two", false, {3}}', 0)]
}

export async function passesNumbers(redis: Redis) {
  return redis.eval('return {KEYS[1], ARGV[1], ARGV[2], type(ARGV[1])}', 1, 'k', 5, 1.5)
}

export async function passesAnArrayOfArguments(redis: Redis) {
  const keys = ['k1', 'k2']
  const args = ['a', 'b']
  return redis.eval('return {KEYS[1], KEYS[2], ARGV[1], ARGV[2]}', keys.length, ...keys, ...args)
}

export async function passesTheKeyCountAsText(redis: Redis) {
  return redis.eval('return KEYS[1]', '1', 'k')
}

export async function loadsAndRuns(redis: Redis) {
  const sha = (await redis.script('LOAD', 'return ARGV[1]')) as string
  const exists = await redis.script('EXISTS', sha, '0'.repeat(40))
  return { exists, result: await redis.evalsha(sha, 0, 'hello') }
}

export async function fallsBackWithoutTheScript(redis: Redis) {
  const source = 'return redis.call("set", KEYS[1], ARGV[1])'
  await redis.script('FLUSH')
  try {
    return await redis.evalsha('f'.repeat(40), 1, 'k', 'v')
  } catch (error) {
    if (!(error as Error).message.startsWith('NOSCRIPT')) throw error
    return redis.eval(source, 1, 'k', 'v')
  }
}

export async function readsOnly(redis: Redis) {
  await redis.set('k', 'v')
  return redis.eval_ro('return redis.call("get", KEYS[1])', 1, 'k')
}

export async function definesACommand(redis: Redis) {
  redis.defineCommand('takeTokens', {
    numberOfKeys: 1,
    lua: `
      local left = tonumber(redis.call("get", KEYS[1]) or ARGV[1]) - tonumber(ARGV[2])
      if left < 0 then return -1 end
      redis.call("set", KEYS[1], left, "EX", 100)
      return left
    `,
  })
  return [await redis.takeTokens('bucket', 3, '2'), await redis.takeTokens('bucket', 3, '2')]
}

export async function definesACommandWithAVariableNumberOfKeys(redis: Redis) {
  redis.defineCommand('echoAll', { lua: 'return {KEYS[1], KEYS[2], ARGV[1]}' })
  return redis.echoAll(2, 'k1', 'k2', 'a1')
}

export async function definesScriptsInTheOptions() {
  const client = new Redis(Number(process.env.REDIS_PORT), {
    scripts: { addTwo: { numberOfKeys: 1, lua: 'return redis.call("incrby", KEYS[1], 2)' } },
  })
  const value = await (client as unknown as { addTwo(key: string): Promise<number> }).addTwo('sum')
  await client.quit()
  return value
}

export async function returnsScriptErrors(redis: Redis) {
  try {
    return await redis.eval('return redis.error_reply("LIMIT reached")', 0)
  } catch (error) {
    return (error as Error).message
  }
}

export async function usesFunctions(redis: Redis) {
  const library = '#!lua name=fixture\nredis.register_function("hello", function(keys, args) return "hi " .. args[1] end)'
  await redis.function('LOAD', 'REPLACE', library)
  const hello = await redis.fcall('hello', 0, 'Ada')
  await redis.function('DELETE', 'fixture')
  return hello
}
