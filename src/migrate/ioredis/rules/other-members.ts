/** Methods that need a person: node-redis has them with another meaning, or not at all. */
import type { CallRule } from '../rule.ts'

const ADVICE: Readonly<Record<string, readonly [code: string, advice: string]>> = {
  monitor: [
    'monitor',
    'In node-redis, monitor() takes a listener that gets raw lines, on a client of its own. Write it by hand.',
  ],
  exec: ['inline-transaction', 'Collect the commands with multi(), and run them with its exec().'],
  discard: ['inline-transaction', 'Collect the commands with multi(). A chain that never runs needs no discard().'],
  sendCommand: [
    'send-command',
    "Send the command with command(redis, 'name', …) of redis-from-ioredis in place of a Command object.",
  ],
  nodes: ['cluster-nodes', 'Use masters, replicas and nodeClient() of the cluster in node-redis.'],
  refreshSlotsCache: ['cluster-nodes', 'node-redis refreshes slots by itself. Remove the call.'],
  delayUntilReady: ['cluster-nodes', 'Await the first command, or listen for "ready".'],
  select: [
    'select',
    'Call select() with a number, and do not use its reply: node-redis then selects the database again after a reconnection.',
  ],
  hello: ['hello', 'createRedis speaks RESP 2: its replies have the shapes of ioredis. Remove the call.'],
  reset: ['reset', 'Write it by hand: node-redis has to know that the connection was reset.'],
  auth: ['auth', 'Give username and password to createRedis: node-redis has to send them after each reconnection.'],
}

export const otherMembersRule: CallRule = {
  name: 'other-members',
  title: 'Methods that need a person',
  why: 'In node-redis, these methods have another meaning or do not exist. A helper could keep only part of the meaning.',
  members: Object.keys(ADVICE),
  examples: [
    {
      before: 'const monitor = await redis.monitor()',
      after:
        '// coatcheck-codemod-error monitor: In node-redis, monitor() takes a listener that gets raw lines, on a client of its own. Write it by hand.\nconst monitor = await redis.monitor()',
    },
  ],
  apply: (call) => {
    const [code, advice] = ADVICE[call.name] ?? []
    return code !== undefined && advice !== undefined && call.mark('other-members', code, advice)
  },
}
