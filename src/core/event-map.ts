/**
 * What happens inside, as events: loggers, metrics and traces are sinks of this and nothing else reports on its own.
 * Events carry ids, codes, counts and durations; never a ticket, a token, a key or an e-mail address.
 * What an event is logged as stands in `src/telemetry/log-lines.ts`, what it counts in `src/telemetry/meters.ts`.
 */
import type { ProviderReason } from './provider-reason.ts'

/** `unavailable`: it was never sent, since there is no connection or the circuit is open. `error`: the server refused it. */
export type RedisOutcome = 'ok' | 'timeout' | 'unavailable' | 'error'

export interface EventMap {
  'redis.status': {
    status: 'connecting' | 'ready' | 'reconnecting' | 'closed' | 'circuit-open' | 'circuit-closed'
    /** `host:port` or the path of a socket: a cluster has several. */
    server: string
    code?: string
  }
  /**
   * One operation, whatever became of it. `operation` is the name of a command (`MGET`) or of one of our scripts
   * (`session.replace`): a small set. Without `server`: a node of a cluster.
   */
  'redis.operation': {
    operation: string
    outcome: RedisOutcome
    durationMs: number
    server?: string
    code?: string
  }
  /** What the near cache had. */
  'redis.near-read': { kind: 'session' | 'token'; isHit: boolean }
  /** Whether changes of keys are heard of, which the near cache needs. */
  'redis.tracking': { isOn: boolean; server: string; code?: string }
  'session.found': { sessionId: string; kind: 'anonymous' | 'user' }
  'session.missed': { reason: 'none' | 'malformed' | 'expired' | 'revoked' | 'lost'; sessionId?: string }
  /** Neither found nor missed: the store could not be asked. */
  'session.find-failed': { sessionId: string; code: string }
  /** The store could not be asked, and a policy has answered in its place. */
  'session.outage': { policy: 'stale' | 'anonymous'; code: string; sessionId?: string }
  'session.created': { sessionId: string; kind: 'anonymous' | 'user' }
  'session.updated': { sessionId: string; attempts: number; changes: number }
  /** A write failed, and its caller had not awaited it. `operation`: as the caller wrote it. `code`: ours, or the error's name. */
  'session.write-unawaited': { operation: string; code: string }
  'session.rotated': { sessionId: string; immediate: boolean }
  'session.ended': { sessionId: string; reason: string }
  'session.user-ended': { userKey: string; count: number; reason: string }
  /** A record that does not open: tampered with, copied, or sealed with an unknown key. */
  'session.refused': { sessionId: string; why: 'unreadable' | 'key-unknown' | 'secret' | 'ended' }
  /** More than one cookie of our name: taken for an attack, so for no session. */
  'ticket.duplicate': { count: number }
  'token.hit': { userKey: string; provider: string; resource: string }
  'token.miss': { userKey: string; provider: string; resource: string; why: 'none' | 'expired' | 'unreadable' }
  'token.refreshed': { userKey: string; provider: string; resource: string; durationMs: number; rotated: boolean }
  'token.refresh-failed': ProviderReason & {
    userKey: string
    provider: string
    resource: string
    durationMs: number
    outcome: string
    code?: string
  }
  /** Another process was refreshing the same grant, and its result was waited for. */
  'token.waited': { userKey: string; provider: string; resource: string; durationMs: number }
  /** No answer arrived, so the same refresh token is tried once more. */
  'token.refresh-repeated': { userKey: string; provider: string; resource: string }
  /** The store is away: what the provider answered is kept in this process, until it is saved or discarded. */
  'token.grant-kept': { userKey: string; provider: string; code: string }
  'token.grant-saved': { userKey: string; provider: string }
  /** A failover had brought the grant before back, and this process had the newer one. */
  'token.grant-restored': { userKey: string; provider: string }
  /** Somebody signed out, or in again, meanwhile: what is stored stays. */
  'token.grant-discarded': { userKey: string; provider: string }
  /** At the provider, after the end of the sign-in (RFC 7009). */
  'token.revoked': { userKey: string; provider: string }
  /** `final`: it is not tried again. */
  'token.revocation-failed': ProviderReason & { userKey: string; provider: string; outcome: string; final: boolean }
  'token.deleted': { userKey: string; provider?: string }
  'signin.started': { provider: string }
  'signin.completed': { provider: string; sessionId: string }
  /** `why`: the text of the application's own `authorize`. */
  'signin.failed': ProviderReason & { provider: string; code: string; why?: string }
  /**
   * The metadata of a provider could not be read, whoever asked for them. `isUsable`: what it said before goes on being used.
   */
  'provider.discovery-failed': ProviderReason & { provider: string; code: string; isUsable: boolean }
  /** The provider ended its session, and so `count` of ours. */
  'provider.logout': { provider: string; channel: 'back' | 'front'; count: number }
  signout: { sessionId: string; provider?: string }
  'request.refused': ProviderReason & { code: string; route: string }
  error: { code: string; operation: string }
}
