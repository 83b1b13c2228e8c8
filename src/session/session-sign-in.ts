/**
 * Sign-in: a session for the user in the user's own slot, under a new id and ticket, so that a ticket planted before sign-in
 * leads nowhere after it (session fixation, OWASP ASVS 7.2.4).
 * Three steps, in this order: create the user's session; delete the old record by compare and set, merging again when it has
 * changed meanwhile; only then hand out the ticket. A crash in between leaves a session that nobody holds a ticket of.
 */
import { MisuseError, SessionError } from '../core/errors.ts'
import type { OperationFacts } from '../core/operations.ts'
import type { Change, Draft } from './session-change.ts'
import { parseProfile, type SessionProfile } from './session-codec.ts'
import type { SessionCore } from './session-core.ts'
import { toJsonText } from './json-value.ts'
import { type Loaded, sealedNonce } from './session-vault.ts'
import { type IssuedTicket, sessionIdOf } from './ticket.ts'
import type { SignInInput } from './types.ts'

const MERGE_ATTEMPTS = 16

export function signInSession<D extends object>(
  core: SessionCore<D>,
  ticket: string | null,
  input: SignInInput<D>,
): Promise<{ issued: IssuedTicket; loaded: Loaded }> {
  const { events } = core.deps
  const outcome = ({ loaded }: { loaded: Loaded }): OperationFacts => ({ sessionId: sessionIdOf(loaded.ref) })
  return events.operation({ name: 'session.sign-in', facts: {}, outcome }, () => signIn(core, ticket, input))
}

async function signIn<D extends object>(
  core: SessionCore<D>,
  ticket: string | null,
  input: SignInInput<D>,
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
  try {
    return { issued: created.issued, loaded: old ? await endOld(core, old, created, input) : created.loaded }
  } catch (error) {
    // Nobody has the new ticket: without this the session would lie about until it idles out.
    await core.end(created.loaded.ref, 'sign-in-failed').catch(() => undefined)
    throw error
  }
}

/** Ends the session that the visitor came with; what was written to it meanwhile moves along. */
async function endOld<D extends object>(
  core: SessionCore<D>,
  old: Loaded,
  created: { issued: IssuedTicket; loaded: Loaded },
  input: SignInInput<D>,
): Promise<Loaded> {
  let current = old
  let session = created.loaded
  for (let attempt = 0; attempt < MERGE_ATTEMPTS; attempt++) {
    const ended = await core.deps.driver.end(old.ref, core.ending('signed-in'), sealedNonce(current))
    if (ended.status === 'done') {
      if (ended.count > 0)
        core.deps.events.emit('session.ended', { sessionId: sessionIdOf(old.ref), reason: 'signed-in' })
      return session
    }
    const reopened = core.vault.open(old.ref, ended.record)
    if (typeof reopened === 'string') throw new SessionError('COATCHECK_SESSION_ENDED')
    current = reopened
    const merge: Change = (draft) => void Object.assign(draft, carriedFields(core, reopened, input), input.data)
    session = await core.commit(session, created.issued.secretHash, [merge])
  }
  throw new SessionError('COATCHECK_SESSION_CONFLICT', { details: { attempts: MERGE_ATTEMPTS } })
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

/** The claims follow the rules of session data: what a provider sends may hold keys that would change a prototype. */
function profileOf<D extends object>({ userId, profile, authentication, device }: SignInInput<D>): SessionProfile {
  toJsonText(profile, 'user')
  return {
    userId,
    ...(profile && { claims: profile }),
    ...(authentication && { authentication }),
    ...(device && { device }),
  }
}
