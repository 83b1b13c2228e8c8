/** Resolves providers from the results of `entra()` and `oidc()` and the environment. It sends no request. */
import { parseDurationMs } from '../core/duration.ts'
import { ConfigError } from '../core/errors.ts'
import { own } from '../core/json.ts'
import { describeValue, safeUrl } from '../core/redact.ts'
import { isLoopbackHost } from '../core/loopback-host.ts'
import { credentialFields, credentialOf } from './client-credential.ts'
import { entraRegistration } from './entra-registration.ts'
import type { Environment } from './environment.ts'
import { CONSUMERS_TENANT, discoveryUrlOf, entraAuthority, isMultiTenant, TENANT_TEMPLATE } from './entra-authority.ts'
import { missing, refuse } from './refusal.ts'
import { settingOf, type SettingRoot } from './settings.ts'
import { checkShape } from './shape.ts'
import type { ProviderOptions, ResolvedProvider } from './types.ts'

const OPENID_SCOPES = ['openid', 'profile', 'email', 'offline_access'] as const

/** Checks the shape of the entries in `providers`, also of those that no preset made. @throws {ConfigError} */
export function checkProviders(providers: readonly ProviderOptions[]): void {
  for (const [index, { preset: given, ...options }] of providers.entries()) {
    const preset: string = given
    if (preset !== 'entra' && preset !== 'oidc') {
      throw refuse(
        { option: `providers[${index}]` },
        `got ${describeValue(preset)} as preset, expected the result of entra() or oidc()`,
      )
    }
    checkShape(`${preset}()`, options)
  }
}

/** @throws {ConfigError} `COATCHECK_CONFIG_MISSING`, `COATCHECK_CONFIG_INSECURE`, `COATCHECK_CONFIG_INVALID` */
export function resolveProviders(providers: readonly ProviderOptions[], env: Environment): readonly ResolvedProvider[] {
  const resolved = providers
    .map(own)
    .map((options) => (options.preset === 'entra' ? resolveEntra(options, env) : resolveOidc(options)))
  const names = resolved.map((p) => p.name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    throw refuse(
      { option: 'providers' },
      `two of them are called ${twice}; tokens are kept by name, so give each its own`,
    )
  }
  return resolved
}

function resolveEntra(options: ProviderOptions, env: Environment): ResolvedProvider {
  const { clientId, credential, tenantId, settings } = entraRegistration(options, env)
  const cloud = options.cloud ?? 'public'
  const authority = options.issuer === undefined ? entraAuthority(cloud, tenantId) : ownIssuer(options.issuer, tenantId)
  const tenants = tenantsOf(options, tenantId, authority.issuer)
  return {
    name: options.name ?? 'entra',
    preset: 'entra',
    ...authority,
    clientId,
    credential,
    scopes: unique([...OPENID_SCOPES, ...(options.scopes ?? []), ...(options.apiScopes ?? [])]),
    ...tenants,
    responseMode: options.responseMode ?? 'query',
    allowInsecureHttp: checkIssuer('entra()', authority.issuer),
    ...(options.accountPrompt && { accountPrompt: options.accountPrompt }),
    ...tokenChecks(options),
    settings,
  }
}

/**
 * Returns the tenants whose users may sign in. `common` and `organizations` admit every tenant of the world, so the application must name
 * the tenants that it means.
 * @throws {ConfigError} `COATCHECK_CONFIG_MISSING`, `COATCHECK_CONFIG_INVALID`
 */
function tenantsOf(
  { issuer: ownIssuer, allowedTenants: given = [] }: ProviderOptions,
  tenantId: string,
  issuer: string,
): Pick<ResolvedProvider, 'allowedTenants' | 'refusedTenants'> {
  const allowedTenants = given === 'any' ? [] : given.map((id) => id.toLowerCase())
  const refuseList = (complaint: string): ConfigError => refuse({ option: 'entra().allowedTenants' }, complaint)
  if (!isMultiTenant(tenantId)) {
    const tenant = tenantId.toLowerCase()
    // Only users of the one tenant, although the issuer admits others.
    if (issuer.includes(TENANT_TEMPLATE)) return { allowedTenants: [tenant] }
    const isGiven = ownIssuer === undefined && tenant !== 'consumers' && allowedTenants.length > 0
    if (isGiven && !allowedTenants.includes(tenant)) {
      throw refuseList(`does not hold entra().tenantId (${tenantId}), so no user could sign in`)
    }
    return { allowedTenants }
  }
  if (!issuer.includes(TENANT_TEMPLATE)) return { allowedTenants }
  if (given.length === 0) {
    throw missing(settingOf('entra()', 'allowedTenants'), {
      why: `The tenant '${tenantId}' lets users of every Entra ID tenant sign in, so the application has to say which tenants it serves.`,
      fix: "Set option entra().allowedTenants to the ids of these tenants, or to 'any', or set entra().tenantId to the id of one tenant.",
    })
  }
  if (tenantId !== 'organizations') return { allowedTenants }
  if (allowedTenants.includes(CONSUMERS_TENANT)) {
    throw refuseList(
      "holds the tenant of personal accounts, which entra().tenantId 'organizations' refuses; use 'common' for both",
    )
  }
  return { allowedTenants, refusedTenants: [CONSUMERS_TENANT] }
}

function tokenChecks({
  clockTolerance,
  allowUntypedLogoutTokens,
}: ProviderOptions): Pick<ResolvedProvider, 'clockToleranceSeconds' | 'allowUntypedLogoutTokens'> {
  const toleranceMs = parseDurationMs(clockTolerance)
  return {
    ...(toleranceMs !== null && { clockToleranceSeconds: Math.floor(toleranceMs / 1000) }),
    ...(allowUntypedLogoutTokens !== undefined && { allowUntypedLogoutTokens }),
  }
}

function ownIssuer(issuer: string, tenantId: string): { issuer: string; discoveryUrl: string } {
  return { issuer, discoveryUrl: discoveryUrlOf(issuer.replace(TENANT_TEMPLATE, tenantId)) }
}

function resolveOidc(options: ProviderOptions): ResolvedProvider {
  const required = (field: 'name' | 'issuer' | 'clientId'): string => {
    const value = options[field]
    if (value === undefined) throw missing(settingOf('oidc()', field))
    return value
  }
  const issuer = required('issuer')
  return {
    name: required('name'),
    preset: 'oidc',
    issuer,
    discoveryUrl: discoveryUrlOf(issuer),
    clientId: required('clientId'),
    credential: credentialOf('oidc()', options) ?? { kind: 'none' },
    // Replaceable, because some providers refuse `offline_access` (Google requires `access_type=offline` instead).
    scopes: unique(['openid', ...(options.scopes ?? OPENID_SCOPES), ...(options.apiScopes ?? [])]),
    allowedTenants: [],
    responseMode: options.responseMode ?? 'query',
    allowInsecureHttp: checkIssuer('oidc()', issuer),
    ...(options.accountPrompt && { accountPrompt: options.accountPrompt }),
    ...(options.endSessionMethod && { endSessionMethod: options.endSessionMethod }),
    ...tokenChecks(options),
    settings: {
      authority: 'option oidc().issuer',
      clientId: 'option oidc().clientId',
      credential: `option oidc().${credentialFields.find((field) => options[field] !== undefined) ?? 'clientSecret'}`,
    },
  }
}

/** @returns whether the issuer uses plain http, which is allowed only on a loopback address */
function checkIssuer(root: SettingRoot, issuer: string): boolean {
  const { protocol, hostname } = new URL(issuer)
  if (protocol === 'http:' && !isLoopbackHost(hostname)) {
    throw new ConfigError('COATCHECK_CONFIG_INSECURE', {
      message: `Option ${root}.issuer is ${safeUrl(issuer)}: tokens and codes would travel in the clear.`,
      fix: 'Give an issuer that begins with https://; http:// is for loopback addresses only.',
      details: { option: `${root}.issuer` },
    })
  }
  return protocol === 'http:'
}

function unique(scopes: readonly string[]): string[] {
  return [...new Set(scopes)]
}
