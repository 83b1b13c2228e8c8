/**
 * State that must exist once per process, although this module may be evaluated several times (a Next process does it four times,
 * a development server on every reload). It is stored on `globalThis` under a registered symbol.
 */

/** The symbol contains the version of the stored shapes: two incompatible copies must not share state. */
const STATE = Symbol.for('coatcheck.process-state.v1')

/** Returns the value under the name. The first caller creates it. It is never removed. */
export function processState<T>(name: string, create: () => T): T {
  const holder = globalThis as unknown as Record<symbol, Map<string, unknown> | undefined>
  const states = (holder[STATE] ??= new Map<string, unknown>())
  if (!states.has(name)) states.set(name, create())
  return states.get(name) as T
}
