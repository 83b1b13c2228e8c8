/**
 * Explains AADSTS numbers about the registration, tenant, credential and permissions of an application. `foreign-entra.ts` explains
 * the numbers about users and their sign-ins, and combines both tables.
 */
import type { ForeignText } from './explanation.ts'

export type EntraCode = Omit<ForeignText, 'match' | 'seen' | 'source'>

/** Where to find the number in the sign-in log of a tenant: the same for each number. */
export const signInLog = (number: number): string =>
  `Entra admin center, Monitoring & health, Sign-in logs: filter by sign-in error code ${number}.`

/** Entra ID shows these errors on its own page, so the browser never returns to the application. */
const ON_THEIR_PAGE = 'The user sees this on a page of Microsoft, and the browser does not return to the application.'
const METADATA = '`curl -sS https://login.microsoftonline.com/TENANT/v2.0/.well-known/openid-configuration`'
const PLATFORMS = '`az ad app show --id CLIENT_ID --query "{web: web.redirectUris, spa: spa.redirectUris}"`'
const AUDIENCE = '`az ad app show --id CLIENT_ID --query signInAudience`'
const PERMISSIONS = '`az ad app permission list --id CLIENT_ID`'

const credential = {
  check: '`az ad app credential list --id CLIENT_ID`',
  prevent:
    'Put the expiry date of a secret into a calendar. `coatcheck doctor` warns before a certificate expires. No user is signed out: Coatcheck keeps serving valid access tokens.',
  codes: ['COATCHECK_OIDC_CLIENT_REJECTED', 'COATCHECK_TOKEN_REFRESH_REJECTED'],
} as const

const tenant = {
  check: METADATA,
  prevent: '`await auth.ready({ provider: true })` before the application listens: a wrong tenant ends the start.',
  codes: ['COATCHECK_OIDC_DISCOVERY'],
} as const

const platform = {
  check: PLATFORMS,
  prevent: 'Coatcheck runs on your server: its redirect URI is always one of platform Web.',
} as const

export const registrationCodes: Readonly<Record<number, EntraCode>> = {
  50011: {
    why: `The redirect URI of the request is not registered for the application. Entra ID compares scheme, host, port, path and trailing slash as text. ${ON_THEIR_PAGE}`,
    check: '`az ad app show --id CLIENT_ID --query web.redirectUris`',
    fix: 'Register exactly `<COATCHECK_BASE_URL>/auth/callback`, as a platform of type Web. Behind a proxy set COATCHECK_BASE_URL to the address that browsers use. `localhost` and `127.0.0.1` are two hosts. For `localhost` the port does not count.',
    prevent: 'One registration for each environment. `coatcheck doctor` prints the redirect URI that is sent.',
    codes: [],
  },
  50194: {
    why: 'The application is registered for one tenant, and the request went to `/common` or `/organizations`.',
    check: AUDIENCE,
    fix: 'Set AZURE_AD_TENANT_ID to the "Directory (tenant) ID" of the registration. For users of many tenants make the registration multitenant.',
    prevent: 'Use the id of your tenant, unless users of other tenants sign in.',
    codes: [],
  },
  54005: {
    why: 'The code of this sign-in was redeemed before: the browser sent the callback twice, or two programs redeem codes.',
    check: signInLog(54005),
    fix: 'Start the sign-in again. If it comes back, look for a second library that handles the same callback path.',
    prevent: 'One library for the callback path. Coatcheck sends each code once.',
    codes: ['COATCHECK_SIGNIN_REJECTED'],
  },
  65001: {
    why: 'Neither the user nor an administrator has consented to this application for the permission it asks for.',
    check: '`az ad app permission list-grants --id CLIENT_ID`',
    fix: 'The user signs in again and consents: COATCHECK_REAUTH_REQUIRED has the address (`error.details.signInUrl`). For permissions that only administrators can give: `az ad app permission admin-consent --id CLIENT_ID`.',
    prevent: 'Add the permission to the registration and consent to it before the release that needs it.',
    codes: ['COATCHECK_REAUTH_REQUIRED'],
  },
  70011: {
    why: 'A scope of the request does not exist, or is not written in the right form: `api://<application id>/<name>`, or `<resource>/.default`.',
    check: PERMISSIONS,
    fix: 'Correct the scope, and add the permission to the registration.',
    prevent: 'One resource for each token: `coatcheck doctor` finds scopes of more than one.',
    codes: ['COATCHECK_TOKEN_REFRESH_REJECTED'],
  },
  90002: {
    ...tenant,
    why: 'No tenant of this id or name exists in this cloud.',
    fix: 'Correct AZURE_AD_TENANT_ID: the "Directory (tenant) ID" of the registration, not its application id. A tenant of a national cloud needs `entra({ cloud })`.',
  },
  90014: {
    why: 'A field that the request needs is missing or empty: often a client id that is set to an empty text.',
    check: '`npx coatcheck doctor`',
    fix: 'Set AZURE_AD_CLIENT_ID. If a token request of your own is refused, compare its fields with the documentation of Entra ID.',
    prevent: '`await auth.ready()` before the application listens: it names a value that is missing.',
    codes: [],
  },
  500011: {
    why: 'The tenant has no resource of this name: the API is not registered there, or no administrator there has consented to it.',
    check: '`az ad sp list --filter "servicePrincipalNames/any(n:n eq \'RESOURCE\')"`',
    fix: 'Correct the resource in `scopes` or `apiScopes`: it is the "Application ID URI" of the API. If the API lives in another tenant, an administrator of this one consents to it first.',
    prevent: 'Register API and application in the same tenant for each environment.',
    codes: ['COATCHECK_TOKEN_REFRESH_REJECTED'],
  },
  650056: {
    why: 'The registration has no permission for this resource, or no administrator of this tenant has consented to it.',
    check: PERMISSIONS,
    fix: 'Add the delegated permission to the registration (API permissions; for sign-in alone `User.Read` of Microsoft Graph), then consent to it.',
    prevent: 'Add permissions before the release that needs them.',
    codes: [],
  },
  700016: {
    ...credential,
    why: 'The tenant has no application with this client id: the id is wrong, the tenant belongs to another environment, or no administrator there has consented to the application.',
    check: '`az ad app show --id CLIENT_ID --query appId`',
    fix: 'Compare AZURE_AD_CLIENT_ID and AZURE_AD_TENANT_ID with the overview of the registration.',
    prevent: 'Set both from one place: Coatcheck never mixes the groups `AZURE_AD_*` and `AZURE_*` for this reason.',
  },
  700025: {
    ...platform,
    why: 'The registration treats the application as a public client, which has no secret, and the request brought one.',
    fix: 'Register the redirect URI under the platform Web. Under Authentication set "Allow public client flows" to No.',
    codes: credential.codes,
  },
  700027: {
    ...credential,
    why: 'The signature of the client assertion does not fit a certificate of the registration: another certificate, an expired one, or a key that belongs to another certificate.',
    fix: 'Upload the certificate whose key the application has (`az ad app credential reset --id CLIENT_ID --cert @cert.pem --append`).',
  },
  900023: {
    ...tenant,
    why: 'The tenant in the address is neither an id nor a domain: a placeholder, a display name, or quotes and spaces around it.',
    fix: 'Set AZURE_AD_TENANT_ID to the "Directory (tenant) ID" of the registration, without quotes.',
  },
  7000215: {
    ...credential,
    why: 'The client secret is not one of this application. The usual reason: its id was copied instead of its value.',
    fix: 'Put the value of the secret (shown once, when it is made) into AZURE_AD_CLIENT_SECRET, or make a new one: `az ad app credential reset --id CLIENT_ID --append`.',
  },
  7000218: {
    ...credential,
    why: 'The application is a confidential client, and the request brought neither a secret nor a certificate.',
    fix: 'Set AZURE_AD_CLIENT_SECRET, AZURE_AD_CLIENT_CERTIFICATE_PATH or AZURE_AD_FEDERATED_TOKEN_FILE.',
  },
  7000222: {
    ...credential,
    why: 'The client secret has expired.',
    fix: 'Make a new one (`az ad app credential reset --id CLIENT_ID --append`), deploy it, then remove the old one.',
  },
  9002325: {
    ...platform,
    why: 'The redirect URI is registered for a single-page application, whose codes only a browser redeems, with a proof key.',
    fix: 'Remove the redirect URI from the platform Single-page application and register it under Web.',
    codes: ['COATCHECK_SIGNIN_REJECTED'],
  },
  9002327: {
    ...platform,
    why: 'The redirect URI is registered for a single-page application, so only a browser may redeem the code, and a server did.',
    fix: 'Remove the redirect URI from the platform Single-page application and register it under Web.',
    codes: ['COATCHECK_SIGNIN_REJECTED'],
  },
}
