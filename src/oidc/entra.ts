/**
 * The preset for Microsoft Entra ID. Omitted options come from `AZURE_AD_TENANT_ID`, `AZURE_AD_CLIENT_ID` and one credential
 * (`AZURE_AD_CLIENT_SECRET`, `AZURE_AD_CLIENT_CERTIFICATE_PATH` or `AZURE_AD_FEDERATED_TOKEN_FILE`), or from the same names with the
 * prefix `AZURE_`: one complete group, never a mixture.
 */
import type { ProviderOptions } from '../config/types.ts'
import type { Duration } from '../core/duration.ts'

/** Options of `entra()`. Each may come from the environment instead. */
export interface EntraOptions {
  /** Name of the provider in routes and stored tokens: `a-z`, `0-9`, `-` and `_`, at most 32. Never change it. Default `entra`. */
  readonly name?: string
  /** Directory (tenant) id: a GUID, or `common`, `organizations`, `consumers`. `AZURE_AD_TENANT_ID` or `AZURE_TENANT_ID`. */
  readonly tenantId?: string | undefined
  /** Application (client) id: a GUID. `AZURE_AD_CLIENT_ID` or `AZURE_CLIENT_ID`. */
  readonly clientId?: string | undefined
  /** Client secret: its value, not its id. `AZURE_AD_CLIENT_SECRET` or `AZURE_CLIENT_SECRET`. */
  readonly clientSecret?: string | undefined
  /** In place of the secret: PEM text with an RSA key (PKCS #8) and its certificate, for `private_key_jwt` (RFC 7523). */
  readonly clientCertificate?: string | undefined
  /** In place of the secret: path of a file with that PEM text. It is read again when it changes. */
  readonly clientCertificatePath?: string | undefined
  /** In place of the secret: path of the file where the platform writes a token of this application (workload identity). */
  readonly federatedTokenFile?: string | undefined
  /** National cloud. Default `public`. */
  readonly cloud?: 'public' | 'usgov' | 'china'
  /**
   * Directory (tenant) ids whose users may sign in, each a GUID. `any`: all that `tenantId` admits. Required with `common` and
   * `organizations`.
   */
  readonly allowedTenants?: readonly string[] | 'any'
  /** Scopes that sign-in requests besides `openid profile email offline_access`. Default: none. */
  readonly scopes?: readonly string[]
  /** Scopes of one API that sign-in requests, such as `api://orders/Orders.Read`. Default: none. */
  readonly apiScopes?: readonly string[]
  /** Issuer in place of Microsoft's, for a local provider of the same shape. Plain http on a loopback address only. */
  readonly issuer?: string | undefined
  /** How Entra ID returns the authorization response: in the URL or as a form. Default `query`. */
  readonly responseMode?: 'query' | 'form_post'
  /** The `prompt` that makes Entra ID ask which account to use. Default `select_account`. */
  readonly accountPrompt?: 'select_account' | 'login'
  /** How far the clocks of the provider and of this server may differ, for ID tokens and logout tokens. Default `60s`. */
  readonly clockTolerance?: Duration
  /** Whether logout tokens without the type `logout+jwt` are accepted, for older providers. Default false. */
  readonly allowUntypedLogoutTokens?: boolean
}

/**
 * Describes a registration at Microsoft Entra ID for `coatcheck({ providers })`. Checks and reads nothing: `coatcheck()` checks the
 * shapes, and `ready()` or the first use reports what is missing. A build needs no secrets.
 */
export function entra(options: EntraOptions = {}): ProviderOptions {
  return { ...options, preset: 'entra' }
}
