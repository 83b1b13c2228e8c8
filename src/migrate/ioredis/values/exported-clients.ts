/** Whether a module of the project hands a client to the code that loads it: by itself, in an object, or by a function. */
import { ts } from 'ts-morph'
import { isIoredisKind, type Kinds } from '../kinds.ts'
import { packageOf } from '../package-of.ts'
import type { ClientValues } from './client-values.ts'

const MOST_DEPTH = 3
const MOST_MEMBERS = 50

export class ExportedClients {
  readonly #kinds: Kinds
  readonly #clientValues: ClientValues

  constructor(kinds: Kinds, clientValues: ClientValues) {
    this.#kinds = kinds
    this.#clientValues = clientValues
  }

  /** @param names exports that count; null for all */
  isIn(file: ts.SourceFile, names: ReadonlySet<string> | null = null): boolean {
    const { checker } = this.#kinds
    // The checker gives no symbol for a CommonJS module in JavaScript.
    const module = checker.getSymbolAtLocation(file) ?? (file as { symbol?: ts.Symbol }).symbol
    if (!module) return false
    const whole = module.exports?.get(ts.InternalSymbolName.ExportEquals)
    if (whole && this.#isClient(whole, file)) return true
    return checker
      .getExportsOfModule(module)
      .some((one) => (names === null || names.has(one.name)) && this.#isClient(one, file, 0))
  }

  /** @param depth where the members of the value count too */
  #isClient(symbol: ts.Symbol, file: ts.SourceFile, depth = MOST_DEPTH): boolean {
    const { checker } = this.#kinds
    const real = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
    const type = checker.getTypeOfSymbolAtLocation(real, file)
    return type.flags & ts.TypeFlags.Any ? this.#clientValues.mayHold(real) : this.#reaches(type, file, depth)
  }

  #reaches(type: ts.Type, file: ts.SourceFile, depth: number): boolean {
    const { checker } = this.#kinds
    const kind = this.#kinds.ofType(type)
    if (isIoredisKind(kind) || kind === 'mixed' || kind === 'class' || kind === 'cluster-class') return true
    if (depth >= MOST_DEPTH) return false
    const deeper = (one: ts.Type): boolean => this.#reaches(one, file, depth + 1)
    if (type.isUnionOrIntersection()) return type.types.some((one) => this.#reaches(one, file, depth))
    const made = [...type.getCallSignatures(), ...type.getConstructSignatures()].map((one) => one.getReturnType())
    if (made.some((one) => deeper(checker.getAwaitedType(one) ?? one))) return true
    const declaration = type.getSymbol()?.declarations?.[0]
    if (!declaration || packageOf(declaration.getSourceFile().fileName) !== null) return false
    const members = type.getProperties().filter(isVisible)
    return members.length <= MOST_MEMBERS && members.some((one) => deeper(checker.getTypeOfSymbolAtLocation(one, file)))
  }
}

/** False for what code outside of its object does not use. */
function isVisible({ name, declarations }: ts.Symbol): boolean {
  const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected
  return !/^(?:_|#)/.test(name) && !declarations?.some((one) => ts.getCombinedModifierFlags(one) & hidden)
}
