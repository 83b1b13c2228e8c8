/** Converts sessions of @auth0/nextjs-auth0 to the shape of version 4. Version 3 has the times in a header, and the tokens beside the user. */
import type { OldSession } from './old-sessions.ts'

/** A session of nextjs-auth0, in the shape of version 4. */
export interface Auth0OldSession {
  /** Claims of the user. */
  readonly user: Readonly<Record<string, unknown>> & {
    /** Id of the user at Auth0. */
    readonly sub: string
  }
  /** Tokens of the user. */
  readonly tokenSet: {
    /** Absent: the session has none. */
    readonly accessToken?: string | undefined
    /** Absent: the session has none. */
    readonly idToken?: string | undefined
    /** Absent: the session has none. */
    readonly refreshToken?: string | undefined
    /** Scopes of the access token, separated by spaces. */
    readonly scope?: string | undefined
    /** Epoch seconds. */
    readonly expiresAt?: number | undefined
  }
  /** About the session itself. */
  readonly internal: {
    /** Session id at Auth0. Absent: Auth0 sent none. */
    readonly sid?: string | undefined
    /** When the user signed in, epoch seconds. */
    readonly createdAt?: number | undefined
  }
}

interface Version3 {
  readonly user: Auth0OldSession['user'] & { readonly sid?: string }
  readonly idToken?: string
  readonly accessToken?: string
  readonly accessTokenScope?: string
  readonly accessTokenExpiresAt?: number
  readonly refreshToken?: string
}

/**
 * Returns the session in a payload, and when it ends, epoch milliseconds. `null`: the payload is no session.
 * @param header of version 3; a header without `iat` is of version 4
 */
export function auth0SessionIn(
  payload: object | undefined,
  header: object,
): { readonly session: Auth0OldSession; readonly endsAtMs: number | null } | null {
  const { user } = (payload ?? {}) as { readonly user?: { readonly sub?: unknown } | null }
  if (typeof user?.sub !== 'string' || user.sub === '') return null
  const { iat, exp } = header as { readonly iat?: unknown; readonly exp?: unknown }
  if (typeof iat !== 'number') {
    const { internal, exp: end } = payload as { readonly internal?: unknown; readonly exp?: unknown }
    if (typeof internal !== 'object' || internal === null) return null
    if (end === undefined) return { session: payload as Auth0OldSession, endsAtMs: null }
    return isTime(end) ? { session: payload as Auth0OldSession, endsAtMs: end * 1000 } : null
  }
  // The SDK rejects a session without an end, too.
  if (!isTime(exp)) return null
  const old = payload as Version3
  return {
    session: {
      user: old.user,
      tokenSet: {
        ...{ accessToken: old.accessToken, idToken: old.idToken, refreshToken: old.refreshToken },
        ...{ scope: old.accessTokenScope, expiresAt: old.accessTokenExpiresAt },
      },
      internal: { sid: old.user.sid, createdAt: iat },
    },
    endsAtMs: exp * 1000,
  }
}

function isTime(value: unknown): value is number {
  return Number.isFinite(value)
}

/** Returns the session in a record of a session store. Version 3 stores the header with the times beside the data. `null`: it is none. */
export function storedAuth0Session(stored: object | null): OldSession | null {
  const { header, data } = (stored ?? {}) as { readonly header?: object; readonly data?: object }
  const found = header ? auth0SessionIn(data, header) : auth0SessionIn(stored ?? undefined, {})
  return found && { data: found.session, endsAtMs: found.endsAtMs, beganAtMs: auth0SessionBegin(found.session) }
}

/** Returns when the user signed in, epoch milliseconds. The time stays when the SDK seals the session again. `null`: unknown. */
export function auth0SessionBegin({ internal }: Auth0OldSession): number | null {
  const { createdAt } = internal as { readonly createdAt?: unknown }
  return typeof createdAt === 'number' ? createdAt * 1000 : null
}
