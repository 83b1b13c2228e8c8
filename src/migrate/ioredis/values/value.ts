/** What an expression can be at run time, as far as the sources of the project tell. The type checker says `any` there. */
import type { ts } from 'ts-morph'
import type { Kind } from '../kinds.ts'

export type Value =
  /** Of ioredis. */
  | { readonly is: 'redis'; readonly kind: Kind }
  /** An object literal, a function, a module, or a class and its instances. */
  | { readonly is: 'made'; readonly by: ts.Node }
  | { readonly is: 'global' }
  /** From a package, or from the language; `name` of the property or parameter that it was read from. */
  | { readonly is: 'outside'; readonly module: string; readonly name: string | null }
  /** A text, a number, a reply: anything that has no commands. */
  | { readonly is: 'other' }
  /** `name` of the property, parameter or registration that it was read from. */
  | { readonly is: 'unknown'; readonly name: string | null }

export type Values = ReadonlySet<Value>

/** Where a member of a client gives something that the codemod does not know. */
export const OF_CLIENT = '(of a client)'

const made = new WeakMap<ts.Node, Value>()
const named = new Map<string, Value>()

function once(key: string, make: () => Value): Value {
  const known = named.get(key)
  if (known) return known
  const value = make()
  named.set(key, value)
  return value
}

export const NONE: Values = new Set()
export const GLOBAL = once('global', () => ({ is: 'global' }))
export const OTHER = once('other', () => ({ is: 'other' }))

export function redisOf(kind: Kind): Value {
  return once(`redis ${kind}`, () => ({ is: 'redis', kind }))
}

export function unknownOf(name: string | null): Value {
  return once(`unknown ${String(name)}`, () => ({ is: 'unknown', name }))
}

export function outsideOf(module: string, name: string | null): Value {
  return once(`outside ${module} ${String(name)}`, () => ({ is: 'outside', module, name }))
}

export function madeBy(by: ts.Node): Value {
  let value = made.get(by)
  if (!value) {
    value = { is: 'made', by }
    made.set(by, value)
  }
  return value
}

export function union(all: Iterable<Values>): Values {
  const result = new Set<Value>()
  for (const values of all) for (const value of values) result.add(value)
  return result
}

export function one(value: Value): Values {
  return new Set([value])
}
