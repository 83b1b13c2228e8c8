/** The bus that events and operations are reported on. A listener that throws never disturbs what it listens to. */
import type { EventMap } from './event-map.ts'
import { observed, type Operation, type OperationObserver } from './operations.ts'

/** Name of an event. */
export type EventName = keyof EventMap
/** Called with each event of one name. */
export type Listener<Name extends EventName> = (event: EventMap[Name]) => void
/** Called with the name and the fields of each event. */
export type AnyListener = (name: EventName, event: EventMap[EventName]) => void

/** Subscribes to events. Listeners run synchronously; one that throws disturbs neither the caller nor other listeners. */
export interface Events {
  /** Subscribes to one event. Returns the function that unsubscribes. */
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void
  /** Every event: for logs and metrics. Returns how to stop listening. */
  onAny(listener: AnyListener): () => void
  /** Wraps operations, for traces. Returns how to stop. */
  observe(observer: OperationObserver): () => void
}

/** The emitting side, handed to the parts of Coatcheck. */
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

  /** Asked on hot paths before an operation is described. */
  get isObserved(): boolean {
    return this.#observers.size > 0
  }

  observers(): ReadonlySet<OperationObserver> {
    return this.#observers
  }

  /** Runs it inside of all observers. Without any it is `run()`, and costs nothing. */
  operation<T>(operation: Operation<T>, run: () => Promise<T>): Promise<T> {
    return observed(this.observers(), operation, run)
  }

  /** True when somebody listens: lets hot paths skip building an event that nobody reads. */
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
    // An observer's failure is the observer's: the operation that it watches has already been decided.
  }
}
