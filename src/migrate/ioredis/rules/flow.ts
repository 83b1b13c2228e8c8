/**
 * Clients whose type the checker loses: as `any`, as an interface of the project, or in another package. If the codemod can follow the values
 * (`values/`), it rewrites or marks the calls behind `any`. The rest gets a mark for a person.
 */
import { ts } from 'ts-morph'
import type { FileContext } from '../file-context.ts'
import { isIoredisKind } from '../kinds.ts'
import type { Rule } from '../rule.ts'
import { AS_ANY, AS_INTERFACE, isFollowed, judge, isNothing } from './flow-judgement.ts'
import { applyToArgument, applyToLiteral } from './flow-into-calls.ts'
import { applyToReturn } from './flow-out-of-functions.ts'
import { markMethodTest } from './members.ts'

export const flowRule: Rule = {
  name: 'flow',
  title: 'Clients that are handed on',
  why: 'If the type of a client is `any`, the codemod follows the values of the project. It rewrites a call if each value is a client. It marks the call if one of them may be a client. The types do not show what another package does with a client.',
  examples: [
    {
      before: 'export const app: any = {}\napp.client = redis\nexport const all = () => app.client.hgetall(key)',
      after:
        "export const app: any = {}\napp.client = redis\nexport const all = () => command<any>(app.client, 'hgetall', key)",
    },
    {
      before: 'export const all = (request: any) => request.redis.hgetall(key)',
      after:
        '// coatcheck-codemod-error untyped-client: No type tells whether this is a client of ioredis. Give it the type Redis and run the codemod again, or write the call by hand.\nexport const all = (request: any) => request.redis.hgetall(key)',
    },
    {
      before: 'declare function cache(client: any): void\ncache(redis)',
      after:
        'declare function cache(client: any): void\n// coatcheck-codemod-error client-as-any: The client becomes `any` here, so calls on it were not found. Give it the type Redis, then rewrite its calls.\ncache(redis)',
    },
    {
      before: "import { Queue } from 'bullmq'\nexport const queue = new Queue('mail', { connection: redis })",
      after:
        "import { Queue } from 'bullmq'\n// coatcheck-codemod-error client-to-package: Give BullMQ createNodeRedisClient(client), which it exports since 5.77, with a client of createClient(). Older versions take ioredis only.\nexport const queue = new Queue('mail', { connection: redis })",
    },
    {
      before:
        "import { Queue } from 'bullmq'\nexport const queue = new Queue('mail', { connection: { host: 'localhost', port: 6379 } })",
      after:
        "import { Queue } from 'bullmq'\nexport const queue = new Queue('mail', { connection: { host: 'localhost', port: 6379 } })",
    },
    {
      before: "import { RedisStore } from 'rate-limit-redis'\nexport const store = new RedisStore({ client: redis })",
      after:
        "import { RedisStore } from 'rate-limit-redis'\n// coatcheck-codemod-error client-to-package: Give rate-limit-redis: sendCommand: (...args) => redis.sendCommand(args).\nexport const store = new RedisStore({ client: redis })",
    },
  ],
}

/** Looks where the value of a client goes; follows parentheses, `??`, `? :` and `await`. */
export function applyToFlow(context: FileContext, node: ts.Expression): void {
  const { parent } = node
  if (
    ts.isParenthesizedExpression(parent) ||
    ts.isNonNullExpression(parent) ||
    ts.isSatisfiesExpression(parent) ||
    ts.isAwaitExpression(parent)
  ) {
    applyToFlow(context, parent)
    return
  }
  if (ts.isAsExpression(parent) || ts.isTypeAssertionExpression(parent)) {
    applyToAssertion(context, parent)
    return
  }
  if (ts.isConditionalExpression(parent)) {
    if (parent.condition !== node) applyToJoined(context, node, parent)
    return
  }
  if (ts.isBinaryExpression(parent)) {
    applyToBinary(context, node, parent)
    return
  }
  if (ts.isVariableDeclaration(parent) && parent.initializer === node) {
    if (ts.isObjectBindingPattern(parent.name)) {
      context.file.mark(
        node,
        'flow',
        'destructured',
        'Call the methods on the client: a method that is taken off its client was not rewritten.',
      )
    } else if (parent.type && !isFollowed(context, parent))
      judge(context, node, context.analysis.kinds.checker.getTypeFromTypeNode(parent.type))
    return
  }
  if ((ts.isPropertyDeclaration(parent) || ts.isParameter(parent)) && parent.initializer === node) {
    if (parent.type && !isFollowed(context, parent))
      judge(context, node, context.analysis.kinds.checker.getTypeFromTypeNode(parent.type))
    return
  }
  if (ts.isCallExpression(parent) || ts.isNewExpression(parent)) {
    if (parent.expression !== node) applyToArgument(context, node, parent)
    return
  }
  if (ts.isReturnStatement(parent) || (ts.isArrowFunction(parent) && parent.body === node)) {
    applyToReturn(context, node)
    return
  }
  if (
    ts.isPropertyAssignment(parent) ||
    ts.isShorthandPropertyAssignment(parent) ||
    ts.isArrayLiteralExpression(parent)
  ) {
    applyToLiteral(context, node, parent)
    return
  }
  if (ts.isSpreadAssignment(parent) || ts.isSpreadElement(parent) || ts.isTemplateSpan(parent)) {
    context.file.mark(node, 'flow', 'client-as-any', AS_ANY)
    return
  }
  if (ts.isJsxExpression(parent)) judge(context, node, context.analysis.kinds.checker.getContextualType(node))
}

/** `redis as X`: only what the assertion makes of it counts, `redis as unknown as Redis` is no change. */
function applyToAssertion(context: FileContext, assertion: ts.AsExpression | ts.TypeAssertion): void {
  const outer = outermostAssertion(assertion)
  const kind = context.analysis.kinds.of(outer)
  if (isIoredisKind(kind)) {
    applyToFlow(context, outer)
    return
  }
  context.file.mark(
    outer,
    'flow',
    kind === 'any' || isUnknown(context, outer) ? 'client-as-any' : 'client-as-interface',
    kind === 'any' || isUnknown(context, outer) ? AS_ANY : AS_INTERFACE,
  )
}

function outermostAssertion(node: ts.Expression): ts.Expression {
  let at = node
  while (
    ts.isAsExpression(at.parent) ||
    ts.isTypeAssertionExpression(at.parent) ||
    ts.isParenthesizedExpression(at.parent)
  )
    at = at.parent
  return at
}

function isUnknown({ analysis }: FileContext, node: ts.Expression): boolean {
  return (analysis.kinds.checker.getTypeAtLocation(node).flags & ts.TypeFlags.Unknown) !== 0
}

function applyToBinary(context: FileContext, node: ts.Expression, parent: ts.BinaryExpression): void {
  const operator = parent.operatorToken.kind
  if (operator === ts.SyntaxKind.InKeyword) {
    if (parent.right === node) markMethodTest(context.file, parent)
    return
  }
  const isAssignment =
    operator === ts.SyntaxKind.EqualsToken ||
    operator === ts.SyntaxKind.QuestionQuestionEqualsToken ||
    operator === ts.SyntaxKind.BarBarEqualsToken ||
    operator === ts.SyntaxKind.AmpersandAmpersandEqualsToken
  if (isAssignment && parent.right === node) {
    const type = declaredType(context, parent.left)
    // The value is followed from there on, or a type says what it is.
    if (isIoredisKind(context.analysis.kinds.of(parent.left))) {
      applyToFlow(context, parent)
      return
    }
    // In JavaScript, `{ client: null }` says nothing about what comes later.
    if (isNothing(type)) context.file.mark(node, 'flow', 'client-as-any', AS_ANY)
    else if (!isModuleExports(parent.left)) judge(context, node, type)
    applyToFlow(context, parent)
    return
  }
  const passesOn =
    operator === ts.SyntaxKind.QuestionQuestionToken ||
    operator === ts.SyntaxKind.BarBarToken ||
    (operator === ts.SyntaxKind.AmpersandAmpersandToken && parent.right === node) ||
    (operator === ts.SyntaxKind.CommaToken && parent.right === node)
  if (passesOn) applyToJoined(context, node, parent)
}

/** `global.redis ?? new Redis()`: one side that is `any` makes all of it `any`. */
function applyToJoined(context: FileContext, node: ts.Expression, joined: ts.Expression): void {
  if (context.analysis.kinds.of(joined) === 'any') context.file.mark(node, 'flow', 'client-as-any', AS_ANY)
  else applyToFlow(context, joined)
}

/** `module.exports`, `exports.redis`: files that load it see its type. */
function isModuleExports(left: ts.Expression): boolean {
  return /^(?:module\.)?exports(?:\.\w+)?$/.test(left.getText())
}

function declaredType({ analysis }: FileContext, left: ts.Expression): ts.Type {
  const { checker } = analysis.kinds
  const symbol = checker.getSymbolAtLocation(left)
  const declaration = symbol?.valueDeclaration
  if (
    declaration &&
    (ts.isVariableDeclaration(declaration) || ts.isParameter(declaration)) &&
    !declaration.type &&
    !declaration.initializer
  ) {
    // A variable without a type has the type of what is assigned to it.
    return checker.getTypeAtLocation(left)
  }
  return symbol ? checker.getTypeOfSymbolAtLocation(symbol, left) : checker.getTypeAtLocation(left)
}
