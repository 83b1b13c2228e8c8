/**
 * What the code proves about an argument: that it is text, a number, an array of texts, or a scalar that may be missing. `as` and `!` prove
 * nothing, and neither does a declared type whose value comes from `any`. What is not proven is converted at run time.
 */
import { ts } from 'ts-morph'

export type Proof =
  /** A string or a Buffer. */
  | 'text'
  | 'number'
  /** A string, number, boolean, Buffer, null or undefined. */
  | 'scalar'
  /** An array of strings or Buffers. */
  | 'texts'
  | 'unknown'

const MOST_DEPTH = 8

export class Proofs {
  readonly #checker: ts.TypeChecker
  readonly #isStrict: (file: ts.SourceFile) => boolean

  /** @param isStrict true if the project checks the file for null and undefined */
  constructor(checker: ts.TypeChecker, isStrict: (file: ts.SourceFile) => boolean) {
    this.#checker = checker
    this.#isStrict = isStrict
  }

  of(given: ts.Expression): Proof {
    const node = unwrap(given)
    if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) return 'text'
    if (ts.isSpreadElement(node)) return 'unknown'
    if (ts.isConditionalExpression(node)) return weaker(this.of(node.whenTrue), this.of(node.whenFalse))
    if (isTextConcatenation(node)) return 'text'
    const proof = this.#ofType(this.#checker.getTypeAtLocation(node))
    if (proof === 'unknown' || proof === 'scalar') return proof
    if (this.#comesFromAny(node)) return 'unknown'
    if (this.#isStrict(node.getSourceFile()) || this.#isCertain(node)) return proof
    return proof === 'texts' ? 'unknown' : 'scalar'
  }

  #ofType(type: ts.Type, depth = 0): Proof {
    if (depth > MOST_DEPTH) return 'unknown'
    if (type.isUnion()) {
      const proofs = type.types.map((one) => this.#ofType(one, depth + 1))
      if (proofs.every((proof) => proof === proofs[0])) return proofs[0] ?? 'unknown'
      return proofs.some((proof) => proof === 'unknown' || proof === 'texts') ? 'unknown' : 'scalar'
    }
    if (type.isIntersection())
      return type.types.map((one) => this.#ofType(one, depth + 1)).find((proof) => proof !== 'unknown') ?? 'unknown'
    if (type.flags & ts.TypeFlags.StringLike) return 'text'
    if (type.flags & ts.TypeFlags.NumberLike) return 'number'
    if (type.flags & (ts.TypeFlags.BooleanLike | ts.TypeFlags.Null | ts.TypeFlags.Undefined)) return 'scalar'
    if (type.flags & ts.TypeFlags.TypeParameter) {
      const constraint = this.#checker.getBaseConstraintOfType(type)
      return constraint && constraint !== type ? this.#ofType(constraint, depth + 1) : 'unknown'
    }
    if (isBuffer(type)) return 'text'
    if (this.#checker.isArrayType(type) || this.#checker.isTupleType(type)) {
      // node-redis takes arrays that it could change.
      if (isReadonly(type)) return 'unknown'
      const elements = this.#checker.getTypeArguments(type as ts.TypeReference)
      return elements.length > 0 && elements.every((element) => this.#ofType(element, depth + 1) === 'text')
        ? 'texts'
        : 'unknown'
    }
    return 'unknown'
  }

  /** True if the declared type hides a value of type `any`, or one that `as` or `!` gave its type. */
  #comesFromAny(node: ts.Expression): boolean {
    const root = rootOf(node)
    if (root !== node && this.#checker.getTypeAtLocation(root).flags & ts.TypeFlags.Any) return true
    if (!ts.isIdentifier(root)) return false
    const declaration = this.#checker.getSymbolAtLocation(root)?.valueDeclaration
    if (!declaration) return false
    const source = initializerOf(declaration)
    if (!source) return false
    if (hasAssertion(source)) return true
    return this.#checker.getTypeAtLocation(unwrap(source)).flags & ts.TypeFlags.Any ? true : this.#hasAnyBehind(source)
  }

  /** `(await response.json()) as User` and the like. */
  #hasAnyBehind(source: ts.Expression): boolean {
    const inner = unwrap(source)
    return ts.isAwaitExpression(inner) && this.#hasAnyType(inner.expression)
  }

  #hasAnyType(node: ts.Expression): boolean {
    return (this.#checker.getTypeAtLocation(node).flags & ts.TypeFlags.Any) !== 0
  }

  /** Without a strict project, only what the code itself makes is certain. */
  #isCertain(node: ts.Expression): boolean {
    if (ts.isNumericLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return true
    if (ts.isPrefixUnaryExpression(node)) return this.#isCertain(node.operand)
    if (ts.isBinaryExpression(node)) return isArithmetic(node.operatorToken.kind)
    if (ts.isCallExpression(node)) {
      const declaration = this.#checker.getResolvedSignature(node)?.declaration
      return (
        declaration !== undefined &&
        /\/(?:typescript\/lib\/|node_modules\/@types\/node\/)?lib\.[^/]*\.d\.ts$|@types\/node\//.test(
          declaration.getSourceFile().fileName,
        )
      )
    }
    if (!ts.isIdentifier(node)) return false
    const declaration = this.#checker.getSymbolAtLocation(node)?.valueDeclaration
    if (!declaration || !ts.isVariableDeclaration(declaration) || !declaration.initializer) return false
    if (!(declaration.parent.flags & ts.NodeFlags.Const)) return false
    const proof = this.of(declaration.initializer)
    return proof === 'text' || proof === 'number' || proof === 'texts'
  }
}

/** Without parentheses and without what only asserts a type. */
export function unwrap(node: ts.Expression): ts.Expression {
  let at = node
  for (;;) {
    if (
      ts.isParenthesizedExpression(at) ||
      ts.isAsExpression(at) ||
      ts.isNonNullExpression(at) ||
      ts.isSatisfiesExpression(at) ||
      ts.isTypeAssertionExpression(at)
    ) {
      at = at.expression
    } else return at
  }
}

function hasAssertion(node: ts.Expression): boolean {
  let at = node
  for (;;) {
    if (ts.isAsExpression(at)) {
      if (!ts.isConstTypeReference(at.type)) return true
      at = at.expression
    } else if (ts.isTypeAssertionExpression(at) || ts.isNonNullExpression(at)) return true
    else if (ts.isParenthesizedExpression(at) || ts.isAwaitExpression(at) || ts.isSatisfiesExpression(at))
      at = at.expression
    else return false
  }
}

/** `user` of `user.address.city`. */
function rootOf(node: ts.Expression): ts.Expression {
  let at = unwrap(node)
  while (ts.isPropertyAccessExpression(at) || ts.isElementAccessExpression(at)) at = unwrap(at.expression)
  return at
}

function initializerOf(declaration: ts.Declaration): ts.Expression | undefined {
  if (ts.isVariableDeclaration(declaration)) {
    const { initializer } = declaration
    if (initializer) return initializer
    const { parent } = declaration
    return ts.isForOfStatement(parent.parent) ? parent.parent.expression : undefined
  }
  if (ts.isBindingElement(declaration)) {
    let at: ts.Node = declaration
    while (ts.isBindingElement(at) || ts.isObjectBindingPattern(at) || ts.isArrayBindingPattern(at)) at = at.parent
    return ts.isVariableDeclaration(at) ? at.initializer : undefined
  }
  return undefined
}

function isTextConcatenation(node: ts.Expression): boolean {
  if (!ts.isBinaryExpression(node) || node.operatorToken.kind !== ts.SyntaxKind.PlusToken) return false
  return [node.left, node.right]
    .map(unwrap)
    .some((side) => ts.isStringLiteralLike(side) || ts.isTemplateExpression(side) || isTextConcatenation(side))
}

function isArithmetic(operator: ts.SyntaxKind): boolean {
  return (
    operator === ts.SyntaxKind.AsteriskToken ||
    operator === ts.SyntaxKind.SlashToken ||
    operator === ts.SyntaxKind.MinusToken ||
    operator === ts.SyntaxKind.PercentToken ||
    operator === ts.SyntaxKind.AsteriskAsteriskToken
  )
}

function isReadonly(type: ts.Type): boolean {
  const { target } = type as ts.TypeReference & { target?: { readonly?: boolean } }
  return type.getSymbol()?.name === 'ReadonlyArray' || target.readonly === true
}

function isBuffer(type: ts.Type): boolean {
  return type.getSymbol()?.name === 'Buffer'
}

function weaker(a: Proof, b: Proof): Proof {
  if (a === b) return a
  return a === 'unknown' || b === 'unknown' || a === 'texts' || b === 'texts' ? 'unknown' : 'scalar'
}
