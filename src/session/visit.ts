/**
 * The session of one request. It is read at most once, and created at the first write. The visit issues its tickets.
 * Every adapter uses this module, so that all adapters behave alike.
 */
import { type SessionBackend, SessionSnapshot } from './session.ts'
import { own } from '../core/json.ts'
import type { Change, Draft } from './session-change.ts'
import type { SessionProfile } from './session-codec.ts'
import { signInSession } from './session-sign-in.ts'
import type { SessionCore } from './session-core.ts'
import type { Loaded } from './loaded.ts'
import type { IssuedTicket } from './ticket.ts'
import type { MissReason, Revoked, Session, TicketSink, Visit } from './types.ts'
import type { Device, SignInInput } from './sign-in-input.ts'

/** The current session of the visitor: the record, the secret hash that opens it, and the text of the ticket. */
interface CurrentSession {
  readonly ticket: string
  readonly secretHash: Buffer
  readonly loaded: Loaded
}

export async function createVisit<D extends object>(
  core: SessionCore<D>,
  ticket: string | null,
  sink: TicketSink,
  deviceOf: () => Device | undefined,
): Promise<Visit<D>> {
  const found = ticket === null ? 'none' : await core.find(ticket)
  let current: CurrentSession | null =
    ticket === null || typeof found === 'string'
      ? null
      : { ticket, secretHash: found.parsed.secretHash, loaded: found.loaded }
  let reason: MissReason | null = typeof found === 'string' ? found : null
  let creating: Promise<CurrentSession> | null = null

  const deliver = (next: CurrentSession): CurrentSession => {
    sink.issue(next.ticket, next.loaded.record.absoluteExpiresAtMs)
    current = next
    reason = null
    return next
  }

  /** Ends a new session whose ticket cannot be sent any more: no browser could open it. */
  const deliverNew = async (next: CurrentSession): Promise<CurrentSession> => {
    try {
      return deliver(next)
    } catch (error) {
      await core.end(next.loaded.ref, 'undelivered', true)
      throw error
    }
  }

  /**
   * Issues the ticket before its session is stored, in the turn of the call. A caller who forgets to await the write and responds
   * immediately then still keeps the session. The visitor has no session here, so a failed write takes nothing from them.
   */
  const createAhead = async (profile: SessionProfile, draft: Draft): Promise<CurrentSession> => {
    const ahead: IssuedTicket[] = []
    const issue = (issued: IssuedTicket, absoluteExpiresAtMs: number): void => {
      sink.issue(issued.ticket, absoluteExpiresAtMs)
      ahead.push(issued)
    }
    try {
      const { issued, loaded } = await core.create(null, profile, draft, 0, issue)
      reason = null
      return (current = { ticket: issued.ticket, secretHash: issued.secretHash, loaded })
    } catch (error) {
      if (ahead.length > 0) sink.withdraw?.()
      throw error
    }
  }

  const create = async (changes: readonly Change[]): Promise<CurrentSession> => {
    sink.assertWritable()
    sink.assertReplacesNone?.()
    const draft = core.data.draft(changes)
    const device = deviceOf()
    const profile = device ? { device } : {}
    if (sink.mayLeaveUnnoticed) return createAhead(profile, draft)
    const { issued, loaded } = await core.create(null, profile, draft)
    return deliverNew({ ticket: issued.ticket, secretHash: issued.secretHash, loaded })
  }

  const commit = async (changes: readonly Change[]): Promise<Loaded> => {
    if (!current && !creating) {
      creating = create(changes)
      try {
        return (await creating).loaded
      } finally {
        creating = null
      }
    }
    // Parallel first writes of one request wait for the write that creates the session, and then change that session.
    if (creating) await creating.catch(() => undefined)
    if (!current) return commit(changes)
    const loaded = await core.commit(current.loaded, current.secretHash, changes)
    current = { ...current, loaded }
    return loaded
  }

  // The visit, not the snapshot, knows the current ticket.
  const backend: SessionBackend<D> = {
    data: core.data,
    emptyData: core.emptyData,
    watched: core.watched,
    commit: (_from, _secretHash, changes) => commit(changes),
  }
  const session = new SessionSnapshot<D>(backend, current?.loaded ?? null, null)

  /** Gives the browser back its previous ticket, or none. */
  const takeBack = (): void => {
    try {
      if (current) sink.issue(current.ticket, current.loaded.record.absoluteExpiresAtMs)
      else sink.withdraw?.()
    } catch {
      // The response was sent with the new ticket, which opens an ended session.
    }
  }

  const signIn = async (input: SignInInput<D>): Promise<Session<D>> => {
    sink.assertWritable()
    const device = input.device ?? deviceOf()
    const withDevice = device ? { ...input, device } : input
    const { issued, loaded } = await signInSession(core, current?.ticket ?? null, withDevice, {
      issue: ({ ticket: next }, absoluteExpiresAtMs) => sink.issue(next, absoluteExpiresAtMs),
      takeBack,
    })
    current = { ticket: issued.ticket, secretHash: issued.secretHash, loaded }
    reason = null
    session.adopt(loaded)
    return session
  }

  const rotate = async (immediate: boolean): Promise<void> => {
    if (!current) return
    sink.assertWritable()
    session.adopt(deliver(await core.rotate(current.loaded, current.secretHash, immediate)).loaded)
  }

  const signOut = async (signOutReason: string): Promise<Revoked> => {
    // The visitor may have a session whose cookie the browser did not send. Without that cookie, the browser could not end it any more.
    if (!current) sink.assertReplacesNone?.()
    // Ending the session needs no header: the store decides.
    const revoked = current ? await core.end(current.loaded.ref, signOutReason, true) : { count: 0, durable: false }
    current = null
    reason = 'none'
    session.adopt(null)
    sink.clear()
    return revoked
  }

  return {
    session,
    get reason() {
      return reason
    },

    signIn: (input) => core.watched('visit.signIn', signIn(own(input)), sink.mayLeaveUnnoticed),
    rotate: ({ immediate = false } = {}) => core.watched('visit.rotate', rotate(immediate), sink.mayLeaveUnnoticed),
    signOut: (signOutReason = 'signed-out') => core.watched('visit.signOut', signOut(signOutReason)),
  }
}
