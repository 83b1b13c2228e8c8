/** The status of a user's tokens that operators may see: names, times and outcomes, never a token. */
import type { AccessEntry, Grant, RefreshRecord, TokenCodec } from './token-codec.ts'
import type { TokenField } from './token-driver.ts'
import { parseField } from './token-fields.ts'
import type { LastRefresh, ProviderTokenStatus, ResourceTokenStatus } from './types.ts'

interface Sealed<T> {
  readonly value: T
  readonly keyId: string
}

interface Gathered {
  grant: Sealed<Grant> | null
  status: RefreshRecord | null
  readonly entries: Sealed<AccessEntry>[]
}

/** One entry per provider, by name. Records that do not open or have expired are left out. */
export function describeTokens(
  codec: TokenCodec,
  userKey: string,
  stored: ReadonlyMap<TokenField, Buffer>,
  nowMs: number,
  keyIdOf: (record: Buffer) => string,
): readonly ProviderTokenStatus[] {
  const providers = new Map<string, Gathered>()
  for (const [field, record] of stored) {
    const parsed = parseField(field)
    if (!parsed || parsed.kind === 'lease' || parsed.kind === 'hold') continue
    const gathered = providers.get(parsed.provider) ?? { grant: null, status: null, entries: [] }
    providers.set(parsed.provider, gathered)
    if (parsed.kind === 'grant')
      gathered.grant = sealed(keyIdOf(record), valueOf(codec.openGrant(userKey, field, record)))
    else if (parsed.kind === 'status') gathered.status = valueOf(codec.openStatus(userKey, field, record))
    else {
      const entry = sealed(keyIdOf(record), codec.openAccess(userKey, field, record))
      if (entry && entry.value.expiresAtMs > nowMs) gathered.entries.push(entry)
    }
  }
  return [...providers].sort(([a], [b]) => (a < b ? -1 : 1)).map(([provider, gathered]) => toStatus(provider, gathered))
}

function toStatus(provider: string, { grant, status, entries }: Gathered): ProviderTokenStatus {
  const hasRefreshToken = typeof grant?.value.refreshToken === 'string'
  const nextRefreshes = hasRefreshToken ? entries.map(({ value }) => value.refreshAheadAtMs) : []
  return {
    provider,
    hasRefreshToken,
    refreshCount: grant?.value.refreshCount ?? null,
    grantExpiresAt: grant?.value.expiresAtMs ?? null,
    keyId: grant?.keyId ?? null,
    nextRefreshAt: nextRefreshes.length > 0 ? Math.min(...nextRefreshes) : null,
    lastRefresh: status && lastRefreshOf(status),
    resources: entries.map(toResource).sort((a, b) => (a.resource < b.resource ? -1 : 1)),
  }
}

function lastRefreshOf({ atMs, outcome, target, error, providerCode }: RefreshRecord): LastRefresh {
  return { at: atMs, outcome, resource: target, error, providerCode: providerCode ?? null }
}

function toResource({ value, keyId }: Sealed<AccessEntry>): ResourceTokenStatus {
  const { target, scopes, refreshCount, expiresAtMs, obtainedAtMs, refreshAheadAtMs } = value
  return {
    resource: target,
    scopes,
    refreshCount,
    expiresAt: expiresAtMs,
    obtainedAt: obtainedAtMs,
    refreshAheadAt: refreshAheadAtMs,
    keyId,
  }
}

function sealed<T extends object>(keyId: string, value: T | string | null): Sealed<T> | null {
  return value === null || typeof value === 'string' ? null : { value, keyId }
}

function valueOf<T>(result: { readonly value: T } | string): T | null {
  return typeof result === 'string' ? null : result.value
}
