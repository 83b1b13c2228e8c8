/**
 * Checks an identity provider: metadata, signing keys, whether it knows the client and the redirect URI, and how long credentials remain
 * valid.
 */
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { ResolvedConfig, ResolvedProvider } from '../../config/types.ts'
import { isLoopbackHost } from '../../core/loopback-host.ts'
import type { Clock } from '../../core/clock.ts'
import { ConfigError, errorWords, isCoatcheckError } from '../../core/errors.ts'
import { safeUrl } from '../../core/redact.ts'
import { askForClient, discoverProvider } from '../../oidc/provider-check.ts'
import type { ProviderProbe } from '../../oidc/provider-probe.ts'
import { redirectUriOf } from '../../oidc/sign-in.ts'
import { checkCallback } from './callback-answer.ts'
import { daysUntil, isSoon } from './expiry.ts'
import type { HealthNotes } from './health-report.ts'

const CLOCK_MS = 30_000

interface Given {
  readonly clock: Clock
  readonly offline: boolean
  readonly fetch: typeof fetch
}

export async function checkProvider(
  notes: HealthNotes,
  provider: ResolvedProvider,
  config: ResolvedConfig<object>,
  given: Given,
): Promise<void> {
  const { name } = provider
  const redirectUri = redirectUriOf(config.baseUrl, config.basePath, config.providers)(provider)
  await checkCredential(notes, provider, given.clock)
  checkRedirectForm(notes, provider, redirectUri)
  if (given.offline) {
    notes.skipped(name, 'offline: the provider is not asked')
    return
  }
  let probe: ProviderProbe
  try {
    probe = await discoverProvider(provider, given.clock, given.fetch)
  } catch (error) {
    notes.failed(`Discovery of ${name}`, error)
    return
  }
  notes.ok(`Discovery of ${name}`, safeUrl(provider.issuer))
  checkMetadata(notes, provider, probe)
  await checkSigningKeys(notes, provider, probe)
  await checkClient(notes, provider, probe)
  await checkRedirectUri(notes, provider, probe, redirectUri)
  await checkCallback(notes, { redirectUri, responseMode: provider.responseMode, fetch: given.fetch })
}

async function checkCredential(
  notes: HealthNotes,
  { name, credential }: ResolvedProvider,
  clock: Clock,
): Promise<void> {
  const label = `Credential of ${name}`
  switch (credential.kind) {
    case 'none':
      notes.ok(label, 'none: a public client')
      return
    case 'secret':
      notes.ok(label, 'a client secret; when it expires, only the provider knows')
      return
    case 'federated':
      if ((await readable(notes, label, name, credential.tokenFile)) !== null)
        notes.ok(label, 'a token of the platform')
      return
    case 'certificate': {
      const pem = credential.pem ?? (await readable(notes, label, name, credential.file ?? ''))
      if (pem !== null) checkCertificate(notes, label, name, pem, clock)
    }
  }
}

async function readable(notes: HealthNotes, label: string, provider: string, file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown error'
    const message = `The credential file of provider "${provider}" could not be read (${reason}).`
    notes.failed(label, new ConfigError('COATCHECK_CONFIG_INVALID', { message, details: { provider, reason } }))
    return null
  }
}

function checkCertificate(notes: HealthNotes, label: string, provider: string, pem: string, clock: Clock): void {
  let validUntilMs: number
  try {
    const [block = ''] = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/.exec(pem) ?? []
    validUntilMs = Date.parse(new X509Certificate(block).validTo)
  } catch {
    // The original error may quote the private key, so it is dropped.
    const message = `The client certificate of provider "${provider}" must be PEM with a key in PKCS #8 and its certificate.`
    notes.failed(label, new ConfigError('COATCHECK_CONFIG_INVALID', { message, details: { provider } }))
    return
  }
  const date = new Date(validUntilMs).toISOString().slice(0, 10)
  if (validUntilMs <= clock.now()) notes.found('DOCTOR_CLIENT_CERTIFICATE_EXPIRED', label, `was valid until ${date}`)
  else {
    const says = `a certificate, valid until ${date} (${daysUntil(validUntilMs, clock)})`
    if (isSoon(validUntilMs, clock)) notes.found('DOCTOR_CLIENT_CERTIFICATE_EXPIRES', label, says)
    else notes.ok(label, says)
  }
}

function checkRedirectForm(notes: HealthNotes, { name, preset, issuer }: ResolvedProvider, redirectUri: string): void {
  const { hostname, protocol } = new URL(redirectUri)
  const isAtEntra = preset === 'entra' && !isLoopbackHost(new URL(issuer.replace(/[{}]/g, '')).hostname)
  if (!isAtEntra || protocol !== 'http:' || hostname === 'localhost') return
  notes.found('DOCTOR_REDIRECT_LOOPBACK_ADDRESS', `Redirect URI of ${name}`, redirectUri)
}

function checkMetadata(
  notes: HealthNotes,
  provider: ResolvedProvider,
  { metadata, clockAheadMs }: ProviderProbe,
): void {
  const { name, responseMode, scopes } = provider
  const { responseModes, codeChallengeMethods, scopes: listed } = metadata
  // Default without a list: query and fragment (OpenID Connect Discovery 1.0 section 3).
  if (responseMode !== 'query' && !(responseModes ?? ['query', 'fragment']).includes(responseMode)) {
    notes.found('DOCTOR_RESPONSE_MODE', `Metadata of ${name}`, `response_modes_supported is without ${responseMode}`)
  }
  // Entra ID supports it without announcing it.
  if (provider.preset !== 'entra' && codeChallengeMethods?.includes('S256') !== true) {
    notes.found('DOCTOR_PKCE', `Metadata of ${name}`, 'code_challenge_methods_supported is without S256')
  }
  const unknown = scopes.filter((scope) => /^[a-z_]+$/.test(scope) && listed?.includes(scope) === false)
  if (unknown.length > 0) notes.found('DOCTOR_SCOPE_UNSUPPORTED', `Metadata of ${name}`, unknown.join(', '))
  if (clockAheadMs !== null && Math.abs(clockAheadMs) > CLOCK_MS) {
    const says = `it is ${Math.round(Math.abs(clockAheadMs) / 1000)} s ${clockAheadMs < 0 ? 'behind' : 'ahead of'} this machine`
    notes.found('DOCTOR_PROVIDER_CLOCK', `Clock of ${name}`, says)
  }
}

async function checkSigningKeys(notes: HealthNotes, { name }: ResolvedProvider, probe: ProviderProbe): Promise<void> {
  const label = `Signing keys of ${name}`
  try {
    const count = await probe.signingKeys()
    if (count > 0) notes.ok(label, `${count}, next rollover unknown`)
    else notes.found('DOCTOR_JWKS', label, 'jwks_uri shows no key for signatures')
  } catch (error) {
    if (!isCoatcheckError(error)) throw error
    notes.found('DOCTOR_JWKS', label, errorWords(error).what)
  }
}

async function checkClient(notes: HealthNotes, provider: ResolvedProvider, probe: ProviderProbe): Promise<void> {
  const label = `Client at ${provider.name}`
  try {
    const answer = await askForClient(provider, probe)
    if (answer === null) notes.skipped(label, 'its answer does not say whether it knows the client')
    else if (provider.credential.kind === 'none') notes.ok(label, 'the provider knows it as a public client')
    else notes.ok(label, 'the provider takes its credential')
  } catch (error) {
    notes.failed(label, error)
  }
}

async function checkRedirectUri(
  notes: HealthNotes,
  { name }: ResolvedProvider,
  probe: ProviderProbe,
  redirectUri: string,
): Promise<void> {
  const label = `Redirect URI of ${name}`
  const isKnown = await probe.knowsRedirectUri(redirectUri).catch(() => null)
  if (isKnown === null) notes.skipped(label, `${redirectUri}: its answer does not say whether it is registered`)
  else if (isKnown) notes.ok(label, `${redirectUri} is registered`)
  else notes.found('DOCTOR_REDIRECT_URI', label, redirectUri)
}
