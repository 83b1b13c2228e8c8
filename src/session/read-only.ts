/**
 * Makes the values of a session read-only: an assignment throws an error that names `set()` and `update()`. `Object.freeze` alone is
 * silent in sloppy mode, which is every CommonJS file without 'use strict'. A proxy without a `get` trap throws in both modes and
 * leaves reads to the engine. Reasons and cost: docs/decisions/0020-read-only-sessions.md.
 */
import { MisuseError } from '../core/errors.ts'
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
