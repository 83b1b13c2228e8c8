/**
 * URLs of Microsoft Entra ID: authority per national cloud, issuer per tenant.
 * @see https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
 */
export type EntraCloud = 'public' | 'usgov' | 'china'

export interface EntraAuthority {
  /** For `common` and `organizations` it contains `{tenantid}`: the issuer follows from the `tid` claim of the user. */
  readonly issuer: string
  readonly discoveryUrl: string
}

const HOSTS: Readonly<Record<EntraCloud, string>> = {
  public: 'login.microsoftonline.com',
  usgov: 'login.microsoftonline.us',
  china: 'login.partner.microsoftonline.cn',
}

/** A literal part of the issuer in the metadata of `common` and `organizations`. */
export const TENANT_TEMPLATE = '{tenantid}'

/** The one tenant of all personal Microsoft accounts. The metadata of `consumers` name it as issuer. */
export const CONSUMERS_TENANT = '9188040d-6c67-4c5b-b112-36a304b66dad'

/** @param tenantId a GUID, `common`, `organizations` or `consumers` */
export function entraAuthority(cloud: EntraCloud, tenantId: string): EntraAuthority {
  const host = `https://${HOSTS[cloud]}`
  const tenant = tenantId.toLowerCase()
  return {
    issuer: `${host}/${issuerTenant(tenant)}/v2.0`,
    discoveryUrl: discoveryUrlOf(`${host}/${tenant}/v2.0`),
  }
}

/** OpenID Connect Discovery 1.0 section 4: a trailing slash of the issuer is removed first. */
export function discoveryUrlOf(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
}

export function isMultiTenant(tenantId: string): boolean {
  return tenantId === 'common' || tenantId === 'organizations'
}

function issuerTenant(tenant: string): string {
  if (isMultiTenant(tenant)) return TENANT_TEMPLATE
  return tenant === 'consumers' ? CONSUMERS_TENANT : tenant
}
