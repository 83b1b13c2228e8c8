/** Findings about the identity provider and the return from it. If you add one, add its row in docs/doctor.md. */
import { type CatalogueFinding, error, warning } from './entry.ts'

const provider = { severity: 'error', cause: 'provider' } as const

export const providerFindings = {
  DOCTOR_JWKS: {
    ...provider,
    title: 'The signing keys of the provider cannot be read',
    why: 'Without them no ID token can be verified, so no user can sign in.',
    fix: 'Open the jwks_uri of its metadata from this machine; look for a firewall or proxy in between.',
  },
  DOCTOR_RESPONSE_MODE: {
    ...error,
    title: 'The provider does not know this response mode',
    why: 'Its metadata list the modes that it can answer in, and the configured one is not among them.',
    fix: "Remove responseMode: 'query' is the default, and safe with PKCE.",
  },
  DOCTOR_PKCE: {
    ...warning,
    title: 'The provider does not announce PKCE with S256',
    why: 'Coatcheck always sends it. A provider that ignores it leaves a stolen authorization code usable.',
    fix: 'Switch PKCE on at the provider, or ask its maker.',
  },
  DOCTOR_SCOPE_UNSUPPORTED: {
    ...warning,
    title: 'The provider does not list a scope that is asked for',
    why: 'It may ignore it (then there is no refresh token, or a claim is missing) or refuse the sign-in (invalid_scope).',
    fix: 'Correct its spelling, or allow it for this client at the provider.',
  },
  DOCTOR_CLIENT_CERTIFICATE_EXPIRED: {
    ...provider,
    title: 'The client certificate has expired',
    why: 'The provider refuses the application: no sign-in, no refresh.',
    fix: 'Renew the certificate, upload it at the provider, and put it where the configuration names it.',
  },
  DOCTOR_CLIENT_CERTIFICATE_EXPIRES: {
    ...warning,
    title: 'The client certificate expires soon',
    why: 'From that moment on the provider refuses the application: no sign-in, no refresh.',
    fix: 'Make a new one and upload it beside the old one, which stays valid until then.',
  },
  DOCTOR_REDIRECT_URI: {
    ...provider,
    title: 'The provider does not know the redirect URI',
    why: 'The provider redirects only to registered addresses, so every sign-in ends on its error page (Entra ID: AADSTS50011).',
    fix: 'Register exactly this address as a redirect URI of type web, or correct COATCHECK_BASE_URL or basePath.',
  },
  DOCTOR_CALLBACK_UNANSWERED: {
    ...warning,
    title: 'Something else answers at the redirect URI',
    why: 'A server answers there, but not with the routes of Coatcheck: users would come back from the provider to nothing.',
    fix: 'Mount the routes under basePath, before any catch-all and outside of what demands a sign-in; let proxies pass it, with form_post also as POST.',
  },
  DOCTOR_PROVIDER_CLOCK: {
    ...warning,
    title: 'The clocks of the provider and this machine differ',
    why: 'ID tokens and client assertions carry times, and are refused when they seem to be of the future or too old.',
    fix: 'Let this machine follow a time server.',
  },
} as const satisfies Record<string, CatalogueFinding>
