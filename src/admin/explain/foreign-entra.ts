/**
 * The AADSTS numbers of Microsoft Entra ID that applications meet. What each means is Microsoft's own reference, in our words; numbers
 * can change their meaning, so Coatcheck acts on OAuth's `error` first (token/refresh-outcome.ts; a test holds both together).
 */
import { foreignCatalogue, type ForeignText } from './explanation.ts'

const REFERENCE = 'https://learn.microsoft.com/entra/identity-platform/reference-error-codes'

type Code = Omit<ForeignText, 'match' | 'seen' | 'source'>

/** The sign-in log of a tenant: the same for every number. */
const signInLog = (number: number): string =>
  `Entra admin center, Monitoring & health, Sign-in logs: filter by sign-in error code ${number}.`

const SIGN_IN_AGAIN =
  'The user signs in again. Coatcheck says COATCHECK_REAUTH_REQUIRED and gives the address to send them to (`error.details.signInUrl`); the session itself stays.'

const credential = {
  check: '`az ad app credential list --id CLIENT_ID`',
  prevent:
    'Put the end of the credential into a calendar, or use a certificate or a federated credential. `coatcheck doctor` warns ahead. Nobody is signed out: valid access tokens go on being served.',
  codes: ['COATCHECK_OIDC_CLIENT_REJECTED', 'COATCHECK_TOKEN_REFRESH_REJECTED'],
} as const

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

const codes: Readonly<Record<number, Code>> = {
  50011: {
    why: 'The redirect URI of the request is none of those that the application has registered. It is compared as a text: scheme, host, port, path and a trailing slash all count. The user sees this on the page of Microsoft and never comes back.',
    check: '`az ad app show --id CLIENT_ID --query web.redirectUris`',
    fix: 'Register exactly `<COATCHECK_BASE_URL>/auth/callback`, as a platform of type Web. Behind a proxy set COATCHECK_BASE_URL to the address that browsers use. For `localhost` the port does not count.',
    prevent: 'One registration for each environment. `coatcheck doctor` prints the redirect URI that is sent.',
    codes: [],
  },
  50020: {
    why: 'The account belongs to another tenant, and does not exist as a guest in the one that is asked.',
    check: signInLog(50020),
    fix: 'Invite the user as a guest, or let them sign in with another account. For users of many tenants register the application as multitenant and say which ones with `allowedTenants`.',
    prevent: 'Use the id of your tenant, not `common`, when only your own users may come.',
    codes: [],
  },
  50058: {
    why: 'A silent sign-in (`prompt=none`) found nobody signed in at the provider.',
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
    why: 'A policy wants a device that is managed and compliant, and this one is not.',
    check: signInLog(53000),
    ...stepUp,
  },
  53003: {
    why: 'A Conditional Access policy blocks this sign-in or token. Which one stands in the sign-in log.',
    check: signInLog(53003),
    ...stepUp,
    fix: `${SIGN_IN_AGAIN} If the policy blocks them there too, only its administrator can help.`,
  },
  65001: {
    why: 'Neither the user nor an administrator has consented to this application for the permission it asks for.',
    check: '`az ad app permission list-grants --id CLIENT_ID`',
    ...stepUp,
    fix: `${SIGN_IN_AGAIN} For permissions that only administrators can give: \`az ad app permission admin-consent --id CLIENT_ID\`.`,
    prevent: 'Add the permission to the registration and consent to it before the release that needs it.',
  },
  65004: {
    why: 'The user was asked to consent and declined.',
    check: signInLog(65004),
    fix: 'Say in the application why the permission is needed, and offer the sign-in again.',
    prevent: 'Ask for few scopes at sign-in, and for others when they are needed.',
    codes: ['COATCHECK_SIGNIN_DENIED'],
  },
  70008: {
    why: 'The refresh token, or the code of the sign-in, has expired or was revoked; for a refresh token mostly because nobody used it for too long.',
    check: signInLog(70008),
    ...ended,
    prevent: 'Session times below the 90 days that a refresh token of a web application lives unused.',
  },
  70011: {
    why: 'A scope of the request does not exist, or is not written as it has to be: `api://<application id>/<name>`, or `<resource>/.default`.',
    check: '`az ad app permission list --id CLIENT_ID`',
    fix: 'Correct the scope that the text names, and add the permission to the registration.',
    prevent: 'One resource for each token: `coatcheck doctor` finds scopes of more than one.',
    codes: ['COATCHECK_TOKEN_REFRESH_REJECTED'],
  },
  70043: {
    why: 'A policy limits how long a sign-in lasts (sign-in frequency), and that time is over for this refresh token.',
    check: signInLog(70043),
    ...ended,
    prevent: 'Nothing has to. An absolute timeout below the frequency of the policy makes both end together.',
  },
  90002: {
    why: 'No tenant of this id or name exists in this cloud.',
    check: '`curl -sS https://login.microsoftonline.com/TENANT/v2.0/.well-known/openid-configuration`',
    fix: 'Correct AZURE_AD_TENANT_ID: the "Directory (tenant) ID" of the registration, not its application id. A tenant of a national cloud needs `entra({ cloud })`.',
    prevent: '`await auth.ready()` before the application listens: a wrong tenant ends the start.',
    codes: ['COATCHECK_OIDC_DISCOVERY'],
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
    fix: 'An administrator consents once for everybody: `az ad app permission admin-consent --id CLIENT_ID`.',
    prevent: 'Do that before the release that needs the permission.',
    codes: [],
  },
  700016: {
    why: 'The tenant knows no application of this client id: a wrong id, the tenant of another environment, or a registration nobody there has consented to.',
    check: '`az ad app show --id CLIENT_ID --query appId`',
    fix: 'Compare AZURE_AD_CLIENT_ID and AZURE_AD_TENANT_ID with the overview of the registration.',
    prevent: 'Set both from one place: Coatcheck never mixes the groups `AZURE_AD_*` and `AZURE_*` for this reason.',
    codes: credential.codes,
  },
  700027: {
    ...credential,
    why: 'The signature of the client assertion does not fit a certificate of the registration: another certificate, an expired one, or a key that belongs to another certificate.',
    fix: 'Upload the certificate whose key the application has (`az ad app credential reset --id CLIENT_ID --cert @cert.pem --append`).',
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
  7000215: {
    ...credential,
    why: 'The client secret is not one of this application. Most often its id was copied in place of its value.',
    fix: 'Put the value of the secret (shown once, when it is made) into AZURE_AD_CLIENT_SECRET, or make a new one: `az ad app credential reset --id CLIENT_ID --append`.',
  },
  7000222: {
    ...credential,
    why: 'The client secret has expired.',
    fix: 'Make a new one (`az ad app credential reset --id CLIENT_ID --append`), deploy it, then remove the old one.',
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
    Object.entries(codes).map(([number, code]) => [
      `AADSTS${number}`,
      { ...code, match: new RegExp(`\\bAADSTS${number}\\b`), seen: [], source: REFERENCE },
    ]),
  ),
)
