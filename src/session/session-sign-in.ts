/**
 * Sign-in: creates a session for the user in the user's own slot, under a new id and ticket. A ticket that an attacker planted before the
 * sign-in opens nothing afterwards (session fixation, OWASP ASVS 7.2.4).
 * The steps, in this order:
 * - Create the user's session.
 * - Run `beforeComplete` of the caller, and check that the new session is still live.
 * - Send the ticket.
 * - End the session that this browser had before by compare-and-set. If it has changed meanwhile, merge again, at most 16 times.
 * If a step fails, the new session ends and the session before it stays. After a crash the session before it still works, and the new one
 * ends at its idle timeout: its ticket was never sent. A session of another device that the limit has ended does not come back.
 */
import { isCoatcheckError, MisuseError, SessionError } from '../core/errors.ts'
import type { OperationFacts } from '../core/operations.ts'
import type { Change, Draft } from './session-change.ts'
import { parseProfile, type SessionProfile } from './session-codec.ts'
import type { SessionCore } from './session-core.ts'
import { toJsonText } from './json-value.ts'
import type { Loaded } from './loaded.ts'
import { openConflict, sealedNonce } from './session-vault.ts'
import { type IssuedTicket, sessionIdOf } from './ticket.ts'
import type { SignInInput } from './sign-in-input.ts'

const MERGE_ATTEMPTS = 16

/** The caller's methods to send the new ticket to the browser. */
export interface TicketDelivery {
  issue(issued: IssuedTicket, absoluteExpiresAtMs: number): void
  /** The sign-in failed after `issue`: the browser keeps its previous ticket. */
  takeBack(): void
}

export function signInSession<D extends object>(
  core: SessionCore<D>,
  ticket: string | null,
  input: SignInInput<D>,
  delivery: TicketDelivery | null = null,
): Promise<{ issued: IssuedTicket; loaded: Loaded }> {
  const { events } = core.deps
  const outcome = ({ loaded }: { loaded: Loaded }): OperationFacts => ({ sessionId: sessionIdOf(loaded.ref) })
  return events.operation({ name: 'session.sign-in', facts: {}, outcome }, () => signIn(core, ticket, input, delivery))
}

async function signIn<D extends object>(
  core: SessionCore<D>,
  ticket: string | null,
  input: SignInInput<D>,
  delivery: TicketDelivery | null,
): Promise<{ issued: IssuedTicket; loaded: Loaded }> {
  if (typeof input.userId !== 'string' || input.userId === '') {
    throw new MisuseError(
      'COATCHECK_INVALID_ARGUMENT',
      'signIn(ticket, { userId }): userId must be a text that is not empty.',
    )
  }
  const found = ticket === null ? 'none' : await core.find(ticket)
  const old = typeof found === 'string' ? null : found.loaded
  const carried = old ? carriedFields(core, old, input) : {}
  const replacing = old && parseProfile(old.record).userId === input.userId ? 1 : 0
  const created = await core.create(input.userId, profileOf(input), { ...carried, ...input.data }, replacing)
  const { issued, loaded } = created
  // Without this, the new session would stay until its idle timeout.
  const giveUp = (reason: string): Promise<void> =>
    core.giveUp(loaded.ref, reason).catch((error: unknown) => reportFailure(core, error))
  try {
    await input.beforeComplete?.(sessionIdOf(loaded.ref))
    // The session may have ended before `beforeComplete` stored tokens. Then nothing has deleted these tokens, and `giveUp` does.
    if (input.beforeComplete && !(await core.isLive(issued.ticket))) throw new SessionError('COATCHECK_SESSION_ENDED')
  } catch (error) {
    await giveUp('sign-in-failed')
    throw error
  }
  try {
    delivery?.issue(issued, loaded.record.absoluteExpiresAtMs)
  } catch (error) {
    await giveUp('undelivered')
    throw error
  }
  try {
    return { issued, loaded: old ? await endOld(core, old, created, input) : loaded }
  } catch (error) {
    delivery?.takeBack()
    await giveUp('sign-in-failed')
    throw error
  }
}

/**
 * Ends the previous session of the visitor. Writes that it received meanwhile move into the new session. After 16 merges the session
 * ends with its latest writes: an attacker who planted it and never stops writing must not keep the visitor from signing in. Only a write
 * that arrives between the last merge and the end is lost.
 * A store that does not answer may still have ended the previous session. If the new session also ended, the visitor could have no session.
 * So the sign-in stands, and the store repeats the revocation of the previous session until it succeeds.
 */
async function endOld<D extends object>(
  core: SessionCore<D>,
  old: Loaded,
  created: { issued: IssuedTicket; loaded: Loaded },
  input: SignInInput<D>,
): Promise<Loaded> {
  let current = old
  let session = created.loaded
  for (let attempt = 0; attempt < MERGE_ATTEMPTS; attempt++) {
    const changed = await endUnchanged(core, current)
    if (changed === null) return session
    current = changed
    const merge: Change = (draft) => void Object.assign(draft, carriedFields(core, changed, input), input.data)
    session = await core.commit(session, created.issued.secretHash, [merge])
  }
  await endRegardless(core, current)
  return session
}

/** @returns the current record if it is not the one that was read; `null` if the session has ended, or will end */
async function endUnchanged<D extends object>(core: SessionCore<D>, old: Loaded): Promise<Loaded | null> {
  const { driver, events } = core.deps
  const { vault } = core
  try {
    const ending = core.ending('signed-in', true)
    const opens = (sealed: Buffer): boolean => vault.opens(old.ref, sealed)
    const ended = await driver.endUnchanged(old.ref, sealedNonce(old), ending, opens)
    if (ended.status === 'conflict') return openConflict(vault, old.ref, ended.record)
    core.verified.forget(old.ref)
    if (ended.count > 0) events.emit('session.ended', { sessionId: sessionIdOf(old.ref), reason: 'signed-in' })
  } catch {
    await endRegardless(core, old)
  }
  return null
}

async function endRegardless<D extends object>(core: SessionCore<D>, old: Loaded): Promise<void> {
  await core.end(old.ref, 'signed-in', true).catch((error: unknown) => reportFailure(core, error))
}

function reportFailure<D extends object>(core: SessionCore<D>, error: unknown): void {
  core.deps.events.emit('error', {
    code: isCoatcheckError(error) ? error.code : 'unknown',
    operation: 'session.sign-in',
  })
}

/** Only fields that the application names, and never from another user's session. */
function carriedFields<D extends object>(core: SessionCore<D>, old: Loaded, input: SignInInput<D>): Draft {
  const { userId } = parseProfile(old.record)
  if (userId !== undefined && userId !== input.userId) return {}
  const data = core.data.read(old.record) as Draft
  return Object.fromEntries(
    (input.carry ?? []).flatMap((field) => (Object.hasOwn(data, field) ? [[field, data[field]]] : [])),
  )
}

/** The claims follow the rules of session data, because a provider may send keys that change a prototype. */
function profileOf<D extends object>({ userId, profile, authentication, device }: SignInInput<D>): SessionProfile {
  toJsonText(profile, 'user')
  return {
    userId,
    ...(profile && { claims: profile }),
    ...(authentication && { authentication }),
    ...(device && { device }),
  }
}
