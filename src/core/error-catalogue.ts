/**
 * Combines the entries of `error-families/` into one catalogue: all stable error codes, with cause and fix. Errors, docs and the command
 * line read it.
 * Adding a code is a minor release; renaming or removing one is a major release.
 * CONTRIBUTING.md has the recipe for a new code.
 */
import type { CatalogueEntry } from './error-families/catalogue-entry.ts'
import { configErrors, keyringErrors } from './error-families/configuration.ts'
import { misuseErrors } from './error-families/misuse.ts'
import { oidcErrors, tokenErrors } from './error-families/provider.ts'
import { redisErrors } from './error-families/redis.ts'
import { sessionErrors } from './error-families/session.ts'

const entries = {
  ...configErrors,
  ...redisErrors,
  ...sessionErrors,
  ...tokenErrors,
  ...keyringErrors,
  ...oidcErrors,
  ...misuseErrors,
} as const satisfies Record<string, CatalogueEntry>

/** Every code that an error of this package can have. docs/errors.md describes each. */
export type ErrorCode = keyof typeof entries
export const errorCatalogue: Readonly<Record<ErrorCode, CatalogueEntry>> = entries

type CodeOf<Family extends CatalogueEntry['family']> = {
  [Code in ErrorCode]: (typeof entries)[Code]['family'] extends Family ? Code : never
}[ErrorCode]

export type ConfigErrorCode = CodeOf<'config'>
export type RedisErrorCode = CodeOf<'redis'>
export type SessionErrorCode = CodeOf<'session'>
export type TokenErrorCode = CodeOf<'token'>
export type KeyringErrorCode = CodeOf<'keyring'>
export type OidcErrorCode = CodeOf<'oidc'>
export type MisuseErrorCode = CodeOf<'misuse'>
