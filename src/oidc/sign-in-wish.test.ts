import { describe, expect, it } from 'vitest'
import { createKeyring } from '../keyring/keyring.ts'
import { testKey } from '../testing/session-fixture.ts'
import { openSignInWish, signInUrlOf } from './sign-in-wish.ts'

const keyring = createKeyring(testKey('first'))
const urlOf = signInUrlOf(keyring, '/auth')
const claims = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}'
const scopes = ['api://orders/Orders.Read']
const wishOf = (url: string): string | null => new URL(url, 'http://localhost').searchParams.get('wish')

describe('a sign-in wish', () => {
  it('comes back from its address as it was', () => {
    const url = urlOf({ provider: 'entra', claims, scopes })
    expect(url).toMatch(/^\/auth\/login\?provider=entra&wish=[\w-]+\.[\w-]{22}$/)
    expect(openSignInWish(keyring, 'entra', wishOf(url))).toEqual({ claims, scopes })
  })

  it('is left out when there is nothing to ask for, or too much', () => {
    expect(urlOf({ provider: 'a b', claims: null, scopes: [] })).toBe('/auth/login?provider=a+b')
    expect(urlOf({ provider: 'entra', claims: `{"a":"${'x'.repeat(4000)}"}`, scopes: [] })).toBe(
      '/auth/login?provider=entra',
    )
  })

  it('of another provider, another ring, or changed, is none', () => {
    const wish = wishOf(urlOf({ provider: 'entra', claims, scopes })) ?? ''
    const [content = '', signature = ''] = wish.split('.')
    expect(openSignInWish(keyring, 'other', wish)).toBeNull()
    expect(openSignInWish(createKeyring(testKey('second')), 'entra', wish)).toBeNull()
    const forged = [
      null,
      '',
      '.',
      content,
      `${content}.`,
      `${content}A.${signature}`,
      `${content}.é${signature.slice(1)}`,
    ]
    for (const value of [...forged, `.${signature}`, 'x'.repeat(9000)]) {
      expect(openSignInWish(keyring, 'entra', value)).toBeNull()
    }
  })
})
