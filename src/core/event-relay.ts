/**
 * A bus that passes on to other buses: what several instances share (a connection, the token cache) reports to the listeners
 * of each of them. Listens to nothing itself, so that "does anybody listen" stays a true answer on hot paths.
 */
import { EventBus, type EventMap, type EventName } from './events.ts'

export class EventRelay extends EventBus {
  readonly #targets = new Set<EventBus>()

  /** Returns how to stop. */
  attach(bus: EventBus): () => void {
    this.#targets.add(bus)
    return () => this.#targets.delete(bus)
  }

  override hasListeners(name: EventName): boolean {
    for (const bus of this.#targets) if (bus.hasListeners(name)) return true
    return super.hasListeners(name)
  }

  override emit<Name extends EventName>(name: Name, event: EventMap[Name]): void {
    super.emit(name, event)
    for (const bus of this.#targets) bus.emit(name, event)
  }
}
