import { describe, expect, it } from 'vitest'
import { createKeyring } from '../keyring/keyring.ts'
import { testKey } from '../testing/session-fixture.ts'
import { readSignInParams, type SignedParams, signInUrlOf, PARAMS_LIFE_MS } from './sign-in-params.ts'

const keyring = createKeyring(testKey('first'))
let nowMs = 1_000_000
const clock = { now: () => nowMs, monotonic: () => nowMs }
const urlOf = signInUrlOf(keyring, '/auth', clock)
const claims = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}'
const scopes = ['api://orders/Orders.Read']
const userKey = keyring.userKey('ada')
const paramsOf = (url: string): string | null => new URL(url, 'http://localhost').searchParams.get('params')
const open = (
  params: string | null,
  { ring = keyring, provider = 'entra', user = userKey } = {},
): SignedParams | null => readSignInParams(ring, provider, params, clock)?.openFor(user) ?? null

describe('signed sign-in parameters', () => {
  it('comes back from its address as it was', () => {
    const url = urlOf({ provider: 'entra', userKey, claims, scopes })
    expect(url).toMatch(/^\/auth\/login\?provider=entra&params=[\w-]+\.[\w-]{22}$/)
    expect(open(paramsOf(url))).toEqual({ claims, scopes })
  })

  it('is left out when there is nothing to ask for, or too much', () => {
    expect(urlOf({ provider: 'a b', userKey, claims: null, scopes: [] })).toBe('/auth/login?provider=a+b')
    expect(urlOf({ provider: 'entra', userKey, claims: `{"a":"${'x'.repeat(4000)}"}`, scopes: [] })).toBe(
      '/auth/login?provider=entra',
    )
  })

  it('opens for its own user only, and for one hour', () => {
    const params = paramsOf(urlOf({ provider: 'entra', userKey, claims, scopes }))
    expect(open(params, { user: keyring.userKey('grace') })).toBeNull()
    nowMs += PARAMS_LIFE_MS - 1
    expect(open(params)).toEqual({ claims, scopes })
    nowMs += 1
    expect(open(params)).toBeNull()
  })

  it('of another provider, another ring, or changed, is none', () => {
    const params = paramsOf(urlOf({ provider: 'entra', userKey, claims, scopes })) ?? ''
    const [content = '', signature = ''] = params.split('.')
    expect(open(params, { provider: 'other' })).toBeNull()
    expect(open(params, { ring: createKeyring(testKey('second')) })).toBeNull()
    const forged = [
      null,
      '',
      '.',
      content,
      `${content}.`,
      `${content}A.${signature}`,
      `${content}.é${signature.slice(1)}`,
      `${params}.`,
    ]
    for (const value of [...forged, `.${signature}`, 'x'.repeat(9000)]) expect(open(value)).toBeNull()
  })
})
