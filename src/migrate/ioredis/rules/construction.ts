/** Construction of clients and clusters: the generated functions take the arguments of ioredis and connect in the background. */
import { ts } from 'ts-morph'
import type { FileContext } from '../file-context.ts'
import type { Rule } from '../rule.ts'
import { classOf, isIoredisClass, problemOf } from './options.ts'

export const constructionRule: Rule = {
  name: 'construction',
  title: 'Construction',
  why: 'node-redis reads host, port and tls only inside of `socket`, and ignores db. With the options of ioredis, it would connect to localhost without TLS. It connects only after connect(), and an error without a listener ends the process.',
  examples: [
    {
      before:
        "import Redis from 'ioredis'\n\nexport const redis = new Redis(process.env.REDIS_URL ?? '', { lazyConnect: true })\n",
      after:
        "import { createRedis } from './redis-from-ioredis'\n\nexport const redis = createRedis(process.env.REDIS_URL ?? '', { lazyConnect: true })\n",
    },
    {
      before: "const Redis = require('ioredis')\n\nmodule.exports = new Redis(6379, 'localhost')\n",
      after:
        "const { createRedis } = require('./redis-from-ioredis.cjs')\n\nmodule.exports = createRedis(6379, 'localhost')\n",
      file: 'example.cjs',
    },
    {
      before:
        "import Redis from 'ioredis'\n\nexport const redis = new Redis({ sentinels: [{ host: 'a', port: 26379 }], name: 'main' })\n",
      after:
        "import Redis from 'ioredis'\n\n// coatcheck-codemod-error sentinels: Write this client with createSentinel({ name, sentinelRootNodes, nodeClientOptions }) of node-redis.\nexport const redis = new Redis({ sentinels: [{ host: 'a', port: 26379 }], name: 'main' })\n",
    },
    {
      before:
        "import type { RedisOptions } from 'ioredis'\n\nexport const options = (): RedisOptions => ({\n  db: 1,\n  reconnectOnError: (error) => error.message.startsWith('READONLY'),\n})\n",
      after:
        "import type { RedisOptions } from './redis-from-ioredis'\n\nexport const options = (): RedisOptions => ({\n  db: 1,\n  // coatcheck-codemod-error reconnect-on-error: node-redis has no reconnectOnError. Handle the error where the command is called, or reconnect by hand.\n  reconnectOnError: (error) => error.message.startsWith('READONLY'),\n})\n",
    },
    {
      before:
        "const Redis = require('ioredis')\n\nmodule.exports = new Redis({ host: 'a', retryDelayOnFailover: 100 })\n",
      after:
        "const { createRedis } = require('./redis-from-ioredis.cjs')\n\nmodule.exports = createRedis({ host: 'a', retryDelayOnFailover: 100 })\n",
      file: 'example.cjs',
    },
    {
      before:
        "import Redis, { type RedisOptions } from 'ioredis'\n\nexport class Client extends Redis {\n  constructor(options: RedisOptions) {\n    super({ ...options, lazyConnect: true })\n  }\n}\n",
      after:
        "import Redis from 'ioredis'\nimport type { RedisOptions } from './redis-from-ioredis'\n\n// coatcheck-codemod-error subclass: node-redis has no class to extend. Make the class hold a client of createRedis.\nexport class Client extends Redis {\n  constructor(options: RedisOptions) {\n    super({ ...options, lazyConnect: true })\n  }\n}\n",
    },
  ],
}

/** @returns true if the node makes a client: it is rewritten or marked */
export function applyToConstruction(context: FileContext, node: ts.NewExpression | ts.CallExpression): boolean {
  const { analysis, file, bindings } = context
  // The class that calls it has its own mark.
  if (node.expression.kind === ts.SyntaxKind.SuperKeyword) return isIoredisClass(analysis.kinds.of(node.expression))
  const callee = classOf(node)
  const kind = analysis.kinds.of(callee)
  if (!isIoredisClass(kind)) return false
  if (file.stands(node, 'construction')) return true
  const isCluster = kind === 'cluster-class'
  const problem = problemOf(context, node, isCluster)
  if (problem) {
    file.mark(node, 'construction', problem.code, problem.advice)
    return true
  }
  if (!isCluster && analysis.hasKeyPrefix) file.needs('keyPrefix')
  const helper = file.helper(isCluster ? 'createRedisCluster' : 'createRedis')
  bindings.consume(node.expression)
  if (node.arguments === undefined) file.edits.replace(node.getStart(), node.getEnd(), `${helper}()`)
  else {
    const open = node.getSourceFile().text.indexOf('(', node.typeArguments?.end ?? node.expression.getEnd())
    file.edits.replace(node.getStart(), open + 1, `${helper}(`)
  }
  file.record(node, 'construction', 'helper')
  return true
}
