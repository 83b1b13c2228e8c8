/** Decides which rule takes a call of a method, and marks calls that no rule takes. */
import { ts } from 'ts-morph'
import { unwrap } from './arguments.ts'
import { Call } from './call.ts'
import { isCommand } from './commands.ts'
import type { FileContext } from './file-context.ts'
import { isIoredisKind } from './kinds.ts'
import { rulesFor } from './rules.ts'
import { applyToChain } from './rules/chains.ts'
import { applyToConstruction } from './rules/construction.ts'
import { markOfSubclass } from './rules/extended-types.ts'
import { applyToMember } from './rules/members.ts'
import { isNativeName } from './rules/native.ts'
import { isOfSubclass, memberName } from './visit-accesses.ts'

export function visitCall(context: FileContext, node: ts.NewExpression | ts.CallExpression): void {
  if (context.file.isDecided(node) || applyToConstruction(context, node)) return
  if (ts.isNewExpression(node)) return
  const access = unwrap(node.expression)
  if (!ts.isPropertyAccessExpression(access) && !ts.isElementAccessExpression(access)) return
  const { kinds } = context.analysis
  const nameNode = ts.isPropertyAccessExpression(access) ? access.name : access.argumentExpression
  const ofReceiver = kinds.ofReceiver(access.expression, nameNode)
  const kind = isOfSubclass(ofReceiver, access) ? 'subclass' : ofReceiver
  const name = memberName(access)
  if (name === 'nodeify' || name === 'asCallback') visitNodeify(context, node, access)
  if (!isIoredisKind(kind)) {
    if (kinds.isUntyped(access.expression) && context.analysis.clientValues.mayBeClient(access.expression, name))
      markUntyped(context, node)
    return
  }
  if (access !== node.expression) {
    context.file.mark(
      node,
      'members',
      'asserted-method',
      'Call the method without an assertion around it, then run the codemod again.',
    )
    return
  }
  if (name === null) {
    applyToMember(context, access, name, kind)
    return
  }
  applyRules(context, new Call(context.analysis, context.file, node, access, name, kind))
}

function applyRules({ file }: FileContext, call: Call): void {
  if (isOwnMember(call)) return
  if (file.stands(call.node, 'members')) return
  if (call.kind === 'subclass') {
    markOfSubclass(file, call.node)
    return
  }
  if (call.kind === 'partial') {
    call.mark(
      'members',
      'partial-client',
      'The type is made from that of ioredis. Write the type that the code needs, then rewrite this call.',
    )
    return
  }
  if (call.kind === 'chain') {
    applyToChain(call)
    return
  }
  if (rulesFor(call.name).some((rule) => rule.apply(call))) return
  if (isNativeName(call.name)) {
    file.record(call.node, 'native', 'rewritten')
    return
  }
  const plain = call.name.replace(/Async$/, '')
  if (plain !== call.name && isCommand(plain)) {
    call.mark(
      'members',
      'promisified',
      `Call ${plain}(): it gives a promise without promisifyAll. Then run the codemod again.`,
    )
    return
  }
  call.mark(
    'members',
    'unknown-member',
    `ioredis has no ${call.name}() of its own. Define a script with defineCommand. Send a command of the server with sendCommand(['${call.name.toUpperCase()}', …]).`,
  )
}

/** A call that may reach a client, where no type tells. */
function markUntyped({ file }: FileContext, node: ts.CallExpression): void {
  file.mark(
    node,
    'flow',
    'untyped-client',
    'No type tells whether this is a client of ioredis. Give it the type Redis and run the codemod again, or write the call by hand.',
  )
}

/** A method that a class or interface of the project adds to a client. */
function isOwnMember(call: Call): boolean {
  if (call.kind !== 'subclass') return false
  const { access } = call
  const symbol = call.analysis.kinds.checker.getSymbolAtLocation(
    ts.isPropertyAccessExpression(access) ? access.name : access.argumentExpression,
  )
  return symbol?.declarations?.every((declaration) => declaration.getSourceFile() === access.getSourceFile()) === true
}

/** Bluebird's way to hand a result to a callback, in old code. */
function visitNodeify(
  context: FileContext,
  node: ts.CallExpression,
  access: ts.PropertyAccessExpression | ts.ElementAccessExpression,
): void {
  const inner = unwrap(access.expression)
  const innerAccess = ts.isCallExpression(inner) ? unwrap(inner.expression) : null
  if (!innerAccess || !ts.isPropertyAccessExpression(innerAccess)) return
  const kind = context.analysis.kinds.ofReceiver(innerAccess.expression, innerAccess.name)
  if (isIoredisKind(kind))
    context.file.mark(node, 'members', 'nodeify', 'Use withCallback(promise, callback), or await the promise.')
}
