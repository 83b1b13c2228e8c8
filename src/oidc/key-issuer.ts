/**
 * The keys of Entra ID's shared key set name the issuers that they sign for (member `issuer`): one tenant, or every tenant by the
 * template `{tenantid}`. Coatcheck refuses a token of one tenant that a key of another tenant signed.
 * @see https://learn.microsoft.com/entra/identity-platform/access-tokens, "Validate the signing key issuer"
 */
import { parseJson } from '../core/json.ts'

const TENANT_TEMPLATE = '{tenantid}'
const TENANT = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

interface SigningKey {
  readonly kid?: string | undefined
  readonly issuer?: unknown
}

/**
 * Returns whether the keys that a token may refer to sign for its issuer. A key without the member signs for all issuers.
 * @param payload of a token whose signature is valid
 */
export function signsForIssuer(keys: readonly SigningKey[], keyId: string | undefined, payload: Uint8Array): boolean {
  const candidates = keys.filter(({ kid }) => keyId === undefined || kid === keyId)
  const issuers = candidates.map(({ issuer }) => issuer)
  if (issuers.every((issuer) => issuer === undefined)) return true
  const { iss, tid } = claimsIn(payload)
  return issuers.every((issuer) => issuer === undefined || covers(issuer, iss, tid))
}

function covers(keyIssuer: unknown, issuer: unknown, tid: unknown): boolean {
  if (typeof keyIssuer !== 'string' || typeof issuer !== 'string') return false
  const [before = '', after] = keyIssuer.split(TENANT_TEMPLATE)
  if (after === undefined) return keyIssuer === issuer
  const tenant = issuer.slice(before.length, issuer.length - after.length)
  if (`${before}${tenant}${after}` !== issuer || !TENANT.test(tenant)) return false
  // A logout token may have no `tid`.
  return tid === undefined || tid === tenant
}

function claimsIn(payload: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const claims = parseJson(new TextDecoder().decode(payload))
    return typeof claims === 'object' && claims !== null ? (claims as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}
