/**
 * Running operations, for traces. An event reports a result; an observer wraps the work, so that nested work can be attributed to
 * it. Facts are ids, names and codes, as in events.
 */
import type { RedisOutcome } from './event-map.ts'

/** Name of an operation that can be traced. */
export type OperationName =
  | 'session.find'
  | 'session.create'
  | 'session.update'
  | 'session.rotate'
  | 'session.sign-in'
  | 'session.end'
  | 'token.get'
  | 'token.refresh'
  | 'redis'

/** Facts about an operation: ids and names, never a token. */
export interface OperationFacts {
  /** Id of the session. */
  readonly sessionId?: string
  /** Name of the provider. */
  readonly provider?: string
  /** Resource of the token, or its scopes. */
  readonly resource?: string
  /** `found`, or the reason of a miss; `hit`; `refreshed`. */
  readonly outcome?: string
  /** For `redis`: the command as it is sent. */
  readonly command?: string
  /** For `redis`: the name of the Coatcheck script, if the command runs one. */
  readonly script?: string
  /** For `redis`: `host:port` or the path of a socket; absent for a node of a cluster. */
  readonly server?: string
}

/** One running operation, as tracers see it. */
export interface Operation<T = unknown> {
  /** Name of the operation. */
  readonly name: OperationName
  /** Facts that are known at the start of the operation. */
  readonly facts: OperationFacts
  /** Returns the facts that are known at its end. */
  readonly outcome?: (result: T) => OperationFacts
}

/** Calls `run` exactly once, immediately, and returns its result. */
export type OperationObserver = <T>(operation: Operation<T>, run: () => Promise<T>) => Promise<T>

export function observed<T>(
  observers: ReadonlySet<OperationObserver>,
  operation: Operation<T>,
  run: () => Promise<T>,
): Promise<T> {
  let wrapped = run
  for (const observer of observers) {
    const inner = wrapped
    wrapped = () => observer(operation, inner)
  }
  return wrapped()
}

/** Returns the outcome of the operation for an error code of the store. */
export function redisOutcomeOf(code: string): Exclude<RedisOutcome, 'ok'> {
  if (code === 'COATCHECK_REDIS_TIMEOUT') return 'timeout'
  return STORE_UNAVAILABLE.has(code) ? 'unavailable' : 'error'
}

const STORE_UNAVAILABLE = new Set([
  'COATCHECK_REDIS_UNREACHABLE',
  'COATCHECK_REDIS_CIRCUIT_OPEN',
  'COATCHECK_REDIS_OVERLOADED',
])
