/**
 * Implements `SessionStore`: find, create, update, rotate, sign in, revoke, list. It owns the semantics; the
 * driver only moves sealed bytes. The neighboring files hold the parts:
 * ticket (the cookie's value), vault (seal and open), policy (pure decisions), update queue (writes), data (schema).
 */
import { MisuseError, SessionError } from '../core/errors.ts'
import { own } from '../core/json.ts'
import { describeValue } from '../core/redact.ts'
import { isOutage } from './outage.ts'
import { type SessionBackend, SessionSnapshot } from './session.ts'
import { observedCore } from './observed-core.ts'
import { createCore, type SessionStoreDeps } from './session-core.ts'
import type { Change } from './session-change.ts'
import { infoOf } from './session-info.ts'
import { isExpired } from './session-policy.ts'
import { signInSession } from './session-sign-in.ts'
import type { Loaded } from './loaded.ts'
import { type ParsedTicket, parseSessionId, sessionIdOf } from './ticket.ts'
import type { Found, Session, SessionStore } from './types.ts'
import { revokeSessionsOfUser } from './user-revocation.ts'
import { createVisit } from './visit.ts'
import { watchedStore } from './watched-store.ts'

const LISTED_WITHOUT_LIMIT = 1000
const unknownDevice = (): undefined => undefined

export function createSessionStore<D extends object>(deps: SessionStoreDeps<D>): SessionStore<D> {
  const core = observedCore(createCore(deps))
  const { driver, keyring, config, events, clock } = deps

  // One backend for all snapshots: a find makes no closures.
  const backend: SessionBackend<D> = {
    data: core.data,
    emptyData: core.emptyData,
    watched: core.watched,
    async commit(from, secretHash, changes) {
      if (!from || !secretHash) throw new SessionError('COATCHECK_SESSION_ENDED')
      return core.commit(from, secretHash, changes)
    },
  }
  const snapshot = (loaded: Loaded, secretHash: Buffer): Session<D> =>
    new SessionSnapshot<D>(backend, loaded, secretHash)

  const require = async (ticket: string): Promise<{ parsed: ParsedTicket; loaded: Loaded }> => {
    const found = await core.find(requireText(ticket, 'ticket'))
    if (typeof found === 'string') throw new SessionError('COATCHECK_SESSION_ENDED', { details: { reason: found } })
    return found
  }

  const store: SessionStore<D> = {
    async create(input = {}) {
      const { userId, data, device } = own(input)
      if (userId !== undefined) requireText(userId, 'userId')
      const profile = { ...(userId !== undefined && { userId }), ...(device && { device }) }
      const { issued, loaded } = await core.create(userId ?? null, profile, data ?? {})
      return { ticket: issued.ticket, session: snapshot(loaded, issued.secretHash) }
    },

    async find(ticket): Promise<Found<D>> {
      const found = await core.find(requireTicket(ticket))
      if (typeof found === 'string') return { session: null, reason: found }
      return { session: snapshot(found.loaded, found.parsed.secretHash) }
    },

    async update(ticket, fn) {
      const { parsed, loaded } = await require(ticket)
      return snapshot(await core.commit(loaded, parsed.secretHash, [fn as Change]), parsed.secretHash)
    },

    async rotate(ticket, input = {}) {
      const { immediate = false } = own(input)
      const { parsed, loaded } = await require(ticket)
      const rotated = await core.rotate(loaded, parsed.secretHash, immediate)
      return { ticket: rotated.ticket, session: snapshot(rotated.loaded, rotated.secretHash) }
    },

    async signIn(ticket, input) {
      const { issued, loaded } = await signInSession(core, ticket, own(input))
      return { ticket: issued.ticket, session: snapshot(loaded, issued.secretHash) }
    },

    async revoke(sessionId, reason = 'revoked') {
      const address = parseSessionId(requireText(sessionId, 'sessionId'))
      if (core.tickets.parse(sessionId) !== 'malformed') throw ticketInsteadOfId()
      // An id that cannot exist names no session. The result is that of a session that has ended already.
      return address ? core.end({ kind: 'user', ...address }, reason, false) : { count: 0, durable: false }
    },

    async revokeByUser(userId, input = {}) {
      const { except, reason = 'revoked' } = own(input)
      const userKey = keyring.userKey(requireText(userId, 'userId'))
      const kept = except === undefined ? null : parseSessionId(except)
      if (except !== undefined && kept?.userKey !== userKey) {
        throw new MisuseError(
          'COATCHECK_INVALID_ARGUMENT',
          'revokeByUser(userId, { except }): except is no session id of this user.',
        )
      }
      core.verified.forgetUser(userKey, kept?.id)
      const { revoking } = deps
      const ending = core.ending(reason)
      const { count, durable } = await revokeSessionsOfUser({ driver, events, revoking }, userKey, ending, kept?.id)
      return { count, durable }
    },

    async listByUser(userId) {
      const userKey = keyring.userKey(requireText(userId, 'userId'))
      const rows = await driver.list(userKey, config.limit?.max ?? LISTED_WITHOUT_LIMIT)
      const nowMs = clock.now()
      return rows.flatMap(({ id, record }) => {
        const loaded = core.vault.open({ kind: 'user', userKey, id }, record)
        return typeof loaded === 'string' || isExpired(loaded.record, nowMs) ? [] : [infoOf(loaded)]
      })
    },

    async duringOutage(ticket, policy, outage) {
      if (policy === 'fail' || !isOutage(outage)) throw outage
      const parsed = ticket === null ? 'none' : core.tickets.parse(ticket)
      const stale =
        policy === 'stale' && typeof parsed !== 'string' ? core.verified.find(parsed, config.staleForMs) : null
      if (policy === 'stale' && stale === null && typeof parsed !== 'string') throw outage
      events.emit('session.outage', { policy, code: outage.code, ...(stale && { sessionId: sessionIdOf(stale.ref) }) })
      const readOnly: SessionBackend<D> = { ...backend, commit: () => Promise.reject(outage) }
      return new SessionSnapshot<D>(readOnly, stale, null, policy)
    },

    visit: (ticket, sink, device = unknownDevice) => createVisit(core, ticket, sink, device),
  }
  return watchedStore(store, core)
}

/** An empty text is valid here: a cookie without a value is malformed, which is a result and no misuse. */
function requireTicket(ticket: unknown): string {
  if (typeof ticket === 'string') return ticket
  throw new MisuseError('COATCHECK_INVALID_ARGUMENT', `find(ticket) needs a ticket; it got ${describeValue(ticket)}.`, {
    fix: 'Pass the ticket that sessions.create() returned; in a handler, use getSession(request) of the adapter instead.',
  })
}

/** The caller would read a `count` of 0 as signed out. */
function ticketInsteadOfId(): MisuseError {
  return new MisuseError(
    'COATCHECK_INVALID_ARGUMENT',
    'revoke(sessionId) got a ticket and needs a session id. No session was ended.',
    {
      fix: 'Pass session.id: await auth.sessions.revoke(session.id).',
    },
  )
}

function requireText(value: unknown, name: string): string {
  if (typeof value === 'string' && value !== '') return value
  throw new MisuseError('COATCHECK_INVALID_ARGUMENT', `${name} must be a text that is not empty.`)
}
