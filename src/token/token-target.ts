/**
 * Maps the options of a call to one stored field. Two calls mean the same token exactly when provider, resource (RFC 8707) and set of
 * scopes are the same. `api://orders/Orders.Read` as a scope and `api://orders` as a resource are different requests to a provider, and
 * therefore different fields.
 */
// Imported as a whole: with a named import of `hash`, Node 18 cannot report that it is too old.
import * as crypto from 'node:crypto'
import { MisuseError } from '../core/errors.ts'
import { parseJson } from '../core/json.ts'
import { describeValue, safeText } from '../core/redact.ts'
import type { ProviderSelection, TokenTarget } from './types.ts'

/** Longer target names are stored as their hash, because each hit reads the field name. */
const KEY_CHARACTERS = 200
const RESOURCE_CHARACTERS = 2048
const SCOPES_MAX = 100
const CLAIMS_CHARACTERS = 8192
// Used when an application stores tokens of a provider, but does not sign in there through Coatcheck.
const UNNAMED_PROVIDER = 'default'
const PROVIDER_NAME = /^[A-Za-z0-9._-]{1,64}$/
// RFC 3986 characters, no fragment (RFC 8707 section 2); `|` separates resource and scopes in a key.
const RESOURCE = /^[\x21\x24-\x5b\x5d\x5f\x61-\x7a\x7e%]+$/
// RFC 6749 section 3.3: scope-token.
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/

export interface Target {
  readonly provider: string
  /** Empty: the token that sign-in returned. */
  readonly key: string
  readonly resource: string | null
  /** Sorted, each once. */
  readonly scopes: readonly string[]
  /** A claims challenge to answer (OpenID Connect Core section 5.5, Entra ID's continuous access evaluation), as JSON. */
  readonly claims: string | null
  /** Hash of `claims`. */
  readonly claimsKey: string | null
}

/** @param providers names of the configured providers. If the list is empty, any name is valid. */
export function resolveProvider(providers: readonly string[], selection: ProviderSelection = {}): string {
  // Without this check, a scope passed as a string counts as no scope at all, and the caller gets another token.
  const given: unknown = selection
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new MisuseError(
      'COATCHECK_INVALID_ARGUMENT',
      `The second argument must be an object such as { scopes } or { resource }; it got ${describeValue(given)}.`,
      { fix: "Write getAccessToken(userId, { scopes: ['api://orders/Orders.Read'] })." },
    )
  }
  const { provider } = selection
  if (provider === undefined) {
    if (providers.length > 1) {
      throw new MisuseError(
        'COATCHECK_INVALID_ARGUMENT',
        `Several providers are configured, so "provider" must name one of ${providers.join(', ')}.`,
      )
    }
    return providers[0] ?? UNNAMED_PROVIDER
  }
  if (typeof provider !== 'string' || !PROVIDER_NAME.test(provider)) {
    throw new MisuseError(
      'COATCHECK_INVALID_ARGUMENT',
      `"provider" must be a name of up to 64 letters, digits, ".", "_" and "-"; it got ${describeValue(provider)}.`,
    )
  }
  if (providers.length > 0 && !providers.includes(provider)) {
    throw new MisuseError(
      'COATCHECK_INVALID_ARGUMENT',
      `"provider" must be one of ${providers.join(', ')}; it got "${safeText(provider)}".`,
    )
  }
  return provider
}

/** @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` naming the option */
export function resolveTarget(
  providers: readonly string[],
  options: TokenTarget & { readonly claims?: string } = {},
): Target {
  const provider = resolveProvider(providers, options)
  const { resource = null } = options
  if (resource !== null) assertResource(resource)
  const scopes = options.scopes === undefined ? [] : sortedScopes(options.scopes)
  const { claims = null } = options
  if (claims !== null) assertClaims(claims)
  const claimsKey = claims === null ? null : crypto.hash('sha256', claims, 'base64url').slice(0, 16)
  return { provider, key: keyOf(resource, scopes), resource, scopes, claims, claimsKey }
}

/** One flight per target, and per claims challenge of a target. */
export function flightKey({ key, claimsKey }: Target): string {
  return claimsKey === null ? key : `${key}#${claimsKey}`
}

/** Each scope once, sorted. @throws {MisuseError} `COATCHECK_INVALID_ARGUMENT` */
export function sortedScopes(scopes: unknown): readonly string[] {
  if (!Array.isArray(scopes) || scopes.length > SCOPES_MAX) {
    throw new MisuseError(
      'COATCHECK_INVALID_ARGUMENT',
      `"scopes" must be an array of at most ${SCOPES_MAX} scope names; it got ${describeValue(scopes)}.`,
    )
  }
  for (const [index, scope] of (scopes as unknown[]).entries()) {
    if (typeof scope !== 'string' || !SCOPE.test(scope)) {
      throw new MisuseError(
        'COATCHECK_INVALID_ARGUMENT',
        `"scopes[${index}]" must be one scope name without spaces (RFC 6749 section 3.3); it got ${describeValue(scope)}.`,
      )
    }
  }
  return [...new Set(scopes as string[])].sort()
}

/** Describes a target to operators: the resource, the scopes, or both. */
export function describeTarget({ resource, scopes }: Pick<Target, 'resource' | 'scopes'>): string {
  return [...(resource === null ? [] : [resource]), ...scopes].join(' ')
}

function keyOf(resource: string | null, scopes: readonly string[]): string {
  const key = `${resource ?? ''}${scopes.length > 0 ? `|${scopes.join(' ')}` : ''}`
  return key.length <= KEY_CHARACTERS ? key : `#${crypto.hash('sha256', key, 'hex').slice(0, 32)}`
}

function assertClaims(claims: unknown): void {
  if (typeof claims === 'string' && claims.length <= CLAIMS_CHARACTERS && isJsonObject(claims)) return
  throw new MisuseError(
    'COATCHECK_INVALID_ARGUMENT',
    `"claims" must be the JSON object of a claims challenge as a text; it got ${describeValue(claims)}.`,
  )
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = parseJson(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

function assertResource(resource: unknown): void {
  if (typeof resource === 'string' && resource.length <= RESOURCE_CHARACTERS && RESOURCE.test(resource)) return
  throw new MisuseError(
    'COATCHECK_INVALID_ARGUMENT',
    `"resource" must be an absolute URI without a fragment (RFC 8707 section 2); it got ${describeValue(resource)}.`,
  )
}
