import { beforeEach, describe, expect, it } from 'vitest'
import { createFakeClock } from '../testing/fake-clock.ts'
import { newKey, sign, type SigningKey } from '../../test/support/hostile-provider.ts'
import { createProviderKeys, type ProviderKeys, type TokenSender } from './key-set.ts'

let clock: ReturnType<typeof createFakeClock>
let published: readonly SigningKey[] | null
let fetches: number
/** Each answer waits for this promise. */
let gate: Promise<void>
let onRequest: () => void
let keys: ProviderKeys
let first: SigningKey
let second: SigningKey

beforeEach(async () => {
  clock = createFakeClock()
  fetches = 0
  gate = Promise.resolve()
  onRequest = () => {}
  ;[first, second] = [await newKey('first', 'ES256'), await newKey('second', 'ES256')]
  published = [first]
  keys = createProviderKeys({
    provider: { name: 'p', preset: 'oidc' },
    url: 'https://idp.test/keys',
    clock,
    send() {
      fetches++
      onRequest()
      const answer = published
        ? Response.json({ keys: published.map(({ jwk }) => jwk) })
        : new Response('', { status: 503 })
      return gate.then(() => answer)
    },
  })
})

const verdict = async (key: SigningKey, sender: TokenSender = 'provider'): Promise<string> =>
  keys.verify(await sign({}, key), sender)
const codeOf = (key: SigningKey, sender?: TokenSender): Promise<unknown> =>
  verdict(key, sender).catch((error: unknown) => (error as { code: string }).code)

describe('a key set', () => {
  it('is fetched once for all tokens of five minutes', async () => {
    expect(await Promise.all(Array.from({ length: 20 }, () => verdict(first)))).toEqual(Array(20).fill('valid'))
    clock.advance(299_000)
    expect(await verdict(first, 'visitor')).toBe('valid')
    expect(fetches).toBe(1)
    clock.advance(2000)
    expect(await verdict(first)).toBe('valid')
    expect(fetches).toBe(2)
  })

  it('is fetched once more, at once, for all tokens of a new key together', async () => {
    expect(await verdict(first)).toBe('valid')
    published = [second]
    expect(await Promise.all(Array.from({ length: 20 }, () => verdict(second)))).toEqual(Array(20).fill('valid'))
    expect(fetches).toBe(2)
    expect(await verdict(first)).toBe('signing-key')
  })

  it('is fetched at most twice a minute, however many unknown keys the provider names', async () => {
    for (let i = 0; i < 20; i++) expect(await verdict(await newKey(`unknown-${i}`, 'ES256'))).toBe('signing-key')
    expect(fetches).toBe(2)
    clock.advance(61_000)
    published = [first, second]
    expect(await verdict(second)).toBe('valid')
    expect(fetches).toBe(3)
  })

  it('is fetched once a minute for visitors, and their flood does not use up the fetches of the provider', async () => {
    expect(await verdict(first)).toBe('valid')
    expect(await verdict(await newKey('forged', 'ES256'), 'visitor')).toBe('signing-key')
    for (let i = 0; i < 20; i++)
      expect(await codeOf(await newKey(`forged-${i}`, 'ES256'), 'visitor')).toBe('COATCHECK_OIDC_UNAVAILABLE')
    expect(fetches).toBe(2)
    published = [second]
    expect(await verdict(second)).toBe('valid')
    // The provider's own token has brought the key, so logout tokens signed with it are now valid too.
    expect(await verdict(second, 'visitor')).toBe('valid')
    expect(fetches).toBe(3)
  })

  it('is fetched for a key of the provider, although a visitor has guessed its id before', async () => {
    expect(await verdict(first)).toBe('valid')
    expect(await verdict(second, 'visitor')).toBe('signing-key')
    for (let i = 0; i < 10; i++) expect(await codeOf(second, 'visitor')).toBe('COATCHECK_OIDC_UNAVAILABLE')
    expect(fetches).toBe(2)
    published = [second]
    expect(await verdict(second)).toBe('valid')
  })

  it.each(['another', 'second'])(
    'that a junk key id %s has used up gives a token of a new key no verdict until the next fetch',
    async (junk) => {
      expect(await verdict(first, 'visitor')).toBe('valid')
      expect(await verdict(await newKey(junk, 'ES256'), 'visitor')).toBe('signing-key')
      published = [second]
      clock.advance(20_000)
      await expect(verdict(second, 'visitor')).rejects.toMatchObject({
        code: 'COATCHECK_OIDC_UNAVAILABLE',
        details: { provider: 'p', reason: 'key-fetches', retryAfterMs: 40_000 },
      })
      clock.advance(40_000)
      // More forged tokens right before it do no harm: the fetch brings every key.
      expect(await verdict(await newKey('more', 'ES256'), 'visitor')).toBe('signing-key')
      expect(await verdict(second, 'visitor')).toBe('valid')
      expect(fetches).toBe(3)
    },
  )

  it('that was requested before a visitor’s token arrived does not prove its key unknown', async () => {
    expect(await verdict(first, 'visitor')).toBe('valid')
    const [one, two] = await Promise.all(['one', 'two'].map(async (kid) => sign({}, await newKey(kid, 'ES256'))))
    let answer = (): void => {}
    gate = new Promise((resolve) => (answer = resolve))
    const requested = new Promise<void>((resolve) => (onRequest = resolve))
    const early = keys.verify(one ?? '', 'visitor')
    await requested
    const late = keys.verify(two ?? '', 'visitor').catch((error: unknown) => (error as { code: string }).code)
    answer()
    expect(await early).toBe('signing-key')
    expect(await late).toBe('COATCHECK_OIDC_UNAVAILABLE')
  })

  it('that cannot be fetched for a new key goes on serving the keys that are known', async () => {
    expect(await verdict(first)).toBe('valid')
    published = null
    expect(await codeOf(second)).toBe('COATCHECK_OIDC_UNAVAILABLE')
    expect(await verdict(first)).toBe('valid')
    published = [first, second]
    clock.advance(61_000)
    expect(await verdict(second)).toBe('valid')
  })

  it('that is away is asked for by visitors every five seconds, and by the provider’s tokens each time', async () => {
    published = null
    for (let i = 0; i < 10; i++) expect(await codeOf(first, 'visitor')).toBe('COATCHECK_OIDC_UNAVAILABLE')
    expect(fetches).toBe(1)
    clock.advance(5001)
    expect(await codeOf(first, 'visitor')).toBe('COATCHECK_OIDC_UNAVAILABLE')
    expect(fetches).toBe(2)
    published = [first]
    expect(await verdict(first)).toBe('valid')
  })
})
