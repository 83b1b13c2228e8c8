/**
 * Operations as they run, for traces: unlike an event, which tells that something has happened, an observer is around the work,
 * so that what the work does in turn can be told to belong to it. Facts are ids, names and codes, as in events.
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
  /** `found`, or why not; `hit`; `refreshed`. */
  readonly outcome?: string
  /** Of `redis`: the command as it is sent. */
  readonly command?: string
  /** Of `redis`: the name of our script, when the command runs one. */
  readonly script?: string
  /** Of `redis`: `host:port` or the path of a socket; absent for a node of a cluster. */
  readonly server?: string
}

/** One operation that runs, as tracers see it. */
export interface Operation<T = unknown> {
  /** Name of the operation. */
  readonly name: OperationName
  /** What is known when the operation starts. */
  readonly facts: OperationFacts
  /** What can be said when it is done. */
  readonly outcome?: (result: T) => OperationFacts
}

/** Calls `run` exactly once, at once, and returns what it returns. */
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

/** What an error of the store means for the operation. */
export function redisOutcomeOf(code: string): Exclude<RedisOutcome, 'ok'> {
  if (code === 'COATCHECK_REDIS_TIMEOUT') return 'timeout'
  return NOT_SENT.has(code) ? 'unavailable' : 'error'
}

const NOT_SENT = new Set(['COATCHECK_REDIS_UNREACHABLE', 'COATCHECK_REDIS_CIRCUIT_OPEN', 'COATCHECK_REDIS_OVERLOADED'])
