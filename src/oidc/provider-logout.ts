/**
 * Logout that the provider begins: OpenID Connect Back-Channel Logout 1.0 and Front-Channel Logout 1.0. It knows which of our
 * sessions came from which of the provider's, and ends them; a sign-in that is still on its way loses against a logout.
 */
import type { Identity, ResolvedProvider } from '../config/types.ts'
import type { Clock } from '../core/clock.ts'
import { isCoatcheckError, OidcError, RedisError } from '../core/errors.ts'
import type { EventBus } from '../core/events.ts'
import type { Keyring } from '../keyring/keyring.ts'
import { signInRefused } from './oidc-errors.ts'
import { type LogoutTokens, refused } from './logout-token.ts'
import type { ProviderSessionDriver } from './provider-session-driver.ts'

/** Longer than a sign-in may take, and than clocks may differ. */
const MARK_MS = 20 * 60_000
/** After the last moment at which a logout token counts, while an instance whose clock is behind may still take it. */
const TOKEN_SLACK_SECONDS = 600
const REASON = 'provider-logout'

export interface ProviderLogout {
  /**
   * After a session was created and before its cookie leaves.
   * @throws {OidcError} `COATCHECK_SIGNIN_REJECTED` when the provider has ended its session meanwhile
   */
  register(identity: Identity, sessionId: string): Promise<void>
  /** @throws {OidcError} as `LogoutTokens.verify`; {RedisError} when nothing could be ended, or not durably: the token may come again */
  backChannel(provider: ResolvedProvider, token: string): Promise<void>
  /** Whatever `sid` names, or nothing: the caller learns no difference. */
  frontChannel(provider: ResolvedProvider, sid: string): Promise<void>
}

export function createProviderLogout(deps: {
  readonly driver: ProviderSessionDriver
  readonly tokens: LogoutTokens
  readonly keyring: Keyring
  /** Those of the session ids whose sessions have ended; never one that lives. */
  readonly absent: (sessionIds: readonly string[]) => Promise<readonly string[]>
  readonly revoke: (sessionId: string, reason: string) => Promise<{ readonly durable: boolean }>
  /** Whether replicas have to acknowledge an ending (`redisStore({ durability })`). */
  readonly isDurable: boolean
  /** How long a session can live at most. */
  readonly sessionLifeMs: number
  /** How long a logout is remembered for sessions that begin afterwards. `undefined` or absent: longer than a sign-in may take. */
  readonly markMs?: () => number | undefined
  readonly clock: Clock
  readonly events: EventBus
}): ProviderLogout {
  const { driver, tokens, keyring, clock, events } = deps

  /** By sid and issuer for the back channel; by sid and our name of the provider for a front channel that names no issuer. */
  const nameOfSid = (issuer: string, sid: string): string => keyring.nameOf('provider-session', `${issuer}\n${sid}`)
  const nameOfProviderSid = (provider: string, sid: string): string =>
    keyring.nameOf('provider-sid', `${provider}\n${sid}`)
  const nameOfSubject = (issuer: string, subject: string): string =>
    keyring.nameOf('provider-subject', `${issuer}\n${subject}`)

  /** Sessions whose ID token named no `sid`: a logout token with a `sid` may mean each of them. */
  const nameWithoutSid = (issuer: string, subject: string): string =>
    keyring.nameOf('provider-subject-without-sid', `${issuer}\n${subject}`)

  const end = async (
    names: readonly string[],
    endedAtSeconds: number,
    provider: string,
    channel: 'back' | 'front',
  ): Promise<void> => {
    // A front channel is open to everybody: what it names and is not known leaves nothing behind. It has no time of issue, so all end.
    const markMs = channel === 'back' ? (deps.markMs?.() ?? MARK_MS) : null
    const found = await Promise.all(names.map((name) => driver.end(name, endedAtSeconds, markMs)))
    const sessionIds = found.flat()
    // All of them are tried; what fails is tried again when the provider repeats its call.
    const results = await Promise.allSettled(sessionIds.map((id) => deps.revoke(id, REASON)))
    const failure = results.find((result) => result.status === 'rejected')
    if (failure) throw failure.reason
    // Ended, and a failover may bring it back: the provider repeats a call that was not answered with 200 (section 2.8).
    const isKept = results.every((result) => result.status === 'fulfilled' && result.value.durable)
    if (channel === 'back' && deps.isDurable && !isKept) throw new RedisError('COATCHECK_REDIS_NOT_DURABLE')
    await Promise.all(names.map((name, i) => driver.remove(name, found[i] ?? [])))
    events.emit('provider.logout', { provider, channel, count: sessionIds.length })
  }

  /** Every entry of a session that has ended goes. If it fails, the entries stay until their time is over, or the next sweep. */
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
      // Sessions end in many ways, and none of them knows its provider session. Entries are twice the live sessions at most, and 16.
      await Promise.all(names.filter((_, i) => found[i] === 'crowded').map(sweep))
    },

    async backChannel(provider, text) {
      const token = await tokens.verify(provider, text)
      const { issuer, subject, sid, tokenId, issuedAtSeconds, takenUntilSeconds } = token
      const used = keyring.nameOf('logout-token', `${issuer}\n${tokenId}`)
      const lifeMs = (takenUntilSeconds + TOKEN_SLACK_SECONDS) * 1000 - clock.now()
      if (await driver.isUsed(used)) throw refused('replayed')
      const names = sid === null ? [nameOfSubject(issuer, subject ?? '')] : [nameOfSid(issuer, sid)]
      // A provider may put a `sid` into logout tokens and none into ID tokens.
      if (sid !== null && subject !== null) names.push(nameWithoutSid(issuer, subject))
      await end(names, issuedAtSeconds, provider.name, 'back')
      // Last: if a step before it fails, the provider repeats the token, and the sign-out is carried out then.
      await driver.markUsed(used, Math.max(1000, lifeMs))
    },

    async frontChannel(provider, sid) {
      await end([nameOfProviderSid(provider.name, sid)], Math.floor(clock.now() / 1000), provider.name, 'front')
    },
  }
}

/** Which provider a logout is about: by the address, else by the issuer, else the only one. */
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
