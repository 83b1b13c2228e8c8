/**
 * The promise of a write. If a caller forgets `await` and the write fails, the process must continue and the failure must be reported:
 * an unhandled rejection would end the process. This promise reports a failure without a handler once. Otherwise it behaves like
 * any promise.
 * `await`, `Promise.all` and `return` in an async function call `then` of a promise whose constructor is not `Promise` itself
 * (ECMA-262 27.2.4.7.1 PromiseResolve). `then` therefore notices the handler.
 */
import { SessionError } from '../core/errors.ts'

/** The call as the caller wrote it. */
export type WriteOperation =
  | `session.${'set' | 'delete' | 'update'}`
  | `visit.${'signIn' | 'rotate' | 'signOut'}`
  | `sessions.${'create' | 'update' | 'rotate' | 'signIn' | 'revoke' | 'revokeByUser'}`

export interface WriteFailure {
  readonly operation: WriteOperation
  readonly error: unknown
}

interface Watch {
  readonly operation: WriteOperation
  readonly report: (failure: WriteFailure) => void
  readonly mayBeLost: boolean
  failure: { readonly error: unknown } | null
  isReported: boolean
}

class WatchedWrite<T> extends Promise<T> {
  #watch: Watch | null = null
  #hasHandler = false

  /** @param watch omitted by the engine, which also calls this constructor for the promises that `then` returns */
  constructor(
    executor: (resolve: (value: T | PromiseLike<T>) => void, reject: (error?: unknown) => void) => void,
    watch: Watch | null = null,
  ) {
    super((resolve, reject) => {
      const fail = (error?: unknown): void => {
        this.#failed(error)
        reject(error)
      }
      // V8 finds the callers of an `await` for `error.stack` only through its own `resolve`.
      if (watch) executor(resolve, fail)
      // A callback may return a promise that passes the failure on, for example that of `finally`.
      else executor((value) => (isThenable(value) ? void value.then(resolve, fail) : resolve(value)), fail)
    })
    this.#watch = watch
  }

  static of<T>(write: Promise<T>, watch: Watch): WatchedWrite<T> {
    const made = new WatchedWrite<T>((resolve, reject) => {
      write.then(resolve, (error: unknown) => {
        watch.failure = { error }
        reject(error)
      })
    }, watch)
    // Only on request: with a second reaction, V8 does not find the callers for `error.stack`.
    if (watch.mayBeLost) {
      write.then(
        () => made.#done(),
        () => undefined,
      )
    }
    return made
  }

  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#hasHandler = true
    const next = super.then(onFulfilled, onRejected)
    // `set(…).then(answer)` without a `catch` passes the failure on to a promise that may have no handler either.
    if (next instanceof WatchedWrite) next.#watch = this.#watch
    return next
  }

  #done(): void {
    const watch = this.#watch
    setImmediate(() => {
      if (this.#hasHandler || !watch || watch.isReported) return
      watch.isReported = true
      watch.report({ operation: watch.operation, error: new SessionError('COATCHECK_HEADERS_SENT') })
    })
  }

  #failed(error: unknown): void {
    const watch = this.#watch
    // An error that the caller's callback throws belongs to the caller: it stays an unhandled rejection.
    if (this.#hasHandler || watch?.failure?.error !== error || !watch?.failure) return
    // Marks the rejection as handled for Node, which decides after the microtasks of this turn. `setImmediate` also runs after them.
    super.then(undefined, () => undefined)
    setImmediate(() => {
      if (this.#hasHandler || watch.isReported) return
      watch.isReported = true
      watch.report({ operation: watch.operation, error })
    })
  }
}

/**
 * @param write the caller gets a promise with the same value and the same failure
 * @param report called at most once, after the failure, if no handler is attached by the end of that turn of the event loop
 * @param mayBeLost true: a success that no caller awaits is reported too, as `COATCHECK_HEADERS_SENT`
 */
export function watchedWrite<T>(
  write: Promise<T>,
  operation: WriteOperation,
  report: (failure: WriteFailure) => void,
  mayBeLost = false,
): Promise<T> {
  return WatchedWrite.of(write, { operation, report, mayBeLost, failure: null, isReported: false })
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
