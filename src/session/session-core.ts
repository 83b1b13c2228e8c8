/**
 * The operations that all session code shares: find by ticket, create, commit, rotate, end. `session-store.ts` implements the public
 * methods, `visit.ts` connects them with HTTP, and `session-sign-in.ts` moves a visitor from an anonymous session to a user's session.
 */
import type { ResolvedSession } from '../config/session-settings.ts'
import { CacheBudget } from '../core/cache-budget.ts'
import type { Clock } from '../core/clock.ts'
import { isCoatcheckError, SessionError } from '../core/errors.ts'
import type { EventBus } from '../core/events.ts'
import type { Random } from '../core/random.ts'
import type { Keyring } from '../keyring/keyring.ts'
import type { Seal } from '../keyring/seal.ts'
import type { SessionProfile, SessionRecord } from './session-codec.ts'
import type { Change, Draft } from './session-change.ts'
import { createSessionData, type SessionData } from './session-data.ts'
import type { Ending, SessionDriver, SessionLife, SessionRef } from './session-driver.ts'
import {
  endedRememberedMs,
  isExpired,
  isTouchDue,
  lifeOf,
  statusOf,
  touched,
  withNewSecret,
  withSeenSecret,
} from './session-policy.ts'
import type { VerifiedSessions } from './outage.ts'
import { createSessionLookup } from './session-lookup.ts'
import { callSite } from './call-site.ts'
import { watchedWrite, type WriteFailure, type WriteOperation } from './watched-write.ts'
import type { Loaded } from './loaded.ts'
import { createVault, type Vault } from './session-vault.ts'
import { createSessionMemory, type SessionMemory } from './session-memory.ts'
import { type IssuedTicket, type ParsedTicket, sessionIdOf, type Tickets } from './ticket.ts'
import type { DeepReadonly, MissReason, Revoked } from './types.ts'
import { createUpdateQueue, type Transition, type UpdateQueue } from './update-queue.ts'

export interface SessionStoreDeps<D extends object> {
  readonly driver: SessionDriver
  readonly keyring: Keyring
  readonly seal: Seal
  readonly config: ResolvedSession<D>
  /** The key prefix. The seal of a record covers it, so a record does not open under another application's prefix. */
  readonly namespace: string
  readonly clock: Clock
  readonly random: Random
  readonly events: EventBus
  /** What the process remembers of sessions. Absent: memory of its own. */
  readonly memory?: SessionMemory
  /** True: reports a write without an `await` together with its place in the application. For development: it costs one stack per write. */
  readonly namesCallSites?: boolean
  /**
   * Called before all sessions of a user end. A failure never stops the revocation; the caller gets the error afterwards. Absent: no call.
   */
  readonly revoking?: (userKey: string) => Promise<unknown>
}

/** Internal; not part of the public API. */
export interface SessionCore<D extends object> {
  readonly deps: SessionStoreDeps<D>
  readonly tickets: Tickets
  readonly vault: Vault
  readonly queue: UpdateQueue
  readonly data: SessionData<D>
  readonly verified: VerifiedSessions
  emptyData(): DeepReadonly<D>
  /**
   * Returns the promise for the caller. If the caller does not await it, a failure is reported and does not end the process.
   * @param mayBeLost true if the response may leave before it gets the ticket. Then a success that the caller does not await is reported too.
   */
  watched<T>(operation: WriteOperation, write: Promise<T>, mayBeLost?: boolean): Promise<T>
  find(ticket: string): Promise<{ parsed: ParsedTicket; loaded: Loaded } | MissReason>
  /** Returns whether the ticket opens its session now. It asks the store and reports nothing to listeners. */
  isLive(ticket: string): Promise<boolean>
  /**
   * @param replacing 1 if the user's own session ends with this call, so that it does not count against the limit.
   * @param beforeWrite gets the ticket in the same turn, before the store is written
   */
  create(
    userId: string | null,
    profile: SessionProfile,
    data: Draft,
    replacing?: 0 | 1,
    beforeWrite?: (issued: IssuedTicket, absoluteExpiresAtMs: number) => void,
  ): Promise<{ issued: IssuedTicket; loaded: Loaded }>
  /** Commits the changes for the holder of `secretHash`. A ticket that was replaced meanwhile changes nothing. */
  commit(from: Loaded, secretHash: Buffer, changes: readonly Change[]): Promise<Loaded>
  rotate(
    from: Loaded,
    secretHash: Buffer,
    immediate: boolean,
  ): Promise<{ ticket: string; secretHash: Buffer; loaded: Loaded }>
  /** @param existed true if the caller has read or created the session, and does not only know its id; see `Ending` */
  end(ref: SessionRef, reason: string, existed: boolean): Promise<Revoked>
  /** Ends a session whose ticket was never sent, and deletes its tokens unless the user has another session. */
  giveUp(ref: SessionRef, reason: string): Promise<void>
  ending(reason: string, existed?: boolean): Ending
}

export function createCore<D extends object>(deps: SessionStoreDeps<D>): SessionCore<D> {
  const { driver, keyring, config, clock, random, events } = deps
  const { tickets, verified } = deps.memory ?? createSessionMemory(deps, new CacheBudget())
  const vault = createVault({ ...deps, tickets })
  const data = createSessionData(config)
  const life = (record: SessionRecord): SessionLife => lifeOf(record, clock.now())
  const jitter = (): number => random.bytes(1).readUInt8() / 256
  /** @param since the mark from before the store was asked */
  const keep = (loaded: Loaded, since: number): void => {
    if (config.staleForMs > 0) verified.keep(loaded, since)
  }
  const queue = createUpdateQueue({ driver, vault, events, lifeOf: life, jitter })
  const ending = (reason: string, existed = false): Ending => ({
    reason,
    ttlMs: endedRememberedMs(config.absoluteTimeoutMs),
    existed,
  })
  let empty: DeepReadonly<D> | null = null
  const reportUnawaited = ({ operation, error }: WriteFailure, site: (() => string | null) | null): void => {
    const code = isCoatcheckError(error) ? error.code : error instanceof Error ? error.name : typeof error
    const what = error instanceof TypeError && isCoatcheckError(error) ? error.message : null
    const at = site?.() ?? null
    events.emit('session.write-unawaited', {
      operation,
      code,
      ...(what !== null && { what }),
      ...(at !== null && { at }),
    })
  }

  const end = async (ref: SessionRef, how: Ending): Promise<Revoked> => {
    verified.forget(ref)
    const { count, durable } = await driver.end(ref, how)
    if (count > 0) events.emit('session.ended', { sessionId: sessionIdOf(ref), reason: how.reason })
    return { count, durable }
  }

  /** A transition for the holder of one ticket: refused if that ticket no longer opens the session. */
  const ifTicketOpens =
    (secretHash: Buffer, transition: Transition): Transition =>
    (record) => {
      const nowMs = clock.now()
      if (isExpired(record, nowMs) || statusOf(secretHash, record.secrets, nowMs) === 'refused') {
        throw new SessionError('COATCHECK_SESSION_ENDED')
      }
      return transition(record)
    }

  /**
   * The change that a visit alone makes: it promotes a pending ticket that was used, and moves the idle deadline after a tenth of the
   * timeout.
   */
  const seen =
    (secretHash: Buffer): Transition =>
    (record) => {
      const nowMs = clock.now()
      const isPending = statusOf(secretHash, record.secrets, nowMs) === 'pending'
      if (!isPending && !isTouchDue(record, config.idleTimeoutMs, nowMs)) return record
      const next = touched(record, config.idleTimeoutMs, nowMs)
      return isPending ? { ...next, secrets: withSeenSecret(record.secrets, secretHash, nowMs) } : next
    }

  const visited = async (parsed: ParsedTicket, loaded: Loaded): Promise<Loaded> => {
    try {
      return await queue.submit(loaded, seen(parsed.secretHash))
    } catch (error) {
      // The read has succeeded. If the touch fails, the next request repeats it; until then the old deadline applies.
      const code = isCoatcheckError(error) ? error.code : 'unknown'
      events.emit('error', { code, operation: 'session.touch' })
      return loaded
    }
  }

  const lookup = createSessionLookup({ driver, vault, events })

  return {
    deps,
    verified,
    tickets,
    vault,
    queue,
    data,
    ending,
    watched(operation, write, mayBeLost) {
      const site = deps.namesCallSites === true ? callSite() : null
      return watchedWrite(write, operation, (failure) => reportUnawaited(failure, site), mayBeLost)
    },
    emptyData: () => (empty ??= data.read(emptyRecord(data))),

    async find(ticket) {
      const parsed = tickets.parse(ticket)
      if (typeof parsed === 'string') {
        events.emit('session.missed', { reason: parsed })
        return parsed
      }
      const since = verified.mark()
      const found = await lookup(parsed)
      if (typeof found === 'string') {
        verified.drop(parsed.ref)
        events.emit('session.missed', { reason: found, sessionId: sessionIdOf(parsed.ref) })
        return found
      }
      if (events.hasListeners('session.found')) {
        events.emit('session.found', { sessionId: sessionIdOf(parsed.ref), kind: parsed.ref.kind })
      }
      const { loaded, status } = found
      const needsNoWrite = status !== 'pending' && !isTouchDue(loaded.record, config.idleTimeoutMs, clock.now())
      const latest = needsNoWrite ? loaded : await visited(parsed, loaded)
      keep(latest, since)
      return { parsed, loaded: latest }
    },

    async isLive(ticket) {
      const parsed = tickets.parse(ticket)
      return typeof parsed !== 'string' && typeof (await lookup(parsed)) !== 'string'
    },

    async create(userId, profile, given, replacing = 0, beforeWrite) {
      const { schemaVersion, dataBytes } = data.initial(given)
      const nowMs = clock.now()
      const ref = tickets.newRef(userId === null ? undefined : keyring.userKey(userId))
      const absoluteExpiresAtMs = nowMs + config.absoluteTimeoutMs
      const issued = tickets.issue(ref, absoluteExpiresAtMs)
      const record: SessionRecord = {
        schemaVersion,
        createdAtMs: nowMs,
        lastSeenAtMs: nowMs,
        idleExpiresAtMs: Math.min(nowMs + config.idleTimeoutMs, absoluteExpiresAtMs),
        absoluteExpiresAtMs,
        secrets: { current: issued.secretHash, pending: [], previous: null },
        profileBytes: Buffer.from(JSON.stringify(profile), 'utf8'),
        dataBytes,
      }
      const loaded = vault.seal(ref, record)
      beforeWrite?.(issued, absoluteExpiresAtMs)
      const limit = config.limit ? { ...config.limit, max: config.limit.max + replacing } : undefined
      const reply = await driver.create(ref, loaded.sealed, life(record), limit)
      if (reply.status === 'refused') throw new SessionError('COATCHECK_SESSION_LIMIT')
      if (reply.status === 'ended') throw new SessionError('COATCHECK_SESSION_ENDED')
      for (const id of reply.endedIds) {
        verified.forget({ id })
        events.emit('session.ended', { sessionId: sessionIdOf({ ...ref, id }), reason: 'limit' })
      }
      events.emit('session.created', { sessionId: sessionIdOf(ref), kind: ref.kind })
      return { issued, loaded }
    },

    async commit(from, secretHash, changes) {
      const transition = ifTicketOpens(secretHash, (record) => ({
        ...touched(record, config.idleTimeoutMs, clock.now()),
        ...data.apply(record, changes),
      }))
      const since = verified.mark()
      const loaded = await queue.submit(from, transition)
      keep(loaded, since)
      return loaded
    },

    async rotate(from, secretHash, immediate) {
      const issued = tickets.issue(from.ref, from.record.absoluteExpiresAtMs)
      const transition = ifTicketOpens(secretHash, (record) => ({
        ...touched(record, config.idleTimeoutMs, clock.now()),
        secrets: withNewSecret(record.secrets, issued.secretHash, immediate),
      }))
      const since = verified.mark()
      const loaded = await queue.submit(from, transition)
      keep(loaded, since)
      events.emit('session.rotated', { sessionId: sessionIdOf(from.ref), immediate })
      return { ticket: issued.ticket, secretHash: issued.secretHash, loaded }
    },

    end: (ref, reason, existed) => end(ref, ending(reason, existed)),

    async giveUp(ref, reason) {
      await end(ref, { ...ending(reason, true), takesTokens: true })
    },
  }
}

function emptyRecord<D extends object>(data: SessionData<D>): SessionRecord {
  const secrets = { current: Buffer.alloc(0), pending: [], previous: null }
  const times = { createdAtMs: 0, lastSeenAtMs: 0, idleExpiresAtMs: 0, absoluteExpiresAtMs: 0 }
  return { ...times, secrets, profileBytes: Buffer.from('{}'), ...data.initial({}) }
}
