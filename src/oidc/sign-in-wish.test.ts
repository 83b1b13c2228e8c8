import { describe, expect, it } from 'vitest'
import { createKeyring } from '../keyring/keyring.ts'
import { testKey } from '../testing/session-fixture.ts'
import { readSignInWish, type SignedWish, signInUrlOf, WISH_LIFE_MS } from './sign-in-wish.ts'

const keyring = createKeyring(testKey('first'))
let nowMs = 1_000_000
const clock = { now: () => nowMs, monotonic: () => nowMs }
const urlOf = signInUrlOf(keyring, '/auth', clock)
const claims = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}'
const scopes = ['api://orders/Orders.Read']
const userKey = keyring.userKey('ada')
const wishOf = (url: string): string | null => new URL(url, 'http://localhost').searchParams.get('wish')
const open = (wish: string | null, { ring = keyring, provider = 'entra', user = userKey } = {}): SignedWish | null =>
  readSignInWish(ring, provider, wish, clock)?.openFor(user) ?? null

describe('a sign-in wish', () => {
  it('comes back from its address as it was', () => {
    const url = urlOf({ provider: 'entra', userKey, claims, scopes })
    expect(url).toMatch(/^\/auth\/login\?provider=entra&wish=[\w-]+\.[\w-]{22}$/)
    expect(open(wishOf(url))).toEqual({ claims, scopes })
  })

  it('is left out when there is nothing to ask for, or too much', () => {
    expect(urlOf({ provider: 'a b', userKey, claims: null, scopes: [] })).toBe('/auth/login?provider=a+b')
    expect(urlOf({ provider: 'entra', userKey, claims: `{"a":"${'x'.repeat(4000)}"}`, scopes: [] })).toBe(
      '/auth/login?provider=entra',
    )
  })

  it('opens for its own user only, and for one hour', () => {
    const wish = wishOf(urlOf({ provider: 'entra', userKey, claims, scopes }))
    expect(open(wish, { user: keyring.userKey('grace') })).toBeNull()
    nowMs += WISH_LIFE_MS - 1
    expect(open(wish)).toEqual({ claims, scopes })
    nowMs += 1
    expect(open(wish)).toBeNull()
  })

  it('of another provider, another ring, or changed, is none', () => {
    const wish = wishOf(urlOf({ provider: 'entra', userKey, claims, scopes })) ?? ''
    const [content = '', signature = ''] = wish.split('.')
    expect(open(wish, { provider: 'other' })).toBeNull()
    expect(open(wish, { ring: createKeyring(testKey('second')) })).toBeNull()
    const forged = [
      null,
      '',
      '.',
      content,
      `${content}.`,
      `${content}A.${signature}`,
      `${content}.é${signature.slice(1)}`,
      `${wish}.`,
    ]
    for (const value of [...forged, `.${signature}`, 'x'.repeat(9000)]) expect(open(value)).toBeNull()
  })
})
