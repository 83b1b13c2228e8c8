/**
 * Chooses the value of `prompt` that makes a provider ask for the account, although it remembers a user. An unknown value may end
 * the sign-in with an error, so the choice follows the metadata of the provider.
 */
import type { ResolvedProvider } from '../config/types.ts'

export type AccountPrompt = NonNullable<ResolvedProvider['accountPrompt']>

/** Its metadata list no values. It supports `select_account` but not `login`. */
const GOOGLE = 'https://accounts.google.com'

/**
 * @param promptValues `prompt_values_supported` of the metadata (Initiating User Registration via OpenID Connect 1.0,
 * section 4); `null` when they do not list any
 * @returns `null` when the provider lists values and none of them asks for the account
 */
export function accountPromptOf(
  provider: Pick<ResolvedProvider, 'preset' | 'issuer' | 'accountPrompt'>,
  promptValues: readonly string[] | null,
): AccountPrompt | null {
  if (provider.accountPrompt) return provider.accountPrompt
  if (provider.preset === 'entra' || provider.issuer === GOOGLE) return 'select_account'
  // OpenID Connect Core 1.0, section 15.1: every provider supports `login`.
  if (promptValues === null) return 'login'
  return (['select_account', 'login'] as const).find((value) => promptValues.includes(value)) ?? null
}
