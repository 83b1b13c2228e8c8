/** The origin `fromGuideTokens`: tokens that the `TokenCache` of the Redis setup guide stored, as JSON under `user:<id>:tokens`. */
import { systemClock } from '../../core/clock.ts'
import { keysMadeBy } from '../old-keys.ts'
import type { OldRecordDriver } from '../old-record-driver.ts'
import { readJson } from '../read-json.ts'
import { checkedOptions } from '../origin-options.ts'
import { createTokenOrigin } from './create-token-origin.ts'
import { epochMs, scopesIn, tokenIn, tokenSet } from './found-tokens.ts'
import type { TokenOrigin, TokenOriginOptions } from './token-origin.ts'

/** Options of `fromGuideTokens()`. */
export interface FromGuideTokensOptions extends TokenOriginOptions {
  /** The old key of a user id of Coatcheck. Default `user:<id>:tokens`. */
  readonly keyOf?: (userId: string) => string
}

/** Placeholder of the user id, to learn what the function puts around it. */
const PLACE = '\u{1}'

/** Takes tokens from the guide's `TokenCache`. The size of a time decides whether it is in seconds or in milliseconds. */
export function fromGuideTokens(options: FromGuideTokensOptions = {}): TokenOrigin {
  const given = checkedOptions('fromGuideTokens()', options, { provider: 'text', keyOf: 'function' })
  const { keyOf = (userId: string): string => `user:${userId}:tokens`, mode = 'read' } = given
  const [prefix = '', suffix] = keyOf(PLACE).split(PLACE)
  const keys = keysMadeBy(keyOf, (text) => hasTokens(readJson(text)))

  async function* users(old: OldRecordDriver): AsyncIterable<string> {
    for await (const name of old.scan(prefix)) {
      const userId = name.slice(prefix.length, name.length - (suffix ?? '').length)
      // Keys of Coatcheck contain braces.
      if (userId !== '' && !userId.startsWith('{') && keyOf(userId) === name) yield userId
    }
  }

  return createTokenOrigin('guide-tokens', options, {
    variants: ['seconds', 'milliseconds'],
    async find(old, userId) {
      const name = keyOf(userId)
      const record = await old.read(name)
      if (!record) return null
      const stored = readJson(record.text)
      const end = epochMs(stored?.['expiresAt'])
      const given = stored && {
        accessToken: tokenIn(stored['accessToken']),
        // Some copies store no time. The guide gives the key the life of the access token.
        expiresAtMs: end?.ms ?? record.endsAtMs,
        refreshToken: tokenIn(stored['refreshToken']),
        idToken: tokenIn(stored['idToken']),
        scopes: scopesIn(stored['scope']),
      }
      if (!given || !hasTokens(stored)) return 'unreadable'
      const tokens = tokenSet(given, systemClock.now())
      if (!tokens) return null
      const forget = mode === 'move' ? { forget: () => old.remove(name, record.text) } : {}
      return { userId, tokens, ...forget, ...(end && { variant: end.unit }) }
    },
    // From a function that hashes the id, for example, no id can be read back.
    ...(suffix !== undefined && { users }),
    ...(keys && { keys }),
  })
}

function hasTokens(stored: Readonly<Record<string, unknown>> | null): boolean {
  return tokenIn(stored?.['accessToken']) !== null || tokenIn(stored?.['refreshToken']) !== null
}
