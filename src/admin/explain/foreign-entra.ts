/**
 * AADSTS numbers of Microsoft Entra ID that applications encounter. The meanings follow Microsoft's reference, in our words. Numbers can
 * change their meaning, so Coatcheck acts on OAuth's `error` first (token/refresh-outcome.ts; a test compares both).
 */
import { foreignCatalogue } from './explanation.ts'
import { type EntraCode, registrationCodes, signInLog } from './foreign-registration.ts'

const REFERENCE = 'https://learn.microsoft.com/entra/identity-platform/reference-error-codes'

const SIGN_IN_AGAIN =
  'The user signs in again. Coatcheck says COATCHECK_REAUTH_REQUIRED and gives the address to send them to (`error.details.signInUrl`); the session itself stays.'

const stepUp = {
  fix: SIGN_IN_AGAIN,
  prevent:
    'Nothing has to: it is how policy reaches the user. Handle COATCHECK_REAUTH_REQUIRED wherever a token is asked for, and pass the claims on (the sign-in address has them).',
  codes: ['COATCHECK_REAUTH_REQUIRED'],
} as const

const ended = {
  fix: SIGN_IN_AGAIN,
  codes: ['COATCHECK_REAUTH_REQUIRED'],
} as const

const transient = {
  codes: ['COATCHECK_TOKEN_REFRESH_UNAVAILABLE'],
} as const

const userCodes: Readonly<Record<number, EntraCode>> = {
  50020: {
    why: 'The account belongs to another tenant, and does not exist as a guest in the one that is asked.',
    check: signInLog(50020),
    fix: 'Invite the user as a guest, or let them sign in with another account. For users of many tenants register the application as multitenant and say which ones with `allowedTenants`.',
    prevent: 'Use the id of your tenant, not `common`, when only your own users may come.',
    codes: [],
  },
  50034: {
    why: 'The directory that was asked knows no account of this name.',
    check: signInLog(50034),
    fix: 'The user signs in with another account, or is invited as a guest. Compare AZURE_AD_TENANT_ID with the directory of the user.',
    prevent: 'Use the id of your tenant, not `common`, when only your own users may come.',
    codes: [],
  },
  50057: {
    why: 'The account of the user is disabled.',
    check: signInLog(50057),
    fix: 'An administrator enables the account, if the user may come back.',
    prevent: 'Nothing has to: it is how an account is closed.',
    codes: ['COATCHECK_SIGNIN_DENIED'],
  },
  50058: {
    why: 'A silent sign-in (`prompt=none`) found no signed-in user at the provider.',
    check: signInLog(50058),
    fix: 'Nothing is broken: start a sign-in that shows itself.',
    prevent: 'Expect it of every silent sign-in.',
    codes: ['COATCHECK_SIGNIN_DENIED'],
  },
  50076: {
    why: 'A second factor is wanted for this resource: a policy has changed, or the user is somewhere else than before.',
    check: signInLog(50076),
    ...stepUp,
  },
  50079: {
    why: 'A second factor is wanted, and the user has none yet: the next sign-in lets them register one.',
    check: signInLog(50079),
    ...stepUp,
  },
  50105: {
    why: 'The application admits assigned users only, and this one is not assigned to it.',
    check: signInLog(50105),
    fix: 'Assign the user or a group of theirs (Enterprise applications, the application, Users and groups), or switch "Assignment required" off.',
    prevent: 'Assign groups, not people.',
    codes: [],
  },
  50158: {
    why: 'A check outside of Entra ID that the policy asks for, as another provider of second factors, was not passed.',
    check: signInLog(50158),
    ...stepUp,
  },
  50173: {
    why: 'The refresh token was revoked: the password has changed, or an administrator or the user ended all sessions.',
    check: signInLog(50173),
    ...ended,
    prevent: 'Nothing has to: it is a revocation that works.',
  },
  50196: {
    why: 'The same request came too often in a short time, and Entra ID takes it for a loop: tokens are not cached, or every process refreshes for itself.',
    check: signInLog(50196),
    fix: 'Wait, and ask for tokens through `auth.tokens`: it caches them, and one process at a time refreshes. Look for code beside it that calls the token endpoint.',
    prevent: 'No token request of your own: `getAccessToken` is cheap enough to call each time.',
    ...transient,
  },
  53000: {
    why: 'A policy requires a managed and compliant device, and this device is not one.',
    check: signInLog(53000),
    ...stepUp,
  },
  53003: {
    why: 'A Conditional Access policy blocks this sign-in or token. Which one stands in the sign-in log.',
    check: signInLog(53003),
    ...stepUp,
    fix: `${SIGN_IN_AGAIN} If the policy blocks them there too, only its administrator can help.`,
  },
  65004: {
    why: 'The user was asked to consent and declined.',
    check: signInLog(65004),
    fix: 'Say in the application why the permission is needed, and offer the sign-in again.',
    prevent: 'Ask for few scopes at sign-in, and for others when they are needed.',
    codes: ['COATCHECK_SIGNIN_DENIED'],
  },
  70008: {
    why: 'The refresh token, or the code of the sign-in, has expired or was revoked; a refresh token mostly because it was not used for too long.',
    check: signInLog(70008),
    ...ended,
    prevent: 'Session times below the 90 days that a refresh token of a web application lives unused.',
  },
  70043: {
    why: 'A policy limits how long a sign-in lasts (sign-in frequency), and that time is over for this refresh token.',
    check: signInLog(70043),
    ...ended,
    prevent: 'Nothing has to. An absolute timeout below the frequency of the policy makes both end together.',
  },
  90033: {
    why: 'The directory behind Entra ID is not available at the moment.',
    check: signInLog(90033),
    fix: 'Wait: access tokens that are valid go on being served, and refreshing is tried again with growing pauses.',
    prevent: 'Nothing can, on this side.',
    ...transient,
  },
  90094: {
    why: 'The permission that is asked for can only be given by an administrator.',
    check: '`az ad app permission list --id CLIENT_ID`',
    fix: 'An administrator consents once for all users: `az ad app permission admin-consent --id CLIENT_ID`.',
    prevent: 'Do that before the release that needs the permission.',
    codes: [],
  },
  700082: {
    why: 'The refresh token was not used for too long, usually 90 days. The user was away; nothing went wrong.',
    check: signInLog(700082),
    ...ended,
    prevent:
      'Nothing has to: sessions of Coatcheck end long before, so this comes from background work for users who are away.',
  },
  700084: {
    why: 'The refresh token was issued to a single page application: it lives 24 hours and nothing extends it.',
    check: '`az ad app show --id CLIENT_ID --query "{web: web.redirectUris, spa: spa.redirectUris}"`',
    fix: 'Register the redirect URI under the platform Web instead of Single-page application, then let users sign in again.',
    prevent: 'Coatcheck runs on your server: its redirect URI is always one of platform Web.',
    codes: ['COATCHECK_REAUTH_REQUIRED'],
  },
  9002313: {
    why: 'The request is malformed in the eyes of Entra ID: mostly a code or refresh token that was cut off, changed or issued for something else.',
    check: signInLog(9002313),
    fix: 'Look for a place that shortens or re-encodes tokens: a column that is too narrow, a `+` that became a space. If only one user meets it, let them sign in again.',
    prevent: 'Leave storing tokens to one place: `auth.tokens` seals them as they came.',
    codes: [],
  },
}

export const entraCodes = foreignCatalogue(
  Object.fromEntries(
    Object.entries({ ...userCodes, ...registrationCodes }).map(([number, code]) => [
      `AADSTS${number}`,
      { ...code, match: new RegExp(`\\bAADSTS${number}\\b`), seen: [], source: REFERENCE },
    ]),
  ),
)
