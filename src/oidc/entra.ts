/**
 * The preset for Microsoft Entra ID. What is left out comes from `AZURE_AD_TENANT_ID`, `AZURE_AD_CLIENT_ID` and one credential
 * (`AZURE_AD_CLIENT_SECRET`, `AZURE_AD_CLIENT_CERTIFICATE_PATH` or `AZURE_AD_FEDERATED_TOKEN_FILE`), or from the same of
 * `AZURE_…`: one complete group, never a mixture.
 */
import type { ProviderOptions } from '../config/types.ts'

/** Options of `entra()`. Each may come from the environment instead. */
export interface EntraOptions {
  /** Default `entra`. */
  readonly name?: string
  /** The directory (tenant) id, or `common`, `organizations`, `consumers`. */
  readonly tenantId?: string | undefined
  /** Application (client) id. `AZURE_AD_CLIENT_ID` or `AZURE_CLIENT_ID`. */
  readonly clientId?: string | undefined
  /** Client secret: its value, not its id. `AZURE_AD_CLIENT_SECRET` or `AZURE_CLIENT_SECRET`. */
  readonly clientSecret?: string | undefined
  /** In place of the secret: PEM text with an RSA key (PKCS #8) and its certificate, for `private_key_jwt`. */
  readonly clientCertificate?: string | undefined
  /** In place of the secret: the file with that PEM text. Read again when it changes. */
  readonly clientCertificatePath?: string | undefined
  /** In place of the secret: the file into which the platform puts a token for this application (workload identity). */
  readonly federatedTokenFile?: string | undefined
  /** National cloud. Default `public`. */
  readonly cloud?: 'public' | 'usgov' | 'china'
  /** Directory ids that may sign in. Default: all that `tenantId` lets in, which for `common` is everybody. */
  readonly allowedTenants?: readonly string[]
  /** Added to `openid profile email offline_access`. */
  readonly scopes?: readonly string[]
  /** Scopes of one API whose access token is asked for at sign-in, e.g. `api://orders/Orders.Read`. */
  readonly apiScopes?: readonly string[]
  /** In place of Microsoft's, for a local provider of the same shape. Plain http for a loopback address only. */
  readonly issuer?: string | undefined
  /** How Entra ID sends its answer: in the URL (default) or as a form. */
  readonly responseMode?: 'query' | 'form_post'
  /** The `prompt` that makes this provider ask which account to use. Default: `select_account`. */
  readonly accountPrompt?: 'select_account' | 'login'
}

/** Shapes are checked by `coatcheck()`; what is missing is said by `ready()` or at first use: a build needs no secrets. */
export function entra(options: EntraOptions = {}): ProviderOptions {
  return { ...options, preset: 'entra' }
}
