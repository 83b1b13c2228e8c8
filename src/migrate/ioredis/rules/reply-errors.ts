/** Errors of the server: their class as a property of the class of ioredis, and their name as text. */
import { ts } from 'ts-morph'
import type { FileContext } from '../file-context.ts'

/** `Redis.ReplyError`. @returns true if the node is that class: it is rewritten */
export function applyToReplyErrorOfClass(context: FileContext, node: ts.Expression): boolean {
  if (!isReplyErrorOfClass(context, node)) return false
  context.file.edits.replace(node.getStart(), node.getEnd(), context.file.helper('ReplyError'))
  context.bindings.consume(node)
  context.file.record(node, 'imports', 'rewritten')
  return true
}

function isReplyErrorOfClass({ analysis }: FileContext, node: ts.Expression): boolean {
  return (
    ts.isPropertyAccessExpression(node) &&
    node.name.text === 'ReplyError' &&
    analysis.kinds.of(node.expression) === 'class'
  )
}

/** `error.name === 'ReplyError'`: node-redis itself never gives an error this name. */
export function applyToErrorName({ file }: FileContext, node: ts.StringLiteral): void {
  const { parent } = node
  if (!ts.isBinaryExpression(parent) && !ts.isCaseClause(parent)) return
  file.mark(
    node,
    'imports',
    'error-name',
    'Use error instanceof ErrorReply of node-redis: only a client of createRedis gives its errors this name.',
  )
}
