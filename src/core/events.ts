/**
 * What happens inside, as events: loggers, metrics and traces are sinks of this and nothing else reports on its own.
 * Events carry ids, codes, counts and durations; never a ticket, a token, a key or an e-mail address.
 * A listener that throws never disturbs the operation that it listens to.
 */
export interface EventMap {
  'redis.status': {
    status: 'connecting' | 'ready' | 'reconnecting' | 'closed' | 'circuit-open' | 'circuit-closed'
    /** `host:port` or the path of a socket: a cluster has several. */
    server: string
    code?: string
  }
  /** Whether changes of keys are heard of, which the near cache needs. */
  'redis.tracking': { isOn: boolean; server: string; code?: string }
  'session.found': { sessionId: string; kind: 'anonymous' | 'user' }
  'session.missed': { reason: 'none' | 'malformed' | 'expired' | 'revoked' | 'lost'; sessionId?: string }
  /** The store could not be asked, and a policy has answered in its place. */
  'session.outage': { policy: 'stale' | 'anonymous'; code: string; sessionId?: string }
  'session.created': { sessionId: string; kind: 'anonymous' | 'user' }
  'session.updated': { sessionId: string; attempts: number; changes: number }
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
  'token.refresh-failed': {
    userKey: string
    provider: string
    resource: string
    durationMs: number
    outcome: string
    code?: string
  }
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
  'token.revocation-failed': { userKey: string; provider: string; outcome: string; final: boolean }
  'token.deleted': { userKey: string; provider?: string }
  'signin.started': { provider: string }
  'signin.completed': { provider: string; sessionId: string }
  'signin.failed': { provider: string; code: string }
  /** The provider ended its session, and so `count` of ours. */
  'provider.logout': { provider: string; channel: 'back' | 'front'; count: number }
  signout: { sessionId: string; provider?: string }
  'request.refused': { code: string; route: string }
  error: { code: string; operation: string }
}

export type EventName = keyof EventMap
export type Listener<Name extends EventName> = (event: EventMap[Name]) => void
export type AnyListener = (name: EventName, event: EventMap[EventName]) => void

export interface Events {
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void
  /** Every event: for logs and metrics. Returns how to stop listening. */
  onAny(listener: AnyListener): () => void
}

/** The emitting side, handed to the parts of Coatcheck. */
export class EventBus implements Events {
  readonly #listeners = new Map<EventName, Set<(event: never) => void>>()
  readonly #any = new Set<AnyListener>()

  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void {
    const set = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, set.add(listener))
    return () => set.delete(listener)
  }

  onAny(listener: AnyListener): () => void {
    this.#any.add(listener)
    return () => this.#any.delete(listener)
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
