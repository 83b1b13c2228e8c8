/**
 * Instances that share a connection hear of it each, by the same event object. Whoever writes or counts for several of them, a
 * logger or a registry, takes each event once.
 */
import { processState } from '../core/process-state.ts'

/** @param owner what the events of this name end up in */
export function eachOnce<Event extends object>(
  owner: object,
  name: string,
  listener: (event: Event) => void,
): (event: Event) => void {
  const all = processState('events-told', () => new WeakMap<object, Map<string, WeakSet<object>>>())
  const byName = all.get(owner) ?? new Map<string, WeakSet<object>>()
  all.set(owner, byName)
  const told = byName.get(name) ?? new WeakSet<object>()
  byName.set(name, told)
  return (event) => {
    if (told.has(event)) return
    told.add(event)
    listener(event)
  }
}
