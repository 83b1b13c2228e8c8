/** Opening and closing of a connection after its construction. */
import { ts } from 'ts-morph'
import type { Call } from '../call.ts'
import type { CallRule } from '../rule.ts'

export const connectionRule: CallRule = {
  name: 'connection',
  title: 'connect, quit, disconnect and duplicate',
  why: 'In ioredis, quit() resolves to "OK", disconnect() never throws, duplicate() connects by itself, and connect() rejects at the first failure. node-redis does none of this.',
  members: ['connect', 'quit', 'disconnect', 'end', 'duplicate'],
  examples: [
    { before: 'await redis.quit()', after: 'await quitRedis(redis)' },
    { before: 'redis.disconnect()', after: 'disconnectRedis(redis)' },
    { before: 'const other = redis.duplicate()', after: 'const other = duplicateRedis(redis)' },
    { before: 'await redis.connect()', after: 'await connectRedis(redis)' },
  ],
  apply: (call) => {
    if (call.hasCallback || call.hasSpread) {
      return call.mark(
        'connection',
        'connection-callback',
        'Replace the callback by await, then run the codemod again.',
      )
    }
    switch (call.name) {
      case 'quit':
        return toHelper(call, 'quitRedis', 0)
      case 'disconnect':
      case 'end':
        return toHelper(call, 'disconnectRedis', 0)
      case 'duplicate':
        return call.kind === 'client' ? toHelper(call, 'duplicateRedis', 1) : notForCluster(call)
      default:
        return call.kind === 'client' ? toHelper(call, 'connectRedis', 0) : notForCluster(call)
    }
  },
}

function toHelper(call: Call, helper: string, mostArguments: number): boolean {
  const isPlainFalse = call.args.length === 1 && call.args[0]?.kind === ts.SyntaxKind.FalseKeyword
  if (call.args.length > mostArguments && !isPlainFalse) {
    return call.mark(
      'connection',
      'connection-argument',
      `node-redis has no ${call.name}() with this argument. Write the reconnection by hand.`,
    )
  }
  if (isPlainFalse && mostArguments === 0)
    call.file.edits.replace(call.args[0]?.getStart() ?? 0, call.args[0]?.getEnd() ?? 0, '')
  if (call.toHelper('connection', helper)) call.file.record(call.node, 'connection', 'helper')
  return true
}

function notForCluster(call: Call): boolean {
  return call.mark(
    'connection',
    'cluster-connection',
    `Write ${call.name}() of the cluster by hand: createRedisCluster connects in the background.`,
  )
}
