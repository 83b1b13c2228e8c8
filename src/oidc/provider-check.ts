/**
 * Checks that a provider knows the configured tenant, client and credential. It signs no user in. `ready({ provider: true })` and
 * `coatcheck doctor` use it, so that both name the same setting in the same words.
 */
import type { ResolvedProvider } from '../config/types.ts'
import type { Clock } from '../core/clock.ts'
import { isCoatcheckError, OidcError } from '../core/errors.ts'
import { safeText, safeUrl } from '../core/redact.ts'
import { ask, type ClientAnswer, probeProvider, type ProviderProbe } from './provider-probe.ts'

/** Numbers of Entra ID. @see https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
const TENANT_UNKNOWN: readonly number[] = [90002, 900023]
const CLIENT_UNKNOWN: readonly number[] = [700016]
const SECRET_WRONG: readonly number[] = [7000215]
const SECRET_EXPIRED: readonly number[] = [7000222]

/**
 * Resolves when the provider answers and accepts the client with its credential, or when its answer does not decide this.
 * @throws {OidcError} `COATCHECK_OIDC_DISCOVERY`, `COATCHECK_OIDC_CLIENT_REJECTED` or `COATCHECK_OIDC_UNAVAILABLE`; message and
 *   fix name the setting
 * @throws {ConfigError} when a file of the credential cannot be used
 */
export async function assertProviderKnowsUs(
  provider: ResolvedProvider,
  clock: Clock,
  send: typeof fetch = globalThis.fetch,
): Promise<void> {
  const probe = await discoverProvider(provider, clock, send)
  await askForClient(provider, probe)
}

/** Reads the metadata. @throws {OidcError} `COATCHECK_OIDC_DISCOVERY` that says whether the tenant is wrong */
export async function discoverProvider(
  provider: ResolvedProvider,
  clock: Clock,
  send: typeof fetch,
): Promise<ProviderProbe> {
  try {
    return await probeProvider(provider, clock, send)
  } catch (error) {
    // These messages already name the problem.
    if (!(error instanceof OidcError) || ['issuer', 'metadata'].includes(String(error.details['reason']))) throw error
    throw await discoveryProblem(provider, error, send)
  }
}

/** @returns `null`: the answer of the provider does not decide it. @throws as `assertProviderKnowsUs` */
export async function askForClient(provider: ResolvedProvider, probe: ProviderProbe): Promise<ClientAnswer | null> {
  let answer: ClientAnswer | null
  try {
    answer = await probe.knowsClient()
  } catch (error) {
    if (isCoatcheckError(error)) throw error
    throw new OidcError('COATCHECK_OIDC_UNAVAILABLE', {
      message: `The token endpoint of provider "${provider.name}" (${safeUrl(provider.issuer)}) did not answer.`,
      details: { provider: provider.name },
    })
  }
  if (answer?.isKnown === false) throw clientProblem(provider, answer)
  return answer
}

function clientProblem(provider: ResolvedProvider, { says, number }: ClientAnswer): OidcError {
  const { name, settings } = provider
  const client = `"${safeText(provider.clientId, 60)}"`
  const isOne = (numbers: readonly number[]): boolean => number !== null && numbers.includes(number)
  const problem = (message: string, fix: string, setting: string): OidcError =>
    new OidcError('COATCHECK_OIDC_CLIENT_REJECTED', {
      message: `Provider "${name}" ${message} (${says}).`,
      fix,
      details: { provider: name, setting, providerCode: number ?? undefined },
    })
  if (isOne(TENANT_UNKNOWN)) return unknownTenant(provider, says)
  if (isOne(CLIENT_UNKNOWN)) {
    const fix = `Compare ${settings.clientId} with "Application (client) ID" of the registration, and ${settings.authority} with "Directory (tenant) ID".`
    return problem(`has no application ${client} in this tenant`, fix, settings.clientId)
  }
  if (isOne(SECRET_WRONG)) {
    const fix = `Set ${settings.credential} to the value of a client secret of this application, not to the secret's id.`
    return problem(`refuses the client secret of application ${client}`, fix, settings.credential)
  }
  if (isOne(SECRET_EXPIRED)) {
    const fix = `Create a new client secret for the application, and set ${settings.credential} to its value.`
    return problem(`says that the client secret of application ${client} has expired`, fix, settings.credential)
  }
  const fix = `Compare ${settings.clientId} and ${settings.credential} with the registration at ${safeUrl(provider.issuer)}.`
  return problem(`refuses client ${client}: its id or its credential is wrong`, fix, settings.credential)
}

function unknownTenant(provider: ResolvedProvider, says: string): OidcError {
  const { name, settings, discoveryUrl } = provider
  const tenant = new URL(discoveryUrl).pathname.split('/')[1] ?? ''
  return new OidcError('COATCHECK_OIDC_DISCOVERY', {
    message: `Provider "${name}" has no tenant "${safeText(tenant, 60)}" (${says}).`,
    fix: `Compare ${settings.authority} with "Directory (tenant) ID" of the registration, and option cloud with the cloud of that tenant.`,
    details: { provider: name, setting: settings.authority, providerCode: TENANT_UNKNOWN[0] },
  })
}

/** Sends the request again: openid-client does not read the answer that names the problem. */
async function discoveryProblem(provider: ResolvedProvider, error: OidcError, send: typeof fetch): Promise<OidcError> {
  const { name, settings, discoveryUrl } = provider
  const answer = await ask(discoveryUrl, send).catch(() => null)
  const number = answer === null ? null : numberOf(await answer.json().catch(() => null))
  if (number !== null && TENANT_UNKNOWN.includes(number)) return unknownTenant(provider, `AADSTS${number}`)
  const { reason, status = answer?.ok === false ? answer.status : undefined } = error.details
  const says = status === undefined ? String(reason ?? 'no answer') : `HTTP ${String(status)}`
  return new OidcError('COATCHECK_OIDC_DISCOVERY', {
    message: `The metadata of provider "${name}" cannot be read at ${safeUrl(discoveryUrl)}: ${says}.`,
    fix: `Check ${settings.authority}, and that this machine reaches ${new URL(discoveryUrl).host}.`,
    details: { ...error.details, provider: name, setting: settings.authority },
    cause: error.cause,
  })
}

/** `error_codes` of Entra ID. */
function numberOf(body: unknown): number | null {
  const { error_codes: codes } = (body ?? {}) as { error_codes?: unknown }
  const [first] = Array.isArray(codes) ? (codes as unknown[]) : []
  return typeof first === 'number' ? first : null
}
