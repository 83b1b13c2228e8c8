/** Properties of a client that are read, and methods that are not called where they stand. */
import { ts } from 'ts-morph'
import { isPath } from '../call.ts'
import type { FileContext } from '../file-context.ts'
import type { Kind } from '../kinds.ts'
import type { Rule } from '../rule.ts'

export const membersRule: Rule = {
  name: 'members',
  title: 'Properties and detached methods',
  why: 'A client of node-redis has no status, so a comparison with it is never true. If the code detaches a method from its client, the codemod cannot rewrite the later calls.',
  examples: [
    {
      before: "if (redis.status === 'ready') console.log('ready')",
      after: "if (redisStatus(redis) === 'ready') console.log('ready')",
    },
    {
      before: "export const isReady = (client?: Redis) => client?.status === 'ready'",
      after:
        "export const isReady = (client?: Redis) => (client == null ? undefined : redisStatus(client)) === 'ready'",
    },
    {
      before: 'const read = redis.get.bind(redis)',
      after:
        "// coatcheck-codemod-error method-as-value: Call get() on the client where it is needed: (…values) => command(redis, 'get', …values).\nconst read = redis.get.bind(redis)",
    },
  ],
}

const ADVICE: Readonly<Record<string, string>> = {
  options: 'A client of node-redis has other options. Keep what you need in a variable of your own.',
  mode: 'node-redis has isPubSubActive in place of mode.',
  stream: 'node-redis keeps its socket private.',
  isCluster: 'Store in a variable whether the code creates a cluster.',
  autoPipelineQueueSize:
    'node-redis always sends the commands of one tick together. Remove the code that reads this value.',
  condition: 'node-redis keeps this value private. Remove the code that reads it.',
  commandQueue: 'node-redis keeps this value private. Remove the code that reads it.',
  slots: 'See slots of the cluster in node-redis.',
}

/** @param access a property of a client that is not called */
export function applyToMember(
  { file }: FileContext,
  access: ts.PropertyAccessExpression | ts.ElementAccessExpression,
  name: string | null,
  kind: Kind,
): void {
  if (file.stands(access, 'members')) return
  if (kind === 'chain') {
    if (name === 'length') file.record(access, 'members', 'helper')
    else file.mark(access, 'members', 'method-as-value', 'Call the method of the chain where it is needed.')
    return
  }
  if (name === null) {
    file.mark(
      access,
      'members',
      'dynamic-member',
      'The name of the member is not certain. Send the command with command(redis, name, …) of redis-from-ioredis.',
    )
    return
  }
  const isGuarded = access.questionDotToken !== undefined
  if (name === 'status' && !isGuarded && ts.isPropertyAccessExpression(access) && !isAssigned(access)) {
    const receiver = access.expression
    const span = access.getEnd() - access.getStart()
    file.edits.open(access.getStart(), `${file.helper('redisStatus')}(`, span)
    file.edits.replace(receiver.getEnd(), access.getEnd(), ')')
    file.record(access, 'members', 'helper')
    return
  }
  if (name === 'status' && isGuarded && canGuard(access)) {
    const path = access.expression.getText()
    const span = access.getEnd() - access.getStart()
    file.edits.open(access.getStart(), `(${path} == null ? undefined : ${file.helper('redisStatus')}(`, span)
    file.edits.replace(access.expression.getEnd(), access.getEnd(), '))')
    file.record(access, 'members', 'helper')
    return
  }
  if (name === 'status') {
    file.mark(access, 'members', 'status', 'Use redisStatus(redis) of redis-from-ioredis.')
    return
  }
  if (isSpied(access)) {
    file.mark(access, 'test-doubles', 'spied-method', spyAdvice(name))
    return
  }
  const advice = ADVICE[name]
  if (advice === undefined && isTested(access)) {
    markMethodTest(file, access)
    return
  }
  if (advice !== undefined) file.mark(access, 'members', 'client-property', advice)
  else
    file.mark(
      access,
      'members',
      'method-as-value',
      `Call ${name}() on the client where it is needed: (…values) => command(redis, '${name}', …values).`,
    )
}

/** A test of whether a client has a method: `'getdel' in redis`, `typeof redis.getdel`, `if (redis.getdel)`. */
export function markMethodTest(file: FileContext['file'], node: ts.Node): void {
  file.mark(
    node,
    'members',
    'method-test',
    'node-redis spells its methods in another way, so this test changes its result. Remove it: command(redis, name, …) sends every command.',
  )
}

/** True if code only asks whether the value is there. */
function isTested(access: ts.Expression): boolean {
  const { parent } = access
  if (ts.isParenthesizedExpression(parent)) return isTested(parent)
  if (ts.isTypeOfExpression(parent)) return true
  if (ts.isPrefixUnaryExpression(parent)) return parent.operator === ts.SyntaxKind.ExclamationToken
  if (ts.isIfStatement(parent) || ts.isWhileStatement(parent)) return parent.expression === access
  if (ts.isConditionalExpression(parent)) return parent.condition === access
  return ts.isBinaryExpression(parent) && TESTS.has(parent.operatorToken.kind) && parent.right !== access
}

const TESTS: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.EqualsEqualsToken,
  ts.SyntaxKind.EqualsEqualsEqualsToken,
  ts.SyntaxKind.ExclamationEqualsToken,
  ts.SyntaxKind.ExclamationEqualsEqualsToken,
])

/** `expect(redis.get)`, `vi.mocked(redis.get)`: a test looks at the method. */
function isSpied(access: ts.Expression): boolean {
  const { parent } = access
  return (
    ts.isCallExpression(parent) &&
    parent.expression !== access &&
    /(?:^|\.)(?:expect|mocked)$/.test(parent.expression.getText())
  )
}

export function spyAdvice(name: string): string {
  return `The migrated code may call another method than ${name}(). Check the migrated calls, and make the test expect the same method.`
}

/** True if the optional chain ends here and its start can be evaluated twice. */
function canGuard(access: ts.PropertyAccessExpression | ts.ElementAccessExpression): boolean {
  const { parent } = access
  const goesOn =
    (ts.isPropertyAccessExpression(parent) || ts.isElementAccessExpression(parent) || ts.isCallExpression(parent)) &&
    parent.expression === access
  return !goesOn && ts.isPropertyAccessExpression(access) && isPath(access.expression)
}

function isAssigned(access: ts.Expression): boolean {
  const { parent } = access
  return (
    ts.isBinaryExpression(parent) && parent.left === access && parent.operatorToken.kind === ts.SyntaxKind.EqualsToken
  )
}
