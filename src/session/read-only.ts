/**
 * Makes the values of a session read-only: an assignment throws an error that names `set()` and `update()`. `Object.freeze` alone is
 * silent in sloppy mode, which is every CommonJS file without 'use strict'. A proxy throws in both modes. Only the outermost
 * object of parsed JSON has a `get` trap; the engine reads all others. Reasons and cost: docs/decisions/0020-read-only-sessions.md and 0029.
 */
import { MisuseError } from '../core/errors.ts'
import { parseShallowJson } from '../core/json.ts'
import { safeText } from '../core/redact.ts'
import type { DeepReadonly } from './types.ts'

/** The name of the object in messages. */
export type ReadOnlyName = 'session.data' | 'session.user' | 'session.authentication'

const handlers: Readonly<Record<ReadOnlyName, ProxyHandler<object>>> = {
  'session.data': handlerOf('session.data'),
  'session.user': handlerOf('session.user'),
  'session.authentication': handlerOf('session.authentication'),
}

/**
 * Freezes JSON data in place from the leaves up, and wraps each object and array of it in a proxy. It makes the proxies once per record,
 * not at each read. Objects that are neither plain nor arrays (a schema may make a Date) are only frozen: their methods refuse a proxy.
 */
export function readOnly<T extends object>(value: T, name: ReadOnlyName): DeepReadonly<T> {
  return guarded(value, handlers[name]) as DeepReadonly<T>
}

/**
 * Returns the data of a JSON text, read-only like the result of `readOnly`. Its objects have no prototype. A member that is an object or an
 * array is made read-only when it is first read: most requests read a few fields, and protecting all of them costs more than parsing.
 */
export function readOnlyJson<T extends object>(text: string, name: ReadOnlyName): DeepReadonly<T> {
  return new Proxy(parseShallowJson(text), new LazyMembers(handlers[name])) as DeepReadonly<T>
}

/** The handler of one object. It protects a member before it returns it, and all members before it says that the object is frozen. */
class LazyMembers implements ProxyHandler<object> {
  readonly #handler: ProxyHandler<object>
  readonly #members = new Map<PropertyKey, object>()
  #isWhole = false

  constructor(handler: ProxyHandler<object>) {
    this.#handler = handler
  }

  get(target: object, key: PropertyKey): unknown {
    const member: unknown = (target as Record<PropertyKey, unknown>)[key]
    return typeof member !== 'object' || member === null || this.#isWhole ? member : this.#member(target, key, member)
  }

  getOwnPropertyDescriptor(target: object, key: PropertyKey): PropertyDescriptor | undefined {
    this.get(target, key)
    return Reflect.getOwnPropertyDescriptor(target, key)
  }

  isExtensible(target: object): boolean {
    return Reflect.isExtensible(this.#whole(target))
  }

  preventExtensions(target: object): boolean {
    return Reflect.preventExtensions(this.#whole(target))
  }

  set(target: object, key: string | symbol, value: unknown, receiver: unknown): boolean {
    return this.#handler.set?.(this.#whole(target), key, value, receiver) ?? false
  }

  deleteProperty(target: object, key: string | symbol): boolean {
    return this.#handler.deleteProperty?.(target, key) ?? false
  }

  defineProperty(target: object, key: string | symbol, descriptor: PropertyDescriptor): boolean {
    return this.#handler.defineProperty?.(this.#whole(target), key, descriptor) ?? false
  }

  setPrototypeOf(target: object, prototype: object | null): boolean {
    return this.#handler.setPrototypeOf?.(this.#whole(target), prototype) ?? false
  }

  #member(target: object, key: PropertyKey, member: object): object {
    const known = this.#members.get(key)
    if (known) return known
    const made = guardedJson(member, this.#handler)
    ;(target as Record<PropertyKey, unknown>)[key] = made
    this.#members.set(key, made)
    return made
  }

  #whole(target: object): object {
    if (this.#isWhole) return target
    for (const key of Object.keys(target)) this.get(target, key)
    this.#isWhole = true
    return Object.freeze(target)
  }
}

/** As `guarded`, for values that `JSON.parse` made. Also removes the prototypes: one pass over the value instead of two. */
function guardedJson(value: object, handler: ProxyHandler<object>): object {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = guardedJsonMember(value[i], handler)
  } else {
    const members = value as Record<string, unknown>
    for (const key in members) {
      // The loop also visits names that another library has put on `Object.prototype`.
      if (!Object.hasOwn(members, key)) continue
      const member = members[key]
      if (typeof member === 'object' && member !== null) members[key] = guardedJson(member, handler)
    }
    Object.setPrototypeOf(value, null)
  }
  return new Proxy(Object.freeze(value), handler)
}

function guardedJsonMember(member: unknown, handler: ProxyHandler<object>): unknown {
  return typeof member === 'object' && member !== null ? guardedJson(member, handler) : member
}

/**
 * Copies plain objects (the copies have no prototype) and arrays. A schema may return a constant of the application, which must not be
 * frozen.
 */
export function copyOfPlain<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copyOfPlain) as T
  if (!isPlain(value)) return value
  const copy = Object.fromEntries(Object.entries(value).map(([key, member]) => [key, copyOfPlain(member)]))
  return Object.setPrototypeOf(copy, null) as T
}

/**
 * Makes instances of a class read-only from outside. An assignment to an accessor, or to a name that does not exist, also throws in sloppy
 * mode. Methods can still be replaced, as tests do. The proxy ends the prototype chain, so reads of existing names never reach it.
 */
export function refuseAssignments(prototype: object, name: string): void {
  for (const [key, { get, set }] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    if (!get || set) continue
    Object.defineProperty(prototype, key, {
      set() {
        throw refusal('assign to', key, name)
      },
    })
  }
  const end = new Proxy(Object.prototype, {
    set(target, key, value, receiver) {
      // Symbols are marks of tools (tracing, test runners), never data that the application meant to store.
      if (typeof key === 'symbol') return Reflect.set(target, key, value, receiver)
      throw refusal('assign to', key, name)
    },
  })
  Object.setPrototypeOf(prototype, end)
}

function guarded(value: object, handler: ProxyHandler<object>): object {
  const members = value as Record<string, unknown>
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = guardedMember(value[i], handler)
  } else {
    for (const key in members) {
      const member = members[key]
      if (typeof member === 'object' && member !== null) members[key] = guardedMember(member, handler)
    }
  }
  return new Proxy(Object.freeze(value), handler)
}

function guardedMember(member: unknown, handler: ProxyHandler<object>): unknown {
  if (typeof member !== 'object' || member === null) return member
  return isPlain(member) || Array.isArray(member) ? guarded(member, handler) : Object.freeze(member)
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function handlerOf(name: ReadOnlyName): ProxyHandler<object> {
  return {
    set(target, key, value, receiver) {
      // An assignment succeeds only on an object that inherits from this one. The target is frozen.
      if (Reflect.set(target, key, value, receiver)) return true
      throw refusal('assign to', key, name)
    },
    deleteProperty(_target, key) {
      throw refusal('delete', key, name)
    },
    defineProperty(target, key, descriptor) {
      // `Object.freeze(session.data)` defines the existing properties again, and that is no change.
      if (Reflect.defineProperty(target, key, descriptor)) return true
      throw refusal('assign to', key, name)
    },
    setPrototypeOf(target, prototype) {
      if (Reflect.setPrototypeOf(target, prototype)) return true
      throw refusal('assign to', '__proto__', name)
    },
  }
}

function refusal(action: 'assign to' | 'delete', key: string | symbol, name: string): MisuseError {
  return new MisuseError(
    'COATCHECK_SESSION_READ_ONLY',
    `Cannot ${action} "${safeText(String(key), 60)}" of ${name}${name === 'session' ? '' : ', or of a value inside it'}: a session is a read-only snapshot. To store a value, use session.set() or session.update().`,
  )
}
