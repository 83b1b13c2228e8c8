/** A call of a method of a client, and the ways to rewrite it. Each way edits tokens only, and leaves the arguments to their own rules. */
import { ts } from 'ts-morph'
import type { Analysis } from './analysis.ts'
import { type Proof, unwrap } from './arguments.ts'
import type { FileEdit } from './file-edit.ts'
import type { Kind } from './kinds.ts'
import { replyTypeText } from './reply-type.ts'

export class Call {
  readonly analysis: Analysis
  readonly file: FileEdit
  readonly node: ts.CallExpression
  readonly access: ts.PropertyAccessExpression | ts.ElementAccessExpression
  /** Name of the method, as ioredis spells it. */
  readonly name: string
  readonly kind: Kind

  constructor(
    analysis: Analysis,
    file: FileEdit,
    node: ts.CallExpression,
    access: Call['access'],
    name: string,
    kind: Kind,
  ) {
    this.analysis = analysis
    this.file = file
    this.node = node
    this.access = access
    this.name = name
    this.kind = kind
  }

  get args(): readonly ts.Expression[] {
    return this.node.arguments
  }

  proof(at: number): Proof {
    const arg = this.args[at]
    return arg ? this.analysis.proofs.of(arg) : 'unknown'
  }

  /** True if the last argument is, or may be, a callback. */
  get hasCallback(): boolean {
    const last = this.args.at(-1)
    if (!last) return false
    if (ts.isFunctionLike(unwrap(last))) return true
    return this.analysis.kinds.checker.getTypeAtLocation(last).getCallSignatures().length > 0
  }

  get hasSpread(): boolean {
    return this.args.some(ts.isSpreadElement)
  }

  /** True if no type says that the receiver is a client, and only the values that reach it do. */
  get isUntyped(): boolean {
    return this.analysis.kinds.isUntyped(this.access.expression)
  }

  /** True if no code uses the reply. */
  get isUnused(): boolean {
    return isUnused(this.node)
  }

  /** True if code only compares the reply, or tests whether there is one. */
  get isTested(): boolean {
    const outer = outerOf(this.node)
    const { parent } = outer
    if (ts.isIfStatement(parent) || ts.isWhileStatement(parent)) return parent.expression === outer
    if (ts.isConditionalExpression(parent)) return parent.condition === outer
    if (ts.isPrefixUnaryExpression(parent)) return parent.operator === ts.SyntaxKind.ExclamationToken
    return ts.isBinaryExpression(parent) && isEquality(parent.operatorToken.kind) && ts.isAwaitExpression(outer)
  }

  mark(rule: string, code: string, advice: string): true {
    this.file.mark(this.node, rule, code, advice)
    return true
  }

  /** `redis.hget(…)` becomes `redis.hGet(…)`. */
  rename(native: string): void {
    const { access, file } = this
    const name = ts.isPropertyAccessExpression(access) ? access.name : access.argumentExpression
    const text = ts.isPropertyAccessExpression(access) ? native : `'${native}'`
    if (this.name !== native) file.edits.replace(name.getStart(), name.getEnd(), text)
    this.#dropTypeArguments()
  }

  /**
   * `redis.get(key)` becomes `helper(redis, first, key)`.
   * @param first arguments in front of those of the call, as source
   * @returns false if the call is part of an optional chain that cannot be taken apart; the call is marked then
   */
  toHelper(rule: string, helper: string, first: readonly string[] = [], typeArgument = ''): boolean {
    const { node, access, file } = this
    const receiver = access.expression
    const isOptional = (node.flags & ts.NodeFlags.OptionalChain) !== 0
    if (isOptional && !this.#canGuard()) {
      this.mark(rule, 'optional-chain', `Take the optional chain apart, then call ${helper}(…) of redis-from-ioredis.`)
      return false
    }
    const path = receiver.getText()
    const start = node.getStart()
    const span = node.getEnd() - start
    const guard = isOptional ? `(${path} == null ? undefined : ` : ''
    file.edits.open(start, `${guard}${file.helper(helper)}${typeArgument}(`, span)
    const isLast = this.args.length === 0
    const text = [...first.map((one) => `, ${one}`), isLast ? '' : ', '].join('')
    this.#replaceAccess(text)
    if (isOptional) file.edits.close(node.getEnd(), ')', span)
    return true
  }

  /** The type argument for `command`, such as `<string | null>`; none where the reply is unknown or unused, and in JavaScript. */
  replyTypeArgument(): string {
    if ((this.isUnused && !this.hasCallback) || isJavaScript(this.node)) return ''
    // What came from an untyped client was `any`, and code may use it as such.
    if (this.isUntyped) return '<any>'
    const text = replyTypeText(this.analysis.kinds.checker, this.node)
    return text === null ? '' : `<${text}>`
  }

  /** Edits of one argument that make it text. False if that cannot be done at the place. */
  convertToText(at: number): boolean {
    const arg = this.args[at]
    const proof = this.proof(at)
    if (!arg || proof === 'unknown' || proof === 'texts') return false
    if (proof === 'text') return true
    const start = arg.getStart()
    const span = arg.getEnd() - start
    if (ts.isNumericLiteral(arg) && String(Number(arg.text)) === arg.getText()) {
      this.file.edits.replace(start, arg.getEnd(), `'${arg.getText()}'`)
      return true
    }
    this.file.edits.open(start, proof === 'number' ? 'String(' : `${this.file.helper('toText')}(`, span)
    this.file.edits.close(arg.getEnd(), ')', span)
    return true
  }

  /** From the end of the receiver to behind the opening parenthesis. Comments in between stay. */
  #replaceAccess(text: string): void {
    const { access, node, file } = this
    const from = access.expression.getEnd()
    const source = file.source.text
    const open = openParenthesis(node)
    const between = source.slice(from, open)
    const hasComment = /\/\/|\/\*/.test(between)
    if (!hasComment) {
      const firstArg = this.args[0]
      const isSameLine = firstArg !== undefined && !source.slice(open, firstArg.getStart()).includes('\n')
      file.edits.replace(from, open + 1, isSameLine ? text : text.trimEnd())
      return
    }
    const comments = between.match(/\/\/[^\n]*\n|\/\*[\s\S]*?\*\//g) ?? []
    file.edits.replace(from, open + 1, ` ${comments.join(' ')}${text}`)
  }

  #dropTypeArguments(): void {
    const { typeArguments } = this.node
    const [first] = typeArguments ?? []
    if (!typeArguments || !first) return
    this.file.edits.replace(first.getFullStart() - 1, openParenthesis(this.node), '')
  }

  /** An optional chain can become a condition if nothing follows it and its start can be evaluated twice. */
  #canGuard(): boolean {
    const { node, access } = this
    const { parent } = node
    const goesOn =
      (ts.isPropertyAccessExpression(parent) || ts.isElementAccessExpression(parent) || ts.isCallExpression(parent)) &&
      parent.expression === node
    return (
      !goesOn &&
      access.questionDotToken !== undefined &&
      node.questionDotToken === undefined &&
      isPath(access.expression)
    )
  }
}

function openParenthesis(node: ts.CallExpression): number {
  const from = node.typeArguments?.end ?? node.expression.getEnd()
  return node.getSourceFile().text.indexOf('(', from)
}

/** An identifier, `this`, or properties of one. */
export function isPath(node: ts.Expression): boolean {
  if (ts.isIdentifier(node) || node.kind === ts.SyntaxKind.ThisKeyword) return true
  return ts.isPropertyAccessExpression(node) && node.questionDotToken === undefined && isPath(node.expression)
}

export function isJavaScript(node: ts.Node): boolean {
  return /\.[cm]?jsx?$/.test(node.getSourceFile().fileName)
}

/** The expression with `await`, parentheses and assertions around it. */
function outerOf(node: ts.Expression): ts.Expression {
  let at = node
  for (;;) {
    const { parent } = at
    if (ts.isAwaitExpression(parent) || ts.isParenthesizedExpression(parent) || ts.isNonNullExpression(parent))
      at = parent
    else return at
  }
}

function isUnused(node: ts.Expression): boolean {
  const outer = outerOf(node)
  const { parent } = outer
  if (ts.isExpressionStatement(parent) || ts.isVoidExpression(parent)) return true
  // `redis.del(key).catch(report)`: the code uses only the error.
  if (!ts.isPropertyAccessExpression(parent) || parent.name.text !== 'catch' || !ts.isCallExpression(parent.parent))
    return false
  return isUnused(parent.parent)
}

function isEquality(kind: ts.SyntaxKind): boolean {
  return (
    kind === ts.SyntaxKind.EqualsEqualsEqualsToken ||
    kind === ts.SyntaxKind.ExclamationEqualsEqualsToken ||
    kind === ts.SyntaxKind.EqualsEqualsToken ||
    kind === ts.SyntaxKind.ExclamationEqualsToken
  )
}
