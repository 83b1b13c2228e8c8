/** Reads the identity from the validated claims of an ID token, and derives user id, profile and authentication from it. */
import type { Identity, ResolvedProvider, SignInOptions } from '../config/types.ts'
import { MisuseError } from '../core/errors.ts'
import type { Json } from '../core/json.ts'
import type { Authentication } from '../session/sign-in-input.ts'
import { shown } from './failed-checks.ts'
import { applicationDenial, signInRefused } from './oidc-errors.ts'

/** The issuer of a multi-tenant Entra application is a template with the user's tenant. */
const TENANT_TEMPLATE = '{tenantid}'
const TENANT = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Claims that `session.user` gets if `signIn.profile` is not set. */
const DEFAULT_PROFILE_CLAIMS = ['name', 'preferred_username', 'email', 'tid', 'roles'] as const

export type Claims = Readonly<Record<string, unknown>>

/** The result of `admit`: the input of the sign-in. */
export interface Admission {
  readonly userId: string
  readonly profile: { readonly [claim: string]: Json | undefined }
  readonly authentication: Authentication
}

/**
 * Returns the identity with the issuer of the token: for a multi-tenant application the issuer of the user's tenant.
 * @throws {OidcError} `COATCHECK_SIGNIN_DENIED` for a tenant that is not allowed
 */
export function identityOf(provider: ResolvedProvider, claims: Claims): Identity {
  const { iss, sub, tid } = claims
  if (typeof iss !== 'string' || typeof sub !== 'string' || sub === '')
    throw signInRefused('COATCHECK_SIGNIN_REJECTED', 'subject')
  // A provider without tenants has neither list.
  if (!mayEnter(provider, tid) || isRefused(provider, tenantIn(provider.issuer, iss))) {
    throw signInRefused('COATCHECK_SIGNIN_DENIED', 'tenant', { got: shown(tid) })
  }
  return { provider: provider.name, issuer: iss, subject: sub, claims: claims as Identity['claims'] }
}

/** Returns whether tokens of this provider may name the issuer. For a multi-tenant application: the issuer of any allowed tenant. */
export function isIssuerOf(provider: ResolvedProvider, candidate: string): boolean {
  if (!provider.issuer.includes(TENANT_TEMPLATE)) return candidate === provider.issuer
  const tenant = tenantIn(provider.issuer, candidate)
  return tenant !== null && mayEnter(provider, tenant)
}

type Tenants = Pick<ResolvedProvider, 'allowedTenants' | 'refusedTenants'>

function mayEnter(tenants: Tenants, tenant: unknown): boolean {
  if (isRefused(tenants, tenant)) return false
  const { allowedTenants } = tenants
  return allowedTenants.length === 0 || (typeof tenant === 'string' && allowedTenants.includes(tenant.toLowerCase()))
}

function isRefused({ refusedTenants = [] }: Tenants, tenant: unknown): boolean {
  return typeof tenant === 'string' && refusedTenants.includes(tenant.toLowerCase())
}

/** Returns the tenant in an issuer, by the template of a multi-tenant application. */
function tenantIn(template: string, issuer: string): string | null {
  const [before = '', after] = template.split(TENANT_TEMPLATE)
  if (after === undefined) return null
  const tenant = issuer.slice(before.length, issuer.length - after.length)
  return `${before}${tenant}${after}` === issuer && TENANT.test(tenant) ? tenant : null
}

/**
 * Asks the application whether this user may sign in, under which id and with which profile.
 * @throws {OidcError} `COATCHECK_SIGNIN_DENIED` when it refuses
 */
export async function admit(
  identity: Identity,
  options: SignInOptions,
  nowMs: number,
  preset: ResolvedProvider['preset'],
): Promise<Admission> {
  const verdict = options.authorize ? await options.authorize(identity) : true
  if (verdict !== true) throw applicationDenial(typeof verdict === 'string' ? verdict : null)
  const userId = options.userId ? await options.userId(identity) : defaultUserId(identity)
  if (typeof userId !== 'string' || userId === '') {
    throw new MisuseError('COATCHECK_INVALID_ARGUMENT', 'signIn.userId(identity) must return a text that is not empty.')
  }
  const profile = options.profile ? options.profile(identity.claims) : defaultProfile(identity.claims, preset)
  return { userId, profile, authentication: authenticationOf(identity, nowMs) }
}

/** Issuer and subject: the only pair that identifies a user permanently (OIDC Core section 5.7). Never an e-mail address. */
export function defaultUserId({ issuer, subject }: Pick<Identity, 'issuer' | 'subject'>): string {
  return `${issuer} ${subject}`
}

function defaultProfile(claims: Identity['claims'], preset: ResolvedProvider['preset']): Admission['profile'] {
  const names = DEFAULT_PROFILE_CLAIMS.filter((name) => name !== 'email' || isEmailTrusted(claims, preset))
  return Object.fromEntries(names.flatMap((name) => (Object.hasOwn(claims, name) ? [[name, claims[name]]] : [])))
}

/**
 * At Entra ID, administrators of any tenant can write any address into `email`. Its claim `xms_edov` says that the domain belongs to the
 * tenant. Other providers send `email_verified`; an address without it is trusted.
 */
function isEmailTrusted(claims: Identity['claims'], preset: ResolvedProvider['preset']): boolean {
  const { email_verified: verified, xms_edov: isDomainOwned } = claims
  if (verified === true || verified === 'true') return true
  if (preset !== 'entra') return verified === undefined
  return [true, 1, '1', 'true'].includes(isDomainOwned as string)
}

function authenticationOf({ provider, issuer, subject, claims }: Identity, nowMs: number): Authentication {
  const { sid, acr, amr, auth_time: authTimeSeconds } = claims
  return {
    provider,
    issuer,
    subject,
    // A provider may report an earlier time, never a future one.
    authenticatedAtMs: typeof authTimeSeconds === 'number' ? Math.min(authTimeSeconds * 1000, nowMs) : nowMs,
    ...(typeof authTimeSeconds !== 'number' && { isAuthTimeUnknown: true }),
    ...(typeof sid === 'string' && { sid }),
    ...(typeof acr === 'string' && { acr }),
    ...(Array.isArray(amr) && { amr: amr.filter((method) => typeof method === 'string') }),
  }
}
