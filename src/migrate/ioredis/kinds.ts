/**
 * Classifies an expression by its type: a client, a cluster, a chain of commands, the class itself, or none of them. Only symbols of our
 * declaration of ioredis count, under any name that the code gives to them.
 */
import { ts } from 'ts-morph'
import { DECLARATION_FILE } from './declaration.ts'

export type Kind =
  | 'client'
  | 'cluster'
  /** A client or a cluster. */
  | 'either'
  | 'chain'
  | 'class'
  | 'cluster-class'
  /** An instance of a class that extends a client. */
  | 'subclass'
  /** A type made from that of a client, such as `Pick<Redis, 'get'>`. */
  | 'partial'
  /** A client or something else, such as `Redis | RedisOptions`. */
  | 'mixed'
  | 'any'
  | 'other'

const CLIENT_KINDS: ReadonlySet<Kind> = new Set<Kind>(['client', 'cluster', 'either'])

export function isClientKind(kind: Kind): boolean {
  return CLIENT_KINDS.has(kind)
}

/** True for each kind whose methods are those of ioredis. */
export function isIoredisKind(kind: Kind): boolean {
  return isClientKind(kind) || kind === 'chain' || kind === 'subclass' || kind === 'partial'
}

const MOST_DEPTH = 8

function isThere(type: ts.Type): boolean {
  return (type.flags & (ts.TypeFlags.Null | ts.TypeFlags.Undefined | ts.TypeFlags.Void)) === 0
}

/** Kinds of expressions without a type, by the values that reach them. */
export interface FollowedValues {
  /** Null if it is not certain that each value is of ioredis. */
  kindOf(node: ts.Expression): Kind | null
  kindOfDeclaration(node: ts.Declaration): Kind | null
}

/** Returns whether the type says nothing about the value: `any`, `unknown`, `never`, or only `null` and `undefined`. */
function saysNothing(type: ts.Type): boolean {
  if (type.isUnion()) return type.types.every((one) => !isThere(one))
  return (type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown | ts.TypeFlags.Never)) !== 0 || !isThere(type)
}

export class Kinds {
  readonly checker: ts.TypeChecker
  readonly #values: FollowedValues | null

  /** @param values asked where a type says nothing; null to go by types alone */
  constructor(checker: ts.TypeChecker, values: FollowedValues | null = null) {
    this.checker = checker
    this.#values = values
  }

  of(node: ts.Expression): Kind {
    const type = this.checker.getTypeAtLocation(node)
    const kind = this.ofType(type)
    return this.#values && saysNothing(type) ? (this.#values.kindOf(node) ?? kind) : kind
  }

  /** True where the type says nothing about the value. */
  isUntyped(node: ts.Expression): boolean {
    return saysNothing(this.checker.getTypeAtLocation(node))
  }

  ofDeclaration(node: ts.Declaration): Kind {
    const type = this.checker.getTypeAtLocation(node)
    const kind = this.ofType(type)
    return this.#values && saysNothing(type) ? (this.#values.kindOfDeclaration(node) ?? kind) : kind
  }

  ofType(type: ts.Type, depth = 0): Kind {
    if (type.flags & ts.TypeFlags.Any) return 'any'
    // Types can contain themselves.
    if (depth > MOST_DEPTH) return 'other'
    if (type.isUnion()) return unite(type.types.filter(isThere).map((one) => this.ofType(one, depth + 1)))
    if (type.isIntersection())
      return type.types.map((one) => this.ofType(one, depth + 1)).find(isIoredisKind) ?? 'other'
    if (type.flags & ts.TypeFlags.TypeParameter) {
      const constraint = this.checker.getBaseConstraintOfType(type)
      return constraint && constraint !== type ? this.ofType(constraint, depth + 1) : 'other'
    }
    return this.#ofObject(type, depth)
  }

  /** The kind of the receiver of `member`, also if only the member shows that it is a client. */
  ofReceiver(receiver: ts.Expression, name: ts.Node): Kind {
    const kind = this.of(receiver)
    if (kind !== 'other' && kind !== 'mixed') return kind
    const symbol = this.checker.getSymbolAtLocation(name)
    return symbol && isMethodOfIoredis(symbol) ? 'partial' : kind
  }

  #ofObject(type: ts.Type, depth: number): Kind {
    const symbol = type.getSymbol()
    if (!symbol) return 'other'
    const { target } = type as { target?: ts.Type }
    // `module.exports = new Redis()` in JavaScript has a type of its own, with the members of the class.
    const isInstance =
      type.isClassOrInterface() || target?.isClassOrInterface() === true || type.getConstructSignatures().length === 0
    if (isOfIoredis(symbol)) {
      switch (symbol.name) {
        case 'RedisClient':
          return isInstance ? 'client' : 'class'
        case 'ClusterClient':
          return isInstance ? 'cluster' : 'cluster-class'
        case 'ChainableCommander':
        case 'PipelineClass':
          return 'chain'
        case 'RedisCommander':
          return this.checker.typeToString(type).includes('pipeline') ? 'chain' : 'either'
        default:
          return 'other'
      }
    }
    if (!type.isClassOrInterface()) return 'other'
    const base = this.checker
      .getBaseTypes(type)
      .map((one) => this.ofType(one, depth + 1))
      .find(isIoredisKind)
    if (base === undefined) return 'other'
    return type.isClass() ? 'subclass' : base
  }
}

export function unite(kinds: readonly Kind[]): Kind {
  const [first] = kinds
  if (first === undefined) return 'other'
  if (kinds.every((kind) => kind === first)) return first
  if (kinds.every(isClientKind)) return 'either'
  if (kinds.every((kind) => isClientKind(kind) || kind === 'chain')) return 'partial'
  return kinds.some(isIoredisKind) ? 'mixed' : 'other'
}

/** True for a symbol that our declaration of ioredis declares, or that the project adds to it by `declare module 'ioredis'`. */
export function isOfIoredis(symbol: ts.Symbol): boolean {
  return (symbol.declarations ?? []).some(
    (declaration) =>
      declaration.getSourceFile().fileName.endsWith(`/${DECLARATION_FILE}`) || isInAugmentation(declaration),
  )
}

function isInAugmentation(node: ts.Node): boolean {
  for (let at: ts.Node | undefined = node; at; at = at.parent as ts.Node | undefined) {
    if (ts.isModuleDeclaration(at) && ts.isStringLiteral(at.name)) return at.name.text === 'ioredis'
  }
  return false
}

/** True for a method or property that a client or a chain declares. */
function isMethodOfIoredis(symbol: ts.Symbol): boolean {
  return (symbol.declarations ?? []).some((declaration) => {
    if (!declaration.getSourceFile().fileName.endsWith(`/${DECLARATION_FILE}`)) return false
    const { parent } = declaration
    return (ts.isInterfaceDeclaration(parent) || ts.isClassDeclaration(parent)) && OWNERS.has(parent.name?.text ?? '')
  })
}

const OWNERS: ReadonlySet<string> = new Set([
  'RedisClient',
  'ClusterClient',
  'RedisCommander',
  'ChainableCommander',
  'PipelineClass',
])
