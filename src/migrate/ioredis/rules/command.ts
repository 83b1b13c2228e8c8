/** Every command without a method of the same meaning: sent as ioredis sends it, with the reply that ioredis gives. */
import { isBufferCommand, isCommand } from '../commands.ts'
import type { Call } from '../call.ts'
import type { CallRule } from '../rule.ts'

export const commandRule: CallRule = {
  name: 'command',
  title: 'Other commands',
  why: 'Arguments or replies differ in node-redis: scores are numbers, pairs are objects, null and undefined are errors. The helper sends the arguments as ioredis does, and returns the reply of ioredis.',
  members: [],
  examples: [
    {
      before: "const score: string | null = await redis.zscore(key, 'ada')",
      after: "const score: string | null = await command<string | null>(redis, 'zscore', key, 'ada')",
    },
    {
      before: "await redis.hset(key, { name: 'Ada', age: undefined })",
      after: "await command(redis, 'hset', key, { name: 'Ada', age: undefined })",
    },
    {
      before: 'const picture = await redis.getBuffer(key)',
      after: "const picture = await commandBuffer<Buffer | null>(redis, 'get', key)",
    },
    {
      before: 'redis.get(key, (error, text) => console.log(error, text))',
      after: "command<string | null>(redis, 'get', key, (error, text) => console.log(error, text))",
    },
    {
      before: 'export const count = (client?: Redis) => client?.zcount(key, 0, 9)',
      after:
        "export const count = (client?: Redis) => (client == null ? undefined : command<number>(client, 'zcount', key, 0, 9))",
    },
    {
      before: 'const count = await redis.zcount?.(key, 0, 9)',
      after:
        '// coatcheck-codemod-error optional-chain: Take the optional chain apart, then call command(…) of redis-from-ioredis.\nconst count = await redis.zcount?.(key, 0, 9)',
    },
  ],
  apply: (call) => {
    if (isCommand(call.name)) return send(call, 'command', call.name)
    if (isBufferCommand(call.name)) return send(call, 'commandBuffer', call.name.slice(0, -'Buffer'.length))
    if (call.analysis.scriptNames.has(call.name)) return send(call, 'command', call.name)
    const script = call.name.replace(/Buffer$/, '')
    if (call.analysis.scriptNames.has(script)) return send(call, 'commandBuffer', script)
    return false
  },
}

function send(call: Call, helper: 'command' | 'commandBuffer', name: string): boolean {
  if (call.toHelper('command', helper, [call.file.quoted(name)], call.replyTypeArgument()))
    call.file.record(call.node, 'command', 'helper')
  return true
}
