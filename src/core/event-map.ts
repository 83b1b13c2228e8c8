/**
 * Events inside Coatcheck. Loggers, metrics and traces receive them; no other module reports on its own.
 * Events carry ids, codes, counts and durations; never a ticket, a token, a key or an e-mail address.
 * `src/telemetry/log-lines.ts` defines the log line of each event, `src/telemetry/meters.ts` the metrics.
 */
import type { ProviderReason } from './provider-reason.ts'

/** `unavailable`: the command was never sent, because there is no connection or the circuit is open. `error`: the server refused it. */
export type RedisOutcome = 'ok' | 'timeout' | 'unavailable' | 'error'

/** The result for a record of another library. */
export type MigrationOutcome =
  'adopted' | 'synced' | 'unchanged' | 'moved' | 'ended' | 'unreadable' | 'no_expiry' | 'missing' | 'refused'

/** Every event by its name, with its fields. */
export interface EventMap {
  /** The state of a connection to Redis, or of its circuit breaker, changed. */
  'redis.status': {
    /** The new state. */
    status: 'connecting' | 'ready' | 'reconnecting' | 'closed' | 'circuit-open' | 'circuit-closed'
    /** `host:port` or the path of a socket: a cluster has several servers. */
    server: string
    /** Code of the error that caused it; absent if no error did. */
    code?: string
  }
  /**
   * One operation, with any outcome. `operation` is the name of a command (`MGET`) or of a Coatcheck script
   * (`session.replace`): a small set. Without `server`: a node of a cluster.
   */
  'redis.operation': {
    /** Name of the command or script. */
    operation: string
    /** How it ended. */
    outcome: RedisOutcome
    /** Duration, milliseconds. */
    durationMs: number
    /** Address of the server: `host:port`, or the path of a socket. */
    server?: string
    /** Code of the error that caused it; absent if no error did. */
    code?: string
  }
  /** A read of the near cache. */
  'redis.near-read': {
    /** The kind of the record. */
    kind: 'session' | 'token'
    /** Whether the near cache had it. */
    isHit: boolean
  }
  /** Whether the server reports changes of keys, which the near cache needs. */
  'redis.tracking': {
    /** Whether changes are reported. */
    isOn: boolean
    /** Address of the server: `host:port`, or the path of a socket. */
    server: string
    /** Code of the error that caused it; absent if no error did. */
    code?: string
  }
  /** A ticket led to a session. */
  'session.found': {
    /** Id of the session. */
    sessionId: string
    /** Whether a user is signed in. */
    kind: 'anonymous' | 'user'
  }
  /** A ticket, or none, led to no session. */
  'session.missed': {
    /** Why there is no session. */
    reason: 'none' | 'malformed' | 'expired' | 'revoked' | 'lost'
    /** Id of the session. */
    sessionId?: string
  }
  /** Neither found nor missed: the store did not answer. */
  'session.find-failed': {
    /** Id of the session. */
    sessionId: string
    /** Code of the error. */
    code: string
  }
  /** The store did not answer, and the outage policy decided. */
  'session.outage': {
    /** The policy that decided. */
    policy: 'stale' | 'anonymous'
    /** Code of the error. */
    code: string
    /** Id of the session. */
    sessionId?: string
  }
  /** A session was stored. */
  'session.created': {
    /** Id of the session. */
    sessionId: string
    /** Whether a user is signed in. */
    kind: 'anonymous' | 'user'
  }
  /** The data of a session was changed. */
  'session.updated': {
    /** Id of the session. */
    sessionId: string
    /** Compare-and-set attempts, 1 without a conflict. */
    attempts: number
    /** Changes that were written together. */
    changes: number
  }
  /** A write failed, or its ticket may have missed the response, and its caller did not await it. */
  'session.write-unawaited': {
    /** As the caller wrote it, e.g. `session.set()`. */
    operation: string
    /** Code of the error; its name if it has no Coatcheck code. */
    code: string
    /** The problem with the call, for a misuse error: "await" alone does not correct it. */
    what?: string
    /** File and line of the call, on a loopback base URL only. */
    at?: string
  }
  /** A session has a new ticket. */
  'session.rotated': {
    /** Id of the session. */
    sessionId: string
    /** Whether the old ticket ended immediately. */
    immediate: boolean
  }
  /** A session was ended. */
  'session.ended': {
    /** Id of the session. */
    sessionId: string
    /** Why: `signed-out`, `revoked`, or a reason of the application. */
    reason: string
  }
  /** Sessions of a user were ended in one step. */
  'session.user-ended': {
    /** Hash of the user id, as in key names. */
    userKey: string
    /** Number of sessions. */
    count: number
    /** Why: `revoked`, or a reason of the application. */
    reason: string
  }
  /** A record did not open: it was changed, copied, or sealed with an unknown key. */
  'session.refused': {
    /** Id of the session. */
    sessionId: string
    /** The problem with the record or the ticket. */
    why: 'unreadable' | 'key-unknown' | 'secret' | 'ended'
  }
  /** The request has several session cookies of Coatcheck. They count as an attack, so as no session. */
  'ticket.duplicate': {
    /** Number of cookies. */
    count: number
  }
  /** A stored access token was used. */
  'token.hit': {
    /** Hash of the user id, as in key names. */
    userKey: string
    /** Name of the provider. */
    provider: string
    /** Resource of the token, or its scopes; empty for the token of sign-in. */
    resource: string
  }
  /** No stored access token could be used. */
  'token.miss': {
    /** Hash of the user id, as in key names. */
    userKey: string
    /** Name of the provider. */
    provider: string
    /** Resource of the token, or its scopes; empty for the token of sign-in. */
    resource: string
    /** Why no stored token could be used. */
    why: 'none' | 'expired' | 'unreadable'
  }
  /** The provider issued a new access token. */
  'token.refreshed': {
    /** Hash of the user id, as in key names. */
    userKey: string
    /** Name of the provider. */
    provider: string
    /** Resource of the token, or its scopes; empty for the token of sign-in. */
    resource: string
    /** Duration, milliseconds. */
    durationMs: number
    /** Whether the provider issued a new refresh token. */
    rotated: boolean
  }
  /** A refresh failed. */
  'token.refresh-failed': ProviderReason & {
    /** Hash of the user id, as in key names. */
    userKey: string
    /** Name of the provider. */
    provider: string
    /** Resource of the token, or its scopes; empty for the token of sign-in. */
    resource: string
    /** Duration, milliseconds. */
    durationMs: number
    /** How it failed; docs/tokens.md lists the outcomes. */
    outcome: string
    /** Code of the error that caused it; absent if no error did. */
    code?: string
  }
  /** The answer to a refresh names another issuer or subject than the grant. It was discarded, and the grant has ended. */
  'token.subject-mismatch': ProviderReason & {
    /** Hash of the user id, as in key names. */
    userKey: string
    /** Name of the provider. */
    provider: string
    /** Resource of the token, or its scopes; empty for the token of sign-in. */
    resource: string
  }
  /** The caller waited for the result of another process that refreshed the same grant. */
  'token.waited': {
    /** Hash of the user id, as in key names. */
    userKey: string
    /** Name of the provider. */
    provider: string
    /** Resource of the token, or its scopes; empty for the token of sign-in. */
    resource: string
    /** Duration, milliseconds. */
    durationMs: number
  }
  /** No answer arrived, so Coatcheck tries the same refresh token once more. */
  'token.refresh-repeated': {
    /** Hash of the user id, as in key names. */
    userKey: string
    /** Name of the provider. */
    provider: string
    /** Resource of the token, or its scopes; empty for the token of sign-in. */
    resource: string
  }
  /** The store does not answer: this process keeps the provider's answer until it is saved or discarded. */
  'token.grant-kept': {
    /** Hash of the user id, as in key names. */
    userKey: string
    /** Name of the provider. */
    provider: string
    /** Code of the error. */
    code: string
  }
  /** A grant that was kept in this process is now stored. */
  'token.grant-saved': {
    /** Hash of the user id, as in key names. */
    userKey: string
    /** Name of the provider. */
    provider: string
  }
  /** A failover brought back the previous grant, and this process stored its newer one again. */
  'token.grant-restored': {
    /** Hash of the user id, as in key names. */
    userKey: string
    /** Name of the provider. */
    provider: string
  }
  /** The user signed out, or signed in again, meanwhile: the stored tokens stay. */
  'token.grant-discarded': {
    /** Hash of the user id, as in key names. */
    userKey: string
    /** Name of the provider. */
    provider: string
  }
  /** The provider revoked a refresh token, after the end of the sign-in (RFC 7009). */
  'token.revoked': {
    /** Hash of the user id, as in key names. */
    userKey: string
    /** Name of the provider. */
    provider: string
  }
  /** A revocation at the provider failed. `final`: Coatcheck does not retry it. */
  'token.revocation-failed': ProviderReason & {
    /** Hash of the user id, as in key names. */
    userKey: string
    /** Name of the provider. */
    provider: string
    /** How it failed. */
    outcome: string
    /** Whether Coatcheck gives it up. */
    final: boolean
  }
  /** Tokens of a user were deleted. Without `provider`: of all providers. */
  'token.deleted': {
    /** Hash of the user id, as in key names. */
    userKey: string
    /** Name of the provider. */
    provider?: string
  }
  /** A browser was sent to the provider. */
  'signin.started': {
    /** Name of the provider. */
    provider: string
  }
  /** A user is signed in. */
  'signin.completed': {
    /** Name of the provider. */
    provider: string
    /** Id of the session. */
    sessionId: string
  }
  /** A sign-in failed. `why`: the text of the application's own `authorize`. */
  'signin.failed': ProviderReason & {
    /** Name of the provider. */
    provider: string
    /** Code of the error. */
    code: string
    /** Text of the application's own `authorize`. */
    why?: string
  }
  /** The metadata of a provider could not be read. `isUsable`: the previous metadata stay in use. */
  'provider.discovery-failed': ProviderReason & {
    /** Name of the provider. */
    provider: string
    /** Code of the error. */
    code: string
    /** Whether older metadata of the provider is still used. */
    isUsable: boolean
  }
  /** The provider ended its session, which ended `count` sessions here. */
  'provider.logout': {
    /** Name of the provider. */
    provider: string
    /** Back-channel or front-channel logout. */
    channel: 'back' | 'front'
    /** Number of sessions. */
    count: number
  }
  /** A user signed out. */
  signout: {
    /** Id of the session. */
    sessionId: string
    /** Name of the provider. */
    provider?: string
  }
  /** A route refused a request. A failed sign-in emits `signin.failed` only. */
  'request.refused': ProviderReason & {
    /** Code of the error. */
    code: string
    /** Name of the route. */
    route: string
  }
  /** The framework answered 500 to an error that needs another answer, because the adapter's error handler did not see it. */
  'request.unhandled': {
    /** Error code. */
    code: string
  }
  /** A request was redirected to sign-in, but the middleware that serves the sign-in route has never run. */
  'request.unmounted': {
    /** The code to add in front of the routes. */
    mount: string
  }
  /** A request found a record of another library, which a migration reads. */
  'migration.read': {
    /** The library and format of the record, such as `connect-redis`. */
    origin: string
    /**
     * The result for the record. `adopted`: a Coatcheck record was created from it. `synced`: the Coatcheck record took over a change of an
     * old process. `unchanged`: the old record decided, without a change. `moved`: the Coatcheck record replaced it. `ended`: an end on one
     * side ended the other. `unreadable`: left unchanged. `no_expiry`: it had no expiry, and the Coatcheck record got the default.
     * `missing`: the old record does not exist. `refused`: a wrong signature, or expired.
     */
    outcome: MigrationOutcome
  }
  /**
   * Since its start, this process has refused the old cookies of every request that had one, as with a wrong `secret` of the bridge. Emitted at
   * most once for each bridge.
   */
  'migration.all-refused': {
    /** The library and format of the cookies, such as `express-session`. */
    origin: string
    /** Number of requests with refused cookies. */
    count: number
  }
  /** An error that no caller gets. */
  error: {
    /** Code of the error. */
    code: string
    /** The operation that failed. */
    operation: string
  }
}
