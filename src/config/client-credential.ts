/** The one credential with which the application authenticates at a provider. With several, an error could not name the expired one. */
import { refuse } from './refusal.ts'
import type { SettingRoot } from './settings.ts'
import type { ClientCredential } from './types.ts'

export const credentialFields = [
  'clientSecret',
  'clientCertificate',
  'clientCertificatePath',
  'federatedTokenFile',
] as const
export type CredentialField = Exclude<(typeof credentialFields)[number], 'clientCertificate'>

type Given = { readonly [field in (typeof credentialFields)[number]]?: string | undefined }

/** @returns `null` without one. @throws {ConfigError} `COATCHECK_CONFIG_INVALID` for more than one */
export function credentialOf(root: SettingRoot, given: Given): ClientCredential | null {
  const present = credentialFields.filter((field) => given[field] !== undefined)
  if (present.length > 1) {
    throw refuse(
      { option: `${root}.${present[1] ?? ''}` },
      `stands beside ${present[0] ?? ''}; give one credential only`,
    )
  }
  return firstCredential(given)
}

/**
 * Returns the first credential of a group of variables, in the order of Azure Identity: a platform may set variables that an application
 * overrides.
 */
export function firstCredential(given: Given): ClientCredential | null {
  const { clientSecret, clientCertificate, clientCertificatePath, federatedTokenFile } = given
  if (clientSecret !== undefined) return { kind: 'secret', secret: clientSecret }
  if (clientCertificate !== undefined) return { kind: 'certificate', pem: clientCertificate, file: null }
  if (clientCertificatePath !== undefined) return { kind: 'certificate', pem: null, file: clientCertificatePath }
  if (federatedTokenFile !== undefined) return { kind: 'federated', tokenFile: federatedTokenFile }
  return null
}
