/** `pipeline()` and `multi()`: the chain keeps the methods and the pairs of ioredis. */
import { ts } from 'ts-morph'
import { isBufferCommand, isCommand } from '../commands.ts'
import { type Call, isJavaScript } from '../call.ts'
import type { CallRule } from '../rule.ts'

export const chainsRule: CallRule = {
  name: 'chains',
  title: 'Pipelines and transactions',
  why: 'exec() of ioredis returns one pair [error, result] for each command, and does not reject if a command fails. node-redis returns the results without pairs, and rejects with the first error.',
  members: ['pipeline', 'multi'],
  examples: [
    {
      before: 'const results = await redis.pipeline().set(key, 1).get(key).exec()',
      after: 'const results = await createPipeline(redis).set(key, 1).get(key).exec()',
    },
    {
      before: 'const done = await redis.multi().incr(key).expire(key, 60).exec()',
      after: 'const done = await createTransaction(redis).incr(key).expire(key, 60).exec()',
    },
    {
      before: "export const all = (ids: any) => redis.multi(ids.map((id: string) => ['hgetall', id])).exec()",
      after:
        "export const all = (ids: any) => createTransaction(redis, ids.map((id: string) => ['hgetall', id])).exec()",
    },
    {
      before: 'await redis.multi({ pipeline: false })',
      after:
        '// coatcheck-codemod-error inline-transaction: Collect the commands with redis.multi(), and run them with exec(). node-redis has no transaction whose commands are sent one by one.\nawait redis.multi({ pipeline: false })',
    },
  ],
  apply: (call) => {
    if (call.name === 'multi' && mayBeInline(call)) {
      return call.mark(
        'chains',
        'inline-transaction',
        'Collect the commands with redis.multi(), and run them with exec(). node-redis has no transaction whose commands are sent one by one.',
      )
    }
    const [commands] = call.args
    if (commands) collectNames(call, commands)
    if (
      call.toHelper(
        'chains',
        call.name === 'multi' ? 'createTransaction' : 'createPipeline',
        [],
        call.isUntyped && !isJavaScript(call.node) ? '<any>' : '',
      )
    ) {
      call.file.record(call.node, 'chains', 'helper')
    }
    return true
  },
}

/** `ids.map(…)`: only lists have these methods, and they give lists. */
function isListByMethod(node: ts.Expression): boolean {
  return (
    ts.isCallExpression(node) &&
    ts.isPropertyAccessExpression(node.expression) &&
    /^(?:map|flatMap)$/.test(node.expression.name.text)
  )
}

/** True unless the options are certain to make a pipeline. */
function mayBeInline(call: Call): boolean {
  const options = call.args.at(-1)
  if (!options || ts.isArrayLiteralExpression(options)) return false
  const type = call.analysis.kinds.checker.getTypeAtLocation(options)
  if (call.args.length === 1 && call.analysis.kinds.checker.isArrayType(type)) return false
  if (call.args.length === 1 && isListByMethod(options)) return false
  if (!ts.isObjectLiteralExpression(options)) return true
  return options.properties.some(
    (property) =>
      !ts.isPropertyAssignment(property) ||
      (property.name.getText() === 'pipeline' && property.initializer.kind !== ts.SyntaxKind.TrueKeyword),
  )
}

/** Only for the documentation of the generated file: a batch names its commands as text. */
function collectNames(call: Call, commands: ts.Expression): void {
  if (!ts.isArrayLiteralExpression(commands)) return
  for (const command of commands.elements) {
    const name = ts.isArrayLiteralExpression(command) ? command.elements[0] : undefined
    if (name && ts.isStringLiteral(name) && isCommand(name.text)) call.analysis.chained.add(name.text)
  }
}

/** A call of a method of a chain: it stays as it is, and the generated chain gets the method. */
export function applyToChain(call: Call): void {
  const { name, file, node } = call
  if (name === 'exec' || name === 'addBatch') {
    file.record(node, 'chains', 'helper')
    return
  }
  const isScript = call.analysis.scriptNames.has(name) || call.analysis.scriptNames.has(name.replace(/Buffer$/, ''))
  const isNested =
    name === 'multi' || name === 'pipeline' || name === 'discard' || name === 'watch' || name === 'unwatch'
  if (!isNested && (isCommand(name) || isBufferCommand(name) || isScript)) {
    call.analysis.chained.add(name)
    file.record(node, 'chains', 'helper')
    return
  }
  call.mark(
    'chains',
    'chain-member',
    `The generated chain has no ${name}(). Add a command of the server with addBatch([['${name}', …]]), or write this pipeline by hand.`,
  )
}
