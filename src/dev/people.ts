/**
 * Users of the development provider: one person per situation that an application must handle, with the claims that Entra ID would send
 * (https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference).
 */
import { createHash } from 'node:crypto'

export const devUserNames = ['ada', 'grace', 'linus', 'margaret', 'barbara'] as const
/** Short name of a person who can sign in: `ada`. */
export type DevUserName = (typeof devUserNames)[number]

export interface DevUser {
  readonly id: DevUserName
  readonly name: string
  readonly email: string
  /** The situation that this person represents. */
  readonly note: string
  readonly roles: readonly string[]
  /** Set for a guest: the tenant of the guest's account. */
  readonly homeTenantId?: string
  readonly groupCount: number
}

/** Maximum number of groups that Entra writes into a JWT. With more, it sends a claim source instead ("overage"). */
const MAX_GROUPS_IN_TOKEN = 200

export const devUsers: readonly DevUser[] = [
  {
    id: 'ada',
    name: 'Ada Lovelace',
    email: 'ada@example.test',
    note: 'Administrator',
    roles: ['Admin', 'User'],
    groupCount: 3,
  },
  { id: 'grace', name: 'Grace Hopper', email: 'grace@example.test', note: 'User', roles: ['User'], groupCount: 2 },
  {
    id: 'linus',
    name: 'Linus Torvalds',
    email: 'linus@partner.test',
    note: 'Guest from another tenant',
    roles: ['User'],
    homeTenantId: '7d3c1f60-5b0e-4b52-9d5e-0c6a2f1e8b44',
    groupCount: 1,
  },
  {
    id: 'margaret',
    name: 'Margaret Hamilton',
    email: 'margaret@example.test',
    note: 'Disabled: sign-in is refused',
    roles: [],
    groupCount: 0,
  },
  {
    id: 'barbara',
    name: 'Barbara Liskov',
    email: 'barbara@example.test',
    note: 'Member of 250 groups',
    roles: ['User'],
    groupCount: 250,
  },
]

/** The subject: opaque and, unlike `oid`, only valid for this application. */
export function subjectOf(user: DevUser): string {
  return createHash('sha256').update(`subject:${user.id}`).digest('base64url')
}

export function objectIdOf(user: DevUser): string {
  return guidOf(`object:${user.id}`)
}

export function findUserBySubject(subject: string): DevUser | undefined {
  return devUsers.find((user) => subjectOf(user) === subject)
}

/** Finds a user by short name or e-mail address, as in `login_hint`. A value that is not a string finds no user. */
export function findUserByHint(hint: unknown): DevUser | undefined {
  const wanted = typeof hint === 'string' ? hint.trim().toLowerCase() : ''
  return devUsers.find((user) => user.email === wanted || user.id === wanted)
}

/** Claims of the ID token. The requested scopes decide which of them are sent. */
export function claimsOf(user: DevUser, tenantId: string): { sub: string; [claim: string]: unknown } {
  return {
    sub: subjectOf(user),
    oid: objectIdOf(user),
    tid: tenantId,
    ver: '2.0',
    name: user.name,
    preferred_username: user.email,
    email: user.email,
    roles: user.roles.length > 0 ? user.roles : undefined,
    ...(user.homeTenantId && { idp: `https://sts.windows.net/${user.homeTenantId}/`, acct: 1 }),
    ...groupClaims(user),
  }
}

function groupClaims(user: DevUser): Record<string, unknown> {
  if (user.groupCount === 0) return {}
  if (user.groupCount > MAX_GROUPS_IN_TOKEN) {
    const endpoint = `https://graph.microsoft.com/v1.0/users/${objectIdOf(user)}/getMemberObjects`
    return { hasgroups: true, _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint } } }
  }
  return { groups: Array.from({ length: user.groupCount }, (_, index) => guidOf(`group:${String(index)}`)) }
}

/** The same name always gives the same GUID, so that tests and databases may store it. */
function guidOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
