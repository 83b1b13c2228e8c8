/**
 * State that must be one per process although this module may be evaluated several times (a Next process does it four times,
 * a development server on every reload): it hangs on `globalThis` under a registered symbol.
 */

/** Carries the version of the shapes that are kept there: two incompatible copies must not meet. */
const STATE = Symbol.for('coatcheck.process-state.v1')

/** What stands under the name, made by whoever comes first. Never removed. */
export function processState<T>(name: string, create: () => T): T {
  const holder = globalThis as unknown as Record<symbol, Map<string, unknown> | undefined>
  const states = (holder[STATE] ??= new Map<string, unknown>())
  if (!states.has(name)) states.set(name, create())
  return states.get(name) as T
}
