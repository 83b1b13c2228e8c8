/** The reply type of a call as source, where it says something that needs no import. */
import { ts } from 'ts-morph'

const WORDS = new Set([
  'string',
  'number',
  'boolean',
  'null',
  'undefined',
  'unknown',
  'Buffer',
  'Record',
  'OK',
  'PONG',
  'readonly',
])

/** Null for `unknown`, `any`, and types that only the project knows. */
export function replyTypeText(checker: ts.TypeChecker, call: ts.CallExpression): string | null {
  const given = checker.getTypeAtLocation(call)
  // The undefined of an optional chain is no reply.
  const reply = call.flags & ts.NodeFlags.OptionalChain ? checker.getNonNullableType(given) : given
  const type = checker.getAwaitedType(reply) ?? reply
  if (type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown | ts.TypeFlags.Void)) return null
  const text = checker
    .typeToString(type, call, ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.UseSingleQuotesForStringLiteralType)
    .replace(/Buffer<[^<>]*>/g, 'Buffer')
  // Labels of tuples, such as `cursor: string`, are free.
  const words = text.replace(/\b\w+(?=: )/g, '').match(/[A-Za-z_]\w*/g) ?? []
  return words.every((word) => WORDS.has(word)) ? text : null
}
