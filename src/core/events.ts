/** The bus for events and operations. A listener that throws never affects the operation that it observes. */
import type { EventMap } from './event-map.ts'
import { observed, type Operation, type OperationObserver } from './operations.ts'

/** Name of an event. */
export type EventName = keyof EventMap
/** Called with each event of one name. */
export type Listener<Name extends EventName> = (event: EventMap[Name]) => void
/** Called with the name and the fields of each event. */
export type AnyListener = (name: EventName, event: EventMap[EventName]) => void

/** Subscribes to events. Listeners run synchronously; one that throws affects neither the caller nor other listeners. */
export interface Events {
  /** Subscribes to one event. Returns the function that unsubscribes. */
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void
  /** Subscribes to every event: for logs and metrics. Returns the function that unsubscribes. */
  onAny(listener: AnyListener): () => void
  /** Wraps operations, for traces. Returns the function that stops it. */
  observe(observer: OperationObserver): () => void
}

/** The emitting side, for the parts of Coatcheck. */
export class EventBus implements Events {
  readonly #listeners = new Map<EventName, Set<(event: never) => void>>()
  readonly #any = new Set<AnyListener>()
  readonly #observers = new Set<OperationObserver>()

  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void {
    const set = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, set.add(listener))
    return () => set.delete(listener)
  }

  onAny(listener: AnyListener): () => void {
    this.#any.add(listener)
    return () => this.#any.delete(listener)
  }

  observe(observer: OperationObserver): () => void {
    this.#observers.add(observer)
    return () => this.#observers.delete(observer)
  }

  /** Hot paths check it before they describe an operation. */
  get isObserved(): boolean {
    return this.#observers.size > 0
  }

  observers(): ReadonlySet<OperationObserver> {
    return this.#observers
  }

  /** Runs `run` inside all observers. Without observers it only calls `run()`. */
  operation<T>(operation: Operation<T>, run: () => Promise<T>): Promise<T> {
    return observed(this.observers(), operation, run)
  }

  /** Returns true if the event has a listener. Hot paths then skip building an event without a reader. */
  hasListeners(name: EventName): boolean {
    return this.#any.size > 0 || (this.#listeners.get(name)?.size ?? 0) > 0
  }

  emit<Name extends EventName>(name: Name, event: EventMap[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) guarded(() => listener(event as never))
    for (const listener of this.#any) guarded(() => listener(name, event))
  }
}

function guarded(call: () => void): void {
  try {
    call()
  } catch {
    // The observer's failure belongs to the observer: the observed operation has already been decided.
  }
}
