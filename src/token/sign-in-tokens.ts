/**
 * Stores tokens that the application passes in. Tokens of a sign-in start a new token family and replace all fields of the provider in one
 * step. Tokens for one more target are added to the stored ones.
 */
import { END_OF_LIFE_BYTES } from '../keyring/record-layout.ts'
import type { Clock } from '../core/clock.ts'
import { TokenError } from '../core/errors.ts'
import type { Random } from '../core/random.ts'
import { nonceOf } from '../keyring/seal.ts'
import type { UnreplicatedGrants } from './unreplicated-grants.ts'
import type { AccessEntry, Grant, TokenCodec } from './token-codec.ts'
import type { TokenDriver, TokenField, TokenRecord } from './token-driver.ts'
import { accessField, fieldsOf, grantField, statusField } from './token-fields.ts'
import { ownerOf } from './next-grant.ts'
import { refreshAheadAt } from './token-life.ts'
import type { CheckedTokenSet } from './token-set.ts'
import { subjectIn } from './token-subject.ts'
import { describeTarget, type Target } from './token-target.ts'

const LINEAGE_BYTES = 12
const ATTEMPTS = 8

export interface SignInTokens {
  /** Replaces all tokens in one step. Nothing of an earlier sign-in stays, and no refresh of it can be committed any more. */
  replaceAll(userKey: string, target: Target, tokens: CheckedTokenSet): Promise<void>
  /** Adds or replaces the token of one target, and the refresh token if there is one. @throws `COATCHECK_TOKEN_CONFLICT` */
  add(userKey: string, target: Target, tokens: CheckedTokenSet): Promise<void>
  /**
   * Stores the tokens only if no grant of the provider is stored, and no refresh has ended one lately.
   * @returns a function that removes these tokens unless others have replaced them; `null`: nothing was stored
   */
  addFirst(userKey: string, target: Target, tokens: CheckedTokenSet): Promise<(() => Promise<void>) | null>
}

export function createSignInTokens(deps: {
  readonly driver: TokenDriver
  readonly unreplicated: UnreplicatedGrants
  readonly codec: TokenCodec
  readonly grantLifetimeMs: number
  readonly clock: Clock
  readonly random: Random
}): SignInTokens {
  const { driver, unreplicated, codec, grantLifetimeMs, clock, random } = deps
  const newFamily = (): string => random.bytes(LINEAGE_BYTES).toString('base64url')

  /**
   * Without a refresh token, the ID token lives as long as the access token. The ID token names the owner of the grant. Sign-in has
   * verified it; an application vouches for its own.
   */
  const grantOf = (tokens: CheckedTokenSet, before: Grant | null, nowMs: number): Grant => {
    const owner = subjectIn(tokens.idToken) ?? (before && ownerOf(before))
    return {
      family: before?.family ?? newFamily(),
      refreshCount: before ? before.refreshCount + 1 : 0,
      refreshToken: tokens.refreshToken ?? before?.refreshToken ?? null,
      idToken: tokens.idToken ?? before?.idToken ?? null,
      ...(owner && { owner }),
      obtainedAtMs: nowMs,
      expiresAtMs: tokens.refreshToken === null ? (before?.expiresAtMs ?? tokens.expiresAtMs) : nowMs + grantLifetimeMs,
    }
  }

  const recordsOf = (
    userKey: string,
    target: Target,
    tokens: CheckedTokenSet,
    grant: Grant,
    nowMs: number,
  ): Map<TokenField, TokenRecord> => {
    const set = new Map<TokenField, TokenRecord>()
    const field = grantField(target.provider)
    const grantMs = grant.expiresAtMs - nowMs
    if (grantMs > 0) set.set(field, { record: codec.sealGrant(userKey, field, grant), ttlMs: grantMs })
    const accessMs = tokens.expiresAtMs - nowMs
    if (accessMs > 0) {
      const name = accessField(target.provider, target.key)
      const entry = entryOf(target, tokens, grant, nowMs)
      set.set(name, { record: codec.sealAccess(userKey, name, entry), ttlMs: accessMs })
    }
    return set
  }

  const entryOf = (target: Target, tokens: CheckedTokenSet, grant: Grant, nowMs: number): AccessEntry => ({
    family: grant.family,
    refreshCount: grant.refreshCount,
    accessToken: tokens.accessToken,
    expiresAtMs: tokens.expiresAtMs,
    obtainedAtMs: nowMs,
    refreshAheadAtMs: refreshAheadAt(nowMs, tokens.expiresAtMs, random),
    scopes: tokens.scopes ?? target.scopes,
    target: describeTarget(target),
  })

  /** Returns the nonce of the grant that a sign-in replaces. It identifies the replaced grant after a failover. */
  const nonceOfGrant = async (userKey: string, provider: string): Promise<Buffer | null> => {
    const [record] = await driver.read(userKey, [grantField(provider)])
    return record ? nonceOf(record, END_OF_LIFE_BYTES) : null
  }

  return {
    async replaceAll(userKey, target, tokens) {
      const nowMs = clock.now()
      const { provider } = target
      const grant = grantOf(tokens, null, nowMs)
      const set = recordsOf(userKey, target, tokens, grant, nowMs)
      const replaced = driver.isDurable === true ? await nonceOfGrant(userKey, provider) : null
      const written = await driver.write(userKey, { set, remove: fieldsOf(provider), lasting: true })
      if (written.status === 'done')
        unreplicated.committed({ userKey, provider }, grant, set, written.durable, replaced)
    },

    async add(userKey, target, tokens) {
      const field = grantField(target.provider)
      let [stored] = await driver.read(userKey, [field])
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const nowMs = clock.now()
        const opened = stored ? codec.openGrant(userKey, field, stored) : null
        // A grant that does not open is replaced. Its nonce is outside the seal and can still be compared.
        const before = opened && typeof opened !== 'string' ? opened : null
        const grant = grantOf(tokens, before?.value ?? null, nowMs)
        const set = recordsOf(userKey, target, tokens, grant, nowMs)
        // An access token alone keeps the grant as it is, so that a refresh under way is not refused.
        if (before && tokens.refreshToken === null) set.delete(field)
        const nonce = stored ? nonceOf(stored, END_OF_LIFE_BYTES) : null
        const isGrant = set.has(field)
        const written = await driver.write(userKey, { set, expect: { field, nonce }, lasting: isGrant })
        if (written.status === 'done') {
          const name = { userKey, provider: target.provider }
          if (isGrant) unreplicated.committed(name, grant, set, written.durable, before?.nonce ?? null)
          return
        }
        stored = written.current
      }
      throw new TokenError('COATCHECK_TOKEN_CONFLICT', { details: { provider: target.provider } })
    },

    async addFirst(userKey, target, tokens) {
      const { provider } = target
      const field = grantField(provider)
      const before = await driver.read(userKey, [field, statusField(provider)])
      if (before.some((record) => record !== null)) return null
      const nowMs = clock.now()
      const grant = grantOf(tokens, null, nowMs)
      const set = recordsOf(userKey, target, tokens, grant, nowMs)
      const stored = set.get(field)
      if (!stored) return null
      const written = await driver.write(userKey, { set, expect: { field, nonce: null }, lasting: true })
      if (written.status !== 'done') return null
      unreplicated.committed({ userKey, provider }, grant, set, written.durable)
      return async () => {
        const nonce = nonceOf(stored.record, END_OF_LIFE_BYTES)
        const { durable } = await driver.delete(userKey, fieldsOf(provider), { field, nonce })
        unreplicated.ended({ userKey, provider }, grant.family, durable)
      }
    },
  }
}
