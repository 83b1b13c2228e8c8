/**
 * A bus that forwards to other buses. Resources that several instances share (a connection, the token cache) report through it to the
 * listeners of each instance. It has no listeners of its own, so `hasListeners` stays correct on hot paths.
 */
import type { EventMap } from './event-map.ts'
import { EventBus, type EventName } from './events.ts'
import type { OperationObserver } from './operations.ts'

type RedisStatus = EventMap['redis.status']

export class EventRelay extends EventBus {
  readonly #targets = new Set<EventBus>()
  /** The last status of the connection and of the circuit of each server, for buses that attach later. */
  readonly #statuses = new Map<string, RedisStatus>()

  /** Reports the current statuses to the bus, and forwards all later events. Returns the function that detaches it. */
  attach(bus: EventBus): () => void {
    this.#targets.add(bus)
    for (const status of this.#statuses.values()) bus.emit('redis.status', status)
    return () => this.#targets.delete(bus)
  }

  override hasListeners(name: EventName): boolean {
    for (const bus of this.#targets) if (bus.hasListeners(name)) return true
    return super.hasListeners(name)
  }

  override emit<Name extends EventName>(name: Name, event: EventMap[Name]): void {
    if (name === 'redis.status') this.#remember(event as RedisStatus)
    super.emit(name, event)
    for (const bus of this.#targets) bus.emit(name, event)
  }

  /** Returns each observer once, although several instances may share it. */
  override observers(): ReadonlySet<OperationObserver> {
    const [only, ...others] = [...this.#targets].map((bus) => bus.observers()).filter(({ size }) => size > 0)
    if (only === undefined) return super.observers()
    return others.length === 0 ? only : new Set([only, ...others].flatMap((observers) => [...observers]))
  }

  override get isObserved(): boolean {
    for (const bus of this.#targets) if (bus.isObserved) return true
    return false
  }

  #remember(event: RedisStatus): void {
    this.#statuses.set(`${event.server} ${String(event.status.startsWith('circuit'))}`, event)
  }
}
