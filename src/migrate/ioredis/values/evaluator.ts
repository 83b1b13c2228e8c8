/**
 * Follows values through the sources where the type checker sees `any`: a field that gets its client in another file, a property of an
 * untyped object, a parameter. Flow-insensitive: all values that a place ever gets count.
 */
import { ts } from 'ts-morph'
import { unwrap } from '../arguments.ts'
import { isBufferCommand, isCommand } from '../commands.ts'
import { isIoredisKind, type Kinds } from '../kinds.ts'
import { packageOf } from '../package-of.ts'
import { Declarations } from './declarations.ts'
import type { Follower } from './follower.ts'
import { Modules, requiredModule } from './modules.ts'
import {
  GLOBAL,
  madeBy,
  NONE,
  OF_CLIENT,
  one,
  OTHER,
  outsideOf,
  redisOf,
  union,
  unknownOf,
  type Value,
  type Values,
} from './value.ts'
import { propertyOf, type Writes } from './writes.ts'

const MOST_DEPTH = 80
/** Places that one question may look at. */
const MOST_STEPS = 20_000
const UNKNOWN: Values = one(unknownOf(null))

export class Evaluator implements Follower {
  readonly kinds: Kinds
  readonly writes: Writes
  readonly modules: Modules
  readonly declarations: Declarations
  readonly #known = new Map<ts.Node, Values>()
  readonly #active = new Set<ts.Node>()
  #steps = 0
  /** True if a cycle or a limit has cut the current answer short: it is not kept then. */
  #isCut = false

  constructor(kinds: Kinds, writes: Writes, sources: readonly ts.SourceFile[]) {
    this.kinds = kinds
    this.writes = writes
    this.modules = new Modules(this, sources)
    this.declarations = new Declarations(this)
  }

  of(given: ts.Node): Values {
    const node = ts.isExpression(given) ? unwrap(given) : given
    const known = this.#known.get(node)
    if (known) return known
    if (this.#active.has(node)) {
      this.#isCut = true
      return NONE
    }
    const isTop = this.#active.size === 0
    if (isTop) this.#steps = 0
    this.#steps += 1
    if (this.#active.size > MOST_DEPTH || this.#steps > MOST_STEPS) {
      this.#isCut = true
      return UNKNOWN
    }
    const wasCut = this.#takeCut()
    this.#active.add(node)
    const values = ts.isExpression(node) ? this.#ofExpression(node) : NONE
    this.#active.delete(node)
    const isCut = this.#takeCut()
    if (isTop || !isCut) this.#known.set(node, values)
    this.#isCut = !isTop && (isCut || wasCut)
    return values
  }

  /** Whether an answer was cut short since the last question. */
  #takeCut(): boolean {
    const isCut = this.#isCut
    this.#isCut = false
    return isCut
  }

  /** What the property of an object can be. */
  property(object: Value, name: string): Values {
    switch (object.is) {
      case 'redis':
        return one(unknownOf(OF_CLIENT))
      case 'other':
        return one(OTHER)
      case 'outside':
        return one(outsideOf(object.module, name))
      case 'unknown':
        return one(unknownOf(object.name === OF_CLIENT ? OF_CLIENT : name))
      case 'global':
        return this.#withWrites(object, name, NONE)
      case 'made':
        return this.#withWrites(object, name, this.declarations.memberOf(object.by, name))
    }
  }

  #ofExpression(node: ts.Expression): Values {
    const typed = this.#byType(node)
    if (typed) return typed
    if (ts.isAwaitExpression(node)) return this.of(node.expression)
    if (ts.isIdentifier(node)) return this.#ofIdentifier(node)
    if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) return this.#ofAccess(node)
    if (node.kind === ts.SyntaxKind.ThisKeyword) return this.declarations.ofThis(node)
    if (ts.isConditionalExpression(node)) return union([this.of(node.whenTrue), this.of(node.whenFalse)])
    if (ts.isBinaryExpression(node)) return this.#ofBinary(node)
    if (ts.isCallExpression(node)) return this.#ofCall(node)
    if (ts.isNewExpression(node)) return this.#ofNew(node)
    if (
      ts.isObjectLiteralExpression(node) ||
      ts.isArrayLiteralExpression(node) ||
      ts.isFunctionLike(node) ||
      ts.isClassExpression(node)
    )
      return one(madeBy(node))
    if (node.kind === ts.SyntaxKind.NullKeyword || ts.isVoidExpression(node)) return NONE
    return ts.isLiteralExpression(node) || ts.isTemplateExpression(node) || isBoolean(node) ? one(OTHER) : UNKNOWN
  }

  /** Where the type says enough: a client, an object or a class of the project, something of a package, a text. */
  #byType(node: ts.Expression): Values | null {
    const { checker } = this.kinds
    const type = checker.getTypeAtLocation(node)
    const kind = this.kinds.ofType(checker.getAwaitedType(type) ?? type)
    if (isIoredisKind(kind) || kind === 'class' || kind === 'cluster-class') return one(redisOf(kind))
    const parts = type.isUnion() ? type.types : [type]
    const values: Value[] = []
    for (const part of parts) {
      if (part.flags & (ts.TypeFlags.Null | ts.TypeFlags.Undefined | ts.TypeFlags.Void | ts.TypeFlags.Never)) {
        // `{ client: null }` in JavaScript says nothing about what comes later.
        if (parts.length === 1) return null
        continue
      }
      const value = this.#ofTypePart(part)
      if (!value) return null
      values.push(value)
    }
    return new Set(values)
  }

  #ofTypePart(type: ts.Type): Value | null {
    if (
      type.flags &
      (ts.TypeFlags.StringLike | ts.TypeFlags.NumberLike | ts.TypeFlags.BooleanLike | ts.TypeFlags.BigIntLike)
    )
      return OTHER
    const declaration = type
      .getSymbol()
      ?.declarations?.find((each) => !ts.isInterfaceDeclaration(each) || each.heritageClauses)
    if (!declaration || !(type.flags & ts.TypeFlags.Object)) return null
    const file = declaration.getSourceFile()
    const from = packageOf(file.fileName)
    if (from !== null && from !== 'typescript' && from !== '@types/node') return outsideOf(from, null)
    if (
      ts.isObjectLiteralExpression(declaration) ||
      ts.isClassLike(declaration) ||
      ts.isSourceFile(declaration) ||
      (ts.isFunctionLike(declaration) && 'body' in declaration && declaration.body)
    )
      return from === null ? madeBy(declaration) : null
    return null
  }

  #ofIdentifier(node: ts.Identifier): Values {
    if (node.text === 'undefined') return NONE
    if (/^(?:global|globalThis|window|self)$/.test(node.text)) return one(GLOBAL)
    if (node.text === 'exports' && this.modules.isExportsOf(node)) return this.modules.exportsOf(node.getSourceFile())
    const { checker } = this.kinds
    const symbol =
      ts.isShorthandPropertyAssignment(node.parent) && node.parent.name === node
        ? checker.getShorthandAssignmentValueSymbol(node.parent)
        : checker.getSymbolAtLocation(node)
    return symbol ? this.declarations.ofSymbol(symbol) : this.property(GLOBAL, node.text)
  }

  #ofAccess(node: ts.PropertyAccessExpression | ts.ElementAccessExpression): Values {
    if (node.getText() === 'module.exports') return this.modules.exportsOf(node.getSourceFile())
    const name = propertyOf(node)
    const objects = this.of(node.expression)
    if (name === null) return this.#elementsOf(objects)
    if (objects.size === 0) return one(unknownOf(name))
    return union([...objects].map((object) => this.property(object, name)))
  }

  /** `list[0]`, and `clients[name]` of an object literal. */
  #elementsOf(objects: Values): Values {
    return union(
      [...objects].map((object) => {
        if (object.is === 'redis') return one(unknownOf(OF_CLIENT))
        if (object.is !== 'made') return one(object)
        if (ts.isArrayLiteralExpression(object.by)) return union(object.by.elements.map((element) => this.of(element)))
        return UNKNOWN
      }),
    )
  }

  #ofBinary({ left, right, operatorToken }: ts.BinaryExpression): Values {
    switch (operatorToken.kind) {
      case ts.SyntaxKind.EqualsToken:
      case ts.SyntaxKind.CommaToken:
      case ts.SyntaxKind.AmpersandAmpersandToken:
        return this.of(right)
      case ts.SyntaxKind.BarBarToken:
      case ts.SyntaxKind.QuestionQuestionToken:
      case ts.SyntaxKind.QuestionQuestionEqualsToken:
      case ts.SyntaxKind.BarBarEqualsToken:
        return union([this.of(left), this.of(right)])
      default:
        return one(OTHER)
    }
  }

  #ofCall(node: ts.CallExpression): Values {
    const { expression: callee, arguments: args } = node
    const [first] = args
    const text = callee.getText()
    if (/^(?:Object\.(?:assign|freeze|seal)|Promise\.resolve)$/.test(text)) return first ? this.of(first) : NONE
    const module = requiredModule(node)
    if (module) return this.modules.ofSpecifier(module)
    const name = propertyOf(unwrap(callee))
    if (name !== null) {
      const receiver = (unwrap(callee) as ts.PropertyAccessExpression | ts.ElementAccessExpression).expression
      if (name === 'catch' || name === 'finally') return this.of(receiver)
      if (name === 'then' && first) return this.#returnsOf(first)
      const objects = this.of(receiver)
      const redis = [...objects].filter((value) => value.is === 'redis')
      if (redis.length > 0 && redis.length === objects.size) return this.#ofCommand(name, redis)
      if (first && ts.isStringLiteralLike(first) && /^(?:get|resolve|inject|lookup|use)$/.test(name)) {
        const asked = this.declarations.returnsOf(this.kinds.checker.getResolvedSignature(node)?.declaration)
        return asked ?? one(unknownOf(first.text))
      }
      if (name === 'get' && first) return one(unknownOf('*'))
    }
    const declared = this.declarations.returnsOf(this.kinds.checker.getResolvedSignature(node)?.declaration)
    return declared ?? this.#returnsOf(callee)
  }

  /** What a command, or another method, of a client gives. */
  #ofCommand(name: string, receivers: readonly (Value & { is: 'redis' })[]): Values {
    if (name === 'pipeline' || name === 'multi') return one(redisOf('chain'))
    if (name === 'duplicate' || /^(?:on|once|off|addListener|removeListener)$/.test(name)) return new Set(receivers)
    if (receivers.some(({ kind }) => kind === 'chain')) return name === 'exec' ? one(OTHER) : one(redisOf('chain'))
    return isCommand(name) || isBufferCommand(name) || /^(?:connect|quit|disconnect|call)$/.test(name)
      ? one(OTHER)
      : one(unknownOf(OF_CLIENT))
  }

  #returnsOf(callee: ts.Expression): Values {
    return union(
      [...this.of(callee)].map((value) => {
        if (value.is === 'made') return this.declarations.returnsOf(value.by) ?? UNKNOWN
        return value.is === 'redis' ? one(unknownOf(OF_CLIENT)) : one(value)
      }),
    )
  }

  #ofNew(node: ts.NewExpression): Values {
    const [first] = node.arguments ?? []
    if (node.expression.getText() === 'Promise' && first) return this.declarations.resolvedBy(first)
    return union([...this.of(node.expression)].map((value) => (value.is === 'redis' ? UNKNOWN : one(value))))
  }

  #withWrites(object: Value, name: string, own: Values): Values {
    const found = union([
      own,
      ...this.writes.toProperty(name).map(({ target, value }) => {
        const targets = this.of(target)
        return targets.has(object) || [...targets].some(({ is }) => is === 'unknown') ? this.of(value) : NONE
      }),
    ])
    return found.size > 0 ? found : one(unknownOf(name))
  }
}

function isBoolean({ kind }: ts.Node): boolean {
  return kind === ts.SyntaxKind.TrueKeyword || kind === ts.SyntaxKind.FalseKeyword
}
