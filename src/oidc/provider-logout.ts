/**
 * Logout that the provider begins: OpenID Connect Back-Channel Logout 1.0 and Front-Channel Logout 1.0. It knows which Coatcheck
 * sessions came from which provider session, and ends them. A sign-in that is still under way loses against a logout.
 */
import type { Identity, ResolvedProvider } from '../config/types.ts'
import type { Clock } from '../core/clock.ts'
import { isCoatcheckError, OidcError, RedisError } from '../core/errors.ts'
import type { EventBus } from '../core/events.ts'
import type { Keyring } from '../keyring/keyring.ts'
import { signInRefused } from './oidc-errors.ts'
import { type LogoutTokens, refused } from './logout-token.ts'
import type { ProviderSessionDriver } from './provider-session-driver.ts'

/** Longer than a sign-in may take, plus the difference that clocks may have. */
const MARK_MS = 20 * 60_000
/** Added to the last moment when a logout token is valid: an instance whose clock is behind may still accept it. */
const TOKEN_SLACK_SECONDS = 600
const REASON = 'provider-logout'

export interface ProviderLogout {
  /**
   * Called after a session was created and before its cookie is sent.
   * @throws {OidcError} `COATCHECK_SIGNIN_REJECTED` when the provider has ended its session meanwhile
   */
  register(identity: Identity, sessionId: string): Promise<void>
  /** @throws {OidcError} as `LogoutTokens.verify`; {RedisError} when a session could not be ended, or not durably: the token may come again */
  backChannel(provider: ResolvedProvider, token: string): Promise<void>
  /** Ends the sessions of `sid`, which may name none: the caller cannot see the difference. */
  frontChannel(provider: ResolvedProvider, sid: string): Promise<void>
}

export function createProviderLogout(deps: {
  readonly driver: ProviderSessionDriver
  readonly tokens: LogoutTokens
  readonly keyring: Keyring
  /** Returns those session ids whose sessions have ended; never a live one. */
  readonly absent: (sessionIds: readonly string[]) => Promise<readonly string[]>
  readonly revoke: (sessionId: string, reason: string) => Promise<{ readonly durable: boolean }>
  /** Whether replicas must acknowledge a revocation (`redisStore({ durability })`). */
  readonly isDurable: boolean
  /** The longest life of a session. */
  readonly sessionLifeMs: number
  /** How long a logout is remembered for sessions that begin afterwards. `undefined` or absent: longer than a sign-in may take. */
  readonly markMs?: () => number | undefined
  readonly clock: Clock
  readonly events: EventBus
}): ProviderLogout {
  const { driver, tokens, keyring, clock, events } = deps

  /** By sid and issuer for the back channel; by sid and the configured provider name for a front channel that names no issuer. */
  const nameOfSid = (issuer: string, sid: string): string => keyring.nameOf('provider-session', `${issuer}\n${sid}`)
  const nameOfProviderSid = (provider: string, sid: string): string =>
    keyring.nameOf('provider-sid', `${provider}\n${sid}`)
  const nameOfSubject = (issuer: string, subject: string): string =>
    keyring.nameOf('provider-subject', `${issuer}\n${subject}`)

  /** Sessions whose ID token named no `sid`: a logout token with a `sid` may refer to each of them. */
  const nameWithoutSid = (issuer: string, subject: string): string =>
    keyring.nameOf('provider-subject-without-sid', `${issuer}\n${subject}`)

  const end = async (
    names: readonly string[],
    endedAtSeconds: number,
    provider: string,
    channel: 'back' | 'front',
  ): Promise<void> => {
    // Any client can call the front channel: an unknown name must leave no record. It has no issue time, so all sessions end.
    const markMs = channel === 'back' ? (deps.markMs?.() ?? MARK_MS) : null
    const found = await Promise.all(names.map((name) => driver.end(name, endedAtSeconds, markMs)))
    const sessionIds = found.flat()
    // All revocations are tried. A failed one is retried when the provider repeats its call.
    const results = await Promise.allSettled(sessionIds.map((id) => deps.revoke(id, REASON)))
    const failure = results.find((result) => result.status === 'rejected')
    if (failure) throw failure.reason
    // The sessions ended, but a failover may bring them back: the provider repeats a call that was not answered with 200 (section 2.8).
    const isKept = results.every((result) => result.status === 'fulfilled' && result.value.durable)
    if (channel === 'back' && deps.isDurable && !isKept) throw new RedisError('COATCHECK_REDIS_NOT_DURABLE')
    await Promise.all(names.map((name, i) => driver.remove(name, found[i] ?? [])))
    events.emit('provider.logout', { provider, channel, count: sessionIds.length })
  }

  /** Removes the entries of all sessions that have ended. If it fails, the entries stay until they expire, or until the next sweep. */
  const sweep = async (name: string): Promise<void> => {
    try {
      await driver.sweep(name, await deps.absent(await driver.list(name)))
    } catch (error) {
      const code = isCoatcheckError(error) ? error.code : 'unknown'
      events.emit('error', { code, operation: 'provider-session.sweep' })
    }
  }

  return {
    async register({ provider, issuer, subject, claims }, sessionId) {
      const { sid, iat } = claims
      const issuedAtSeconds = typeof iat === 'number' ? iat : Math.floor(clock.now() / 1000)
      const names = [nameOfSubject(issuer, subject)]
      if (typeof sid === 'string' && sid !== '') names.push(nameOfSid(issuer, sid), nameOfProviderSid(provider, sid))
      else names.push(nameWithoutSid(issuer, subject))
      const life = deps.sessionLifeMs
      const found = await Promise.all(names.map((name) => driver.register(name, sessionId, issuedAtSeconds, life)))
      if (found.includes('ended')) throw signInRefused('COATCHECK_SIGNIN_REJECTED', 'ended-at-provider')
      // Sessions end in many ways, and none of them knows its provider session. So entries number at most twice the live sessions, plus 16.
      await Promise.all(names.filter((_, i) => found[i] === 'crowded').map(sweep))
    },

    async backChannel(provider, text) {
      const token = await tokens.verify(provider, text)
      const { issuer, subject, sid, tokenId, issuedAtSeconds, takenUntilSeconds } = token
      const used = keyring.nameOf('logout-token', `${issuer}\n${tokenId}`)
      const lifeMs = (takenUntilSeconds + TOKEN_SLACK_SECONDS) * 1000 - clock.now()
      if (await driver.isUsed(used)) throw refused('replayed')
      const names = sid === null ? [nameOfSubject(issuer, subject ?? '')] : [nameOfSid(issuer, sid)]
      // A provider may send a `sid` in logout tokens and none in ID tokens.
      if (sid !== null && subject !== null) names.push(nameWithoutSid(issuer, subject))
      await end(names, issuedAtSeconds, provider.name, 'back')
      // Last: if an earlier step fails, the provider repeats the token, and the sign-out is then carried out.
      await driver.markUsed(used, Math.max(1000, lifeMs))
    },

    async frontChannel(provider, sid) {
      await end([nameOfProviderSid(provider.name, sid)], Math.floor(clock.now() / 1000), provider.name, 'front')
    },
  }
}

/** Selects the provider of a logout: by the address, else by the issuer, else the only one. */
export function providerOfLogout(
  providers: readonly ResolvedProvider[],
  isIssuer: (provider: ResolvedProvider, issuer: string) => boolean,
  name: string | null,
  issuer: string | null,
): ResolvedProvider {
  const candidates = providers.filter(
    (provider) => (name === null || provider.name === name) && (issuer === null || isIssuer(provider, issuer)),
  )
  const [provider] = candidates
  if (!provider || candidates.length > 1) {
    throw new OidcError('COATCHECK_REQUEST_INVALID', { details: { reason: 'provider' } })
  }
  return provider
}
