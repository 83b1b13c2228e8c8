/**
 * Instances that share a connection each receive its events, as the same event object. A logger or a registry that serves several
 * instances handles each event once.
 */
import { processState } from '../core/process-state.ts'

/** @param owner the logger or registry that receives the events of this name */
export function eachOnce<Event extends object>(
  owner: object,
  name: string,
  listener: (event: Event) => void,
): (event: Event) => void {
  const all = processState('handled-events', () => new WeakMap<object, Map<string, WeakSet<object>>>())
  const byName = all.get(owner) ?? new Map<string, WeakSet<object>>()
  all.set(owner, byName)
  const handled = byName.get(name) ?? new WeakSet<object>()
  byName.set(name, handled)
  return (event) => {
    if (handled.has(event)) return
    handled.add(event)
    listener(event)
  }
}
