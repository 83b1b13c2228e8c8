/**
 * nextjs-auth0's `SessionDataStore`: sessions of Auth0, found by the id in the cookie, ended by logout tokens. A session enters the sets of
 * its user and of its provider session before it is stored, so that ending all sessions of a set includes it.
 */
import type { Clock } from '../core/clock.ts'
import { ENDED_REMEMBERED_MS, boundedLifeMs } from '../core/time-to-live.ts'
import { type DocumentRef, isDocumentName } from '../documents/document-driver.ts'
import type { Documents } from '../documents/documents.ts'
import { endAll, readMembers } from '../documents/set-members.ts'

/* eslint-disable @typescript-eslint/no-explicit-any -- the SDK's own type; naming it here would load Next's global types */
/** nextjs-auth0's `SessionData`. Only these fields are used; the others are stored unchanged. */
export interface Auth0Session {
  /** Claims of the signed-in user. */
  user: {
    /** Subject of the user at the provider. */
    sub: string
    [claim: string]: any
  }
  /** Tokens as nextjs-auth0 keeps them. */
  tokenSet: any
  /** Internal data of nextjs-auth0. */
  internal: {
    /** Session id of the provider. */
    sid: string
    /** Creation time, epoch seconds. */
    createdAt: number
    /** Internal domain data of nextjs-auth0. */
    mcd?: any
  }
  [field: string]: any
}
/* eslint-enable @typescript-eslint/no-explicit-any */

/** Claims of a back-channel logout token: what the ended sessions must match. */
export interface Auth0LogoutToken {
  /** Ends all sessions of this subject when `sid` is absent. */
  readonly sub?: string | undefined
  /** Ends the sessions of this session of the provider. */
  readonly sid?: string | undefined
  /** Issuer of the token. */
  readonly iss?: string | undefined
}

/** The `sessionStore` that nextjs-auth0 expects, with additional methods. */
export interface SessionDataStore {
  /** Returns the session; `null` if there is none. */
  get(id: string): Promise<Auth0Session | null>
  /** Stores a new session, or replaces one. A deleted session is not stored again. */
  set(id: string, session: Auth0Session): Promise<void>
  /** Replaces a session in one step, only if it exists. Returns whether it did. */
  update(id: string, session: Auth0Session): Promise<boolean>
  /** Ends a session. Ending an absent session is fine. */
  delete(id: string): Promise<void>
  /** Ends the sessions of this provider session, of this user, or of both, at this issuer. */
  deleteByLogoutToken(token: Auth0LogoutToken): Promise<void>
  /** Lists the user's live sessions. `id` is a name for `revoke` that opens no session. */
  listByUser(sub: string): Promise<
    {
      /** A name for the session that opens no session: not the id in the cookie. */
      readonly id: string
      /** The stored session. */
      readonly session: Auth0Session
    }[]
  >
  /** Ends one session by the id of `listByUser`. Resolves to false when it had ended already. */
  revoke(id: string): Promise<boolean>
  /**
   * Ends all sessions of a user, except the one that `options.except` names by its id of `listByUser` or `idOf`.
   * @returns the number of ended sessions
   */
  revokeByUser(sub: string, options?: { readonly except?: string }): Promise<number>
  /** Returns the name under which `listByUser` lists the session of this id. */
  idOf(id: string): Promise<string>
}

const KIND = 'nextjs-auth0'

interface Lives {
  readonly absoluteMs: number
  readonly inactivityMs: number
  readonly isRolling: boolean
}

/** The life of a session by the SDK's rules, milliseconds: a session that does not roll only ends by its absolute life. */
export function sessionLife(lives: Lives, clock: Clock): (session: Auth0Session) => number {
  const mostMs = lives.isRolling ? lives.inactivityMs : lives.absoluteMs
  return ({ internal }) =>
    Math.min(mostMs, boundedLifeMs(internal.createdAt * 1000 + lives.absoluteMs - clock.now(), mostMs))
}

/** The sets of a session: those of its user and of its provider session. */
export function sessionSets({
  refOf,
}: Pick<Documents<Auth0Session>, 'refOf'>): (session: Auth0Session) => readonly DocumentRef[] {
  return ({ user, internal }) => [refOf(`user ${user.sub}`), ...(internal.sid ? [refOf(`sid ${internal.sid}`)] : [])]
}

export function createSessionDataStore(
  documents: Documents<Auth0Session>,
  lives: Lives,
  clock: Clock,
): SessionDataStore {
  const { driver, refOf } = documents
  const named = (name: string): DocumentRef => ({ kind: KIND, name })
  const userSet = (sub: string): DocumentRef => refOf(`user ${sub}`)
  const sidSet = (sid: string): DocumentRef => refOf(`sid ${sid}`)
  const lifeOf = sessionLife(lives, clock)
  const setsOf = sessionSets(documents)

  const enter = async (ref: DocumentRef, session: Auth0Session, ttlMs: number): Promise<void> => {
    await Promise.all(setsOf(session).map((set) => driver.enter(set, ref.name, ttlMs)))
  }
  const endWhere = async (set: DocumentRef, matches: (session: Auth0Session | null) => boolean): Promise<number> => {
    const members = await readMembers(documents, set)
    return endAll(
      driver,
      members.filter(({ value }) => matches(value)).map(({ ref }) => ref),
    )
  }

  return {
    get: async (id) => (await documents.read(refOf(id)))?.value ?? null,

    async set(id, session) {
      const ttlMs = lifeOf(session)
      const ref = refOf(id)
      if (ttlMs <= 0) {
        await driver.end(ref, ENDED_REMEMBERED_MS)
        return
      }
      await enter(ref, session, ttlMs)
      await documents.put(ref, session, { ttlMs })
    },

    async update(id, session) {
      const ttlMs = lifeOf(session)
      const ref = refOf(id)
      if (ttlMs <= 0) {
        await driver.end(ref, ENDED_REMEMBERED_MS)
        return false
      }
      await enter(ref, session, ttlMs)
      const changed = await documents.change(
        ref,
        () => session,
        () => ttlMs,
      )
      return changed.status === 'saved'
    },

    async delete(id) {
      await driver.end(refOf(id), ENDED_REMEMBERED_MS)
    },

    async deleteByLogoutToken({ sub, sid, iss }) {
      const matches = (session: Auth0Session | null): boolean => {
        // The session entered the set but is not stored yet, so only its membership is known.
        if (!session) return true
        const { issuer } = (session.internal.mcd ?? {}) as { readonly issuer?: string }
        const sameIssuer = iss === undefined || issuer === undefined || withoutSlash(iss) === withoutSlash(issuer)
        const sameUser = sub === undefined || session.user.sub === sub
        return sameIssuer && sameUser && (sid === undefined || session.internal.sid === sid)
      }
      // With both claims, the token means one session of this user.
      if (sid !== undefined) await endWhere(sidSet(sid), matches)
      else if (sub !== undefined) await endWhere(userSet(sub), matches)
    },

    async listByUser(sub) {
      const members = await readMembers(documents, userSet(sub))
      return members.flatMap(({ ref, value }) => (value?.user.sub === sub ? [{ id: ref.name, session: value }] : []))
    },
    revoke: async (id) => isDocumentName(id) && driver.end(named(id), ENDED_REMEMBERED_MS),

    async revokeByUser(sub, { except } = {}) {
      const names = (await driver.members(userSet(sub))).filter((name) => name !== except)
      const ended = await endAll(driver, names.map(named))
      await driver.leave(userSet(sub), names)
      return ended
    },
    idOf: async (id) => Promise.resolve(refOf(id).name),
  }
}

function withoutSlash(issuer: string): string {
  return issuer.replace(/\/$/, '')
}
