/** Errors of sessions and of the users that a drop-in library stores. */
import type { CatalogueEntry } from './catalogue-entry.ts'

const session = { family: 'session', retryable: false, status: 500 } as const

export const sessionErrors = {
  COATCHECK_SESSION_CONFLICT: {
    ...session,
    retryable: true,
    status: 503,
    why: 'The session was changed by others 16 times in a row while this change was being applied.',
    fix: 'Repeat the request; find the requests that write this session so often.',
  },
  COATCHECK_SESSION_ENDED: {
    ...session,
    status: 401,
    why: 'The session has expired or was revoked, so it cannot be changed any more.',
    fix: 'Send the user to sign-in. A revoked session is never brought back.',
  },
  COATCHECK_SESSION_LIMIT: {
    ...session,
    status: 403,
    why: 'The user has as many sessions as session.maxPerUser allows and its action is "refuse".',
    fix: 'Let the user end one of the other sessions, or use the action "end-oldest".',
  },
  COATCHECK_SESSION_TOO_LARGE: {
    ...session,
    status: 500,
    why: 'The data of the session would be larger than session.maxBytes. Nothing was changed.',
    fix: 'Keep large values in your database and their ids in the session.',
  },
  COATCHECK_SESSION_SCHEMA: {
    ...session,
    why: 'The data does not fit session.schema. Nothing was changed.',
    fix: 'Change the value at the path that the message names, or add an upcast for records of older versions.',
  },
  COATCHECK_HEADERS_SENT: {
    ...session,
    why: 'A new ticket has to be sent as a cookie, but the headers of the response have already left.',
    fix: 'Store the first value of a visitor, sign in or rotate before the first byte of the response. Changing a session that exists needs no header.',
  },
  COATCHECK_COOKIES_READ_ONLY: {
    ...session,
    why: 'A new ticket has to be sent as a cookie, but cookies cannot be written here.',
    fix: 'Store the first value of a visitor, sign in or rotate in a route handler or a server action. Changing a session that exists works here too.',
  },
  COATCHECK_SESSION_CROSS_SITE: {
    ...session,
    status: 403,
    why: 'Another site sent this request, and the browser left the session cookie out. A new session, or a sign-out, would take away the cookie of a session that the visitor may have.',
    fix: 'Store the value, or sign out, in a request from a page of your own. Redirect the visitor (303) when another site posts an answer, and do it in the request that follows.',
  },
  COATCHECK_EMAIL_TAKEN: {
    ...session,
    status: 409,
    why: 'Auth.js wanted to give a user an e-mail address, or an id, that another user has.',
    fix: 'Let the user sign in the way they did first, and link the new account while they are signed in.',
  },
  COATCHECK_ACCOUNT_LINKED: {
    ...session,
    status: 409,
    why: 'Auth.js wanted to link an account or a passkey that another user has.',
    fix: 'Sign in with that account, or unlink it there first.',
  },
  COATCHECK_USER_UNKNOWN: {
    ...session,
    status: 404,
    why: 'Auth.js wanted to change a user or a passkey that does not exist (any more).',
    fix: 'None, if the user was deleted meanwhile: the next request has no signed-in user.',
  },
  COATCHECK_UNAUTHENTICATED: {
    ...session,
    status: 401,
    why: 'The request has no signed-in user.',
    fix: 'Send the user to the login route.',
  },
  COATCHECK_RECENT_SIGNIN_REQUIRED: {
    ...session,
    status: 401,
    why: 'The user authenticated longer ago than the maxAge of this route, or the provider sent no auth_time.',
    fix: 'Send the user to the login route with max_age. If this error follows every sign-in, configure the provider to send auth_time; docs/sign-in.md says how.',
  },
} as const satisfies Record<string, CatalogueEntry>
